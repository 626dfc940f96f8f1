using System.Text;
using System.Text.Json;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Text;

namespace DeepSeekR1.Benchmarks.Checkpoints;

/// <summary>Encoding GSM8K on one core: questions and answers, a row at a time, bytes of UTF-8 a second. <c>[FOLDER of a tokenizer]…</c></summary>
internal static class TokenizerBenchmark
{
    private const int Runs = 5;

    public static void Run(string[] args)
    {
        string golden = Path.Combine("..", "shared", "golden", "tokenizers");
        string[] folders = args.Length > 0 ? args : [Path.Combine("..", "shared", "models", "smollm2-135m-instruct"), .. Directory.EnumerateDirectories(golden).Order(StringComparer.Ordinal)];
        string[] texts =
        [
            .. File.ReadLines(Path.Combine("..", "shared", "data", "gsm8k_train.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .SelectMany(row => new[] { row.GetProperty("question").GetString()!, row.GetProperty("answer").GetString()! }),
        ];
        double megabytes = texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text)) / 1e6;
        foreach (string folder in folders.Where(folder => File.Exists(Path.Combine(folder, "tokenizer.json"))))
        {
            var tokenizer = HfTokenizer.Load(folder);
            double first = Measure.Seconds(EncodeAll);
            double median = Measure.Median([.. Enumerable.Range(0, Runs).Select(_ => Measure.Seconds(EncodeAll))]);
            Bar.AtLeast($"{Path.GetFileName(folder)} (first pass {megabytes / first:F1})", megabytes / median, 5, "MB/s");

            void EncodeAll()
            {
                foreach (string text in texts) tokenizer.Encode(text);
            }
        }
    }
}
