using System.Diagnostics;
using System.Xml.Linq;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>What the documentation shows is compiled as it stands.</summary>
public class ExampleTests
{
    private const string Usings = "using System; using System.Linq; using System.Threading.Tasks; using System.Collections.Generic; using DeepSeekR1.Rewards; using Microsoft.Extensions.AI;\n";
    private const string Judge = """
        class MyJudge : IReward
        {
            public string Name => "mine";
            public ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, System.Threading.CancellationToken cancellationToken = default) => new(new RewardScore(1));
        }
        """;

    [Fact]
    public async Task Every_example_compiles()
    {
        string documentation = Path.ChangeExtension(typeof(IReward).Assembly.Location, ".xml");
        string[] examples = [.. XDocument.Load(documentation).Descendants("example").Elements("code").Select(code => code.Value), .. Fenced(Documentation("rewards.md")).Where(code => !code.StartsWith("public ", StringComparison.Ordinal))];
        Assert.True(examples.Length >= 6, $"{examples.Length} examples");

        var folder = Directory.CreateTempSubdirectory("r1-examples-");
        try
        {
            string source = Path.Combine(folder.FullName, "Examples.cs");
            File.WriteAllText(source, Usings + string.Concat(examples.Select((code, i) => $"class Example{i} {{ async Task Run(Prompt prompt, Completion[] completions, System.Threading.CancellationToken cancellationToken) {{\n{code}\nawait Task.CompletedTask; }} }}\n")) + Judge);
            var (exit, output) = await CompileAsync(source, Path.Combine(folder.FullName, "examples.dll"));
            Assert.True(exit == 0, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Documentation(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DeepSeekR1.sln"))) folder = folder.Parent;
        return File.ReadAllText(Path.Combine(folder!.FullName, "docs", name));
    }

    private static IEnumerable<string> Fenced(string markdown) => markdown.Split("```csharp\n")[1..].Select(block => block[..block.IndexOf("```", StringComparison.Ordinal)]);

    private static async Task<(int Exit, string Output)> CompileAsync(string source, string assembly)
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!, root = Path.GetFullPath(Path.Combine(framework, "..", "..", ".."));
        string compiler = Directory.EnumerateDirectories(Path.Combine(root, "sdk")).Select(sdk => Path.Combine(sdk, "Roslyn", "bincore", "csc.dll")).Last(File.Exists);
        string[] references = [.. Directory.EnumerateFiles(framework, "*.dll"), typeof(IReward).Assembly.Location, Path.Combine(AppContext.BaseDirectory, "Microsoft.Extensions.AI.Abstractions.dll")];
        var start = new ProcessStartInfo(Path.Combine(root, "dotnet"), ["exec", compiler, "-nologo", "-noconfig", "-warn:0", "-target:library", $"-out:{assembly}", source, .. references.Where(IsManaged).Select(path => $"-r:{path}")])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    private static bool IsManaged(string path) => !Path.GetFileName(path).Contains("Native", StringComparison.Ordinal) || Path.GetFileName(path).StartsWith("System.Runtime", StringComparison.Ordinal);
}
