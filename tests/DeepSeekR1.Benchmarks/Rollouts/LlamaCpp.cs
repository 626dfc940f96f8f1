using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>A build of llama.cpp to compare with: its <c>llama-batched-bench</c>, which decodes sequences of one shared prompt.</summary>
/// <param name="program">The program, or the folder it lies in.</param>
/// <param name="model">The same model as GGUF.</param>
internal sealed class LlamaCpp(string program, string model)
{
    private const string ProgramName = "llama-batched-bench";

    /// <summary>The one that the command line names, or null.</summary>
    /// <exception cref="R1Exception">Only one of the two options is given.</exception>
    public static LlamaCpp? OfOptions(string[] args) => (Options.Text(args, "--llama-bench"), Options.Text(args, "--gguf")) switch
    {
        (null, null) => null,
        ({ } program, { } model) => new LlamaCpp(program, model),
        _ => throw new R1Exception($"--llama-bench and --gguf go together: the path of {ProgramName}, and the model it is to run."),
    };

    /// <summary>Tokens a second that it decodes, by number of sequences.</summary>
    /// <exception cref="R1Exception">It cannot be started, fails, or prints no result.</exception>
    public IReadOnlyDictionary<int, double> Measure(int threads, int promptTokens, int newTokens, IEnumerable<int> sequences)
    {
        string number(int value) => value.ToString(CultureInfo.InvariantCulture);
        string file = Directory.Exists(program) ? Path.Combine(program, ProgramName) : program;
        int longest = promptTokens + sequences.Max() * newTokens;
        var start = new ProcessStartInfo(file, [
            "-m", model, "-c", number(longest), "-npp", number(promptTokens), "-ntg", number(newTokens), "-npl", string.Join(',', sequences.Select(number)),
            "-pps", "-t", number(threads), "-tb", number(threads), "--output-format", "jsonl",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start) ?? throw new R1Exception($"{file} does not start.");
            var errors = process.StandardError.ReadToEndAsync();
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) throw new R1Exception($"{file} ended with exit code {process.ExitCode}: {errors.GetAwaiter().GetResult().Trim()}");
            return Parse(text) is { Count: > 0 } speeds ? speeds : throw new R1Exception($"{file} printed no line of JSON; a build of 2025 or later is needed.");
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new R1Exception($"{file} cannot be started: {failure.Message}. Give the path of {ProgramName} or of its folder to --llama-bench.", failure);
        }
    }

    /// <summary>Its results, one JSON object a line among other lines: <c>pl</c> sequences, <c>speed_tg</c> tokens a second.</summary>
    internal static Dictionary<int, double> Parse(string text)
    {
        var speeds = new Dictionary<int, double>();
        foreach (string line in text.Split('\n').Where(line => line.StartsWith('{')))
        {
            using var json = JsonDocument.Parse(line);
            speeds[json.RootElement.GetProperty("pl").GetInt32()] = json.RootElement.GetProperty("speed_tg").GetDouble();
        }
        return speeds;
    }
}
