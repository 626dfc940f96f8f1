using System.Text.Json;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Short ways to score a text.</summary>
internal static class Scoring
{
    public static Prompt Prompt(string? answer = null, string? language = null, string text = "how many now ?") =>
        new() { Id = "test:1", Text = text, Answer = answer, Language = language };

    public static Completion Completion(string text, int tokens = 0, bool isTruncated = false) =>
        new() { Text = text, TokenCount = tokens, IsTruncated = isTruncated };

    public static async Task<double?> Of(IReward reward, string text, Prompt? prompt = null, bool isTruncated = false) =>
        (await reward.ScoreAsync(prompt ?? Prompt(), Completion(text, isTruncated: isTruncated))).Value;

    /// <summary>The rows of a JSONL file.</summary>
    public static IEnumerable<JsonElement> Rows(string path) => File.ReadLines(path).Select(line => JsonSerializer.Deserialize<JsonElement>(line));
}
