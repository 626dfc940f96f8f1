using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DeepSeekR1.Rewards;

/// <summary>
/// C# programs (.NET, the version this program runs on; the SDK's compiler). Tests are whole runs, or calls: the calls are printed as
/// JSON in the program's box, the expected expressions in another, and the host compares the lines. Assertions of equality are such calls.
/// </summary>
internal sealed class CSharpRunner : IProgramRunner
{
    private const string Source = "/src/Program.cs", Driver = "/src/Driver.cs", Assembly = "/app/app.dll", RuntimeConfig = "/app/app.runtimeconfig.json", DriverClass = "R1Driver";
    private const string Usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Text;\n";

    private static readonly SandboxLimits _compiling = new() { Time = TimeSpan.FromSeconds(30), ProcessorSeconds = 30, MemoryMebibytes = 2048 };
    private static readonly byte[] _runtimeConfig = JsonSerializer.SerializeToUtf8Bytes(
        new { runtimeOptions = new { framework = new { name = "Microsoft.NETCore.App", version = Environment.Version.ToString() } } });

    private readonly Sandbox _sandbox;
    private readonly SandboxLimits _limits;

    public CSharpRunner(Sandbox sandbox, SandboxLimits limits) => (_sandbox, _limits) = (sandbox, limits);

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Languages { get; } = ["csharp", "cs", "c#"];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TestOutcome>> TestAsync(string program, CodeTests tests, CancellationToken cancellationToken)
    {
        switch (tests)
        {
            case CodeTests.Streams streams:
                return await CompileAsync(program, null, cancellationToken).ConfigureAwait(false) is { } app
                    ? await StreamRunner.TestAsync(_sandbox, _limits, Run(app), streams, cancellationToken).ConfigureAwait(false)
                    : [.. streams.Cases.Select(_ => new TestOutcome(false, "does not compile"))];
            case CodeTests.Calls calls:
                return await CompareAsync(program, "", calls.Cases, cancellationToken).ConfigureAwait(false);
            case CodeTests.Assertions { Preamble: "" } assertions:
                return await CompareAsync(program, assertions.Setup, [.. assertions.Tests.Select(CSharpAssertion.Parse)], cancellationToken).ConfigureAwait(false);
            default:
                throw new SandboxException("C# programs are tested by 'calls', by assertions in 'test_list', or by 'inputs' and 'outputs'");
        }
    }

    private async Task<IReadOnlyList<TestOutcome>> CompareAsync(string program, string setup, IReadOnlyList<(string Call, string Expected)> cases, CancellationToken cancellationToken)
    {
        string[]? expected = await PrintAsync("", "", cases.Select(call => call.Expected), cancellationToken).ConfigureAwait(false);
        if (expected?.Length != cases.Count) throw new SandboxException("the expected values of the tests do not compile, or fail");
        string[]? actual = await PrintAsync(program, setup, cases.Select(call => call.Call), cancellationToken).ConfigureAwait(false);
        return [.. expected.Select((value, i) => new TestOutcome(actual?.Length == expected.Length && actual[i] == value, "other value, or none"))];
    }

    /// <summary>[expression] its value as JSON, or what it threw; null where nothing runs.</summary>
    private async Task<string[]?> PrintAsync(string program, string setup, IEnumerable<string> expressions, CancellationToken cancellationToken)
    {
        var driver = new StringBuilder($"{setup}\nstatic class {DriverClass} {{ public static void Main() {{ var output = System.Console.OpenStandardOutput(); System.Console.SetOut(System.IO.TextWriter.Null);\n");
        driver.Append("void Print(System.Func<object> value) { string text; try { text = System.Text.Json.JsonSerializer.Serialize(value()); } catch (System.Exception e) { text = \"!\" + e.GetType().Name; } output.Write(System.Text.Encoding.UTF8.GetBytes(text + \"\\n\")); }\n");
        foreach (string expression in expressions) driver.Append(CultureInfo.InvariantCulture, $"Print(() => ({expression}));\n");
        driver.Append("} }\n");
        if (await CompileAsync(program, driver.ToString(), cancellationToken).ConfigureAwait(false) is not { } app) return null;
        byte[]? output = await StreamRunner.RunAsync(_sandbox, _limits, Run(app), "", cancellationToken).ConfigureAwait(false);
        return output is null ? null : Encoding.UTF8.GetString(output).Split('\n')[..^1];
    }

    /// <summary>The compiled program; null where it does not compile.</summary>
    private async Task<byte[]?> CompileAsync(string program, string? driver, CancellationToken cancellationToken)
    {
        var (dotnet, compiler, framework) = Locate();
        string options = driver is null ? Source : $"-main:{DriverClass} {Source} {Driver}";
        string script = $"{dotnet} exec {compiler} -nologo -noconfig -optimize+ -warn:0 -langversion:latest -target:exe -out:/tmp/app.dll $(printf -- ' -r:%s' {framework}/*.dll) {options} >&2 && cat /tmp/app.dll";
        var files = new Dictionary<string, byte[]> { [Source] = Encoding.UTF8.GetBytes(Usings + program) };
        if (driver is not null) files[Driver] = Encoding.UTF8.GetBytes(driver);
        return await StreamRunner.RunAsync(_sandbox, _compiling, new BoxedProgram(["/bin/sh", "-c", script])
        {
            Files = files,
            Folders = Folders(dotnet),
            Environment = Runtime(_compiling),
            MayStartProcesses = true,
            ReservesMemory = true,
        }, "", cancellationToken).ConfigureAwait(false);
    }

    private BoxedProgram Run(byte[] app)
    {
        string dotnet = Locate().Dotnet;
        return new BoxedProgram([dotnet, "exec", "--runtimeconfig", RuntimeConfig, Assembly])
        {
            Files = new Dictionary<string, byte[]> { [Assembly] = app, [RuntimeConfig] = _runtimeConfig },
            Folders = Folders(dotnet),
            Environment = Runtime(_limits),
            ReservesMemory = true,
        };
    }

    private static Dictionary<string, string> Runtime(SandboxLimits limits) => new()
    {
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_EnableDiagnostics"] = "0",
        ["DOTNET_EnableWriteXorExecute"] = "0",
        ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_GCHeapHardLimit"] = (limits.MemoryMebibytes * 1048576L * 3 / 4).ToString("x", CultureInfo.InvariantCulture),
    };

    /// <summary>What lies under /usr is in every box.</summary>
    private static string[] Folders(string dotnet) => Path.GetDirectoryName(dotnet) is { } folder && !folder.StartsWith("/usr/", StringComparison.Ordinal) ? [folder] : [];

    /// <summary>The host, the compiler and the framework of the .NET that runs this program.</summary>
    private static (string Dotnet, string Compiler, string Framework) Locate()
    {
        string framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!, root = Path.GetFullPath(Path.Combine(framework, "..", "..", ".."));
        string dotnet = Path.Combine(root, "dotnet"), sdks = Path.Combine(root, "sdk");
        string? compiler = !Directory.Exists(sdks) ? null : Directory.EnumerateDirectories(sdks).Order(StringComparer.Ordinal)
            .Select(sdk => Path.Combine(sdk, "Roslyn", "bincore", "csc.dll")).LastOrDefault(File.Exists);
        return File.Exists(dotnet) && compiler is not null ? (dotnet, compiler, framework) : throw new SandboxException($"C# programs need the .NET SDK, of which there is none in {root}");
    }
}
