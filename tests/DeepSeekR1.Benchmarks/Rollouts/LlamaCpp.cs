using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Models;

namespace DeepSeekR1.Benchmarks.Rollouts;

/// <summary>A build of llama.cpp to compare with: its <c>llama-batched-bench</c>, which decodes sequences of one shared prompt.</summary>
/// <param name="program">The program, or the folder it lies in.</param>
/// <param name="model">The model that is measured, written as GGUF into a folder of its own that goes with this object.</param>
internal sealed class LlamaCpp(string program, CausalLM model) : IDisposable
{
    private const string ProgramName = "llama-batched-bench";

    private readonly DirectoryInfo _folder = Write(model);

    /// <summary>The one that the command line names by <c>--llama-bench PATH</c>, or null.</summary>
    public static LlamaCpp? OfOptions(string[] args, CausalLM model) => Options.Text(args, "--llama-bench") is { } program ? new LlamaCpp(program, model) : null;

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Tokens a second that it decodes, by number of sequences.</summary>
    /// <exception cref="R1Exception">It cannot be started, fails, or prints no result.</exception>
    public IReadOnlyDictionary<int, double> Measure(int threads, int promptTokens, int newTokens, IEnumerable<int> sequences)
    {
        string number(int value) => value.ToString(CultureInfo.InvariantCulture);
        string file = Directory.Exists(program) ? Path.Combine(program, ProgramName) : program;
        int longest = promptTokens + sequences.Max() * newTokens;
        var start = new ProcessStartInfo(file, [
            "-m", Path.Combine(_folder.FullName, "model.gguf"), "-c", number(longest), "-npp", number(promptTokens), "-ntg", number(newTokens), "-npl", string.Join(',', sequences.Select(number)),
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

    /// <summary>Its random weights, and a tokenizer of as many made-up words, which nobody asks for text.</summary>
    private static DirectoryInfo Write(CausalLM model)
    {
        var folder = Directory.CreateTempSubdirectory("r1-benchmark-");
        HfCheckpoint.SaveModel(model, folder.FullName);
        var words = new JsonObject(Enumerable.Range(0, model.Config.VocabularySize).Select(id => KeyValuePair.Create(Word(id), (JsonNode?)id)));
        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["pre_tokenizer"] = JsonNode.Parse("""
                { "type": "Sequence", "pretokenizers": [
                    { "type": "Digits", "individual_digits": true },
                    { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true }] }
                """),
            ["decoder"] = JsonNode.Parse("""{ "type": "ByteLevel" }"""),
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = words, ["merges"] = new JsonArray("w v") },
        };
        File.WriteAllText(Path.Combine(folder.FullName, "tokenizer.json"), tokenizer.ToJsonString());
        GgufExport.Write(folder.FullName, Path.Combine(folder.FullName, "model.gguf"), GgufType.Bf16);
        return folder;

        // The first three are there for the one merge that a vocabulary of byte pairs needs.
        static string Word(int id) => id switch { 0 => "w", 1 => "v", 2 => "wv", _ => $"w{id}" };
    }
}
