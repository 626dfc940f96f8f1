using System.Text.Json;
using DeepSeekR1.Configuration;
using DeepSeekR1.Data;
using DeepSeekR1.Rewards;

namespace DeepSeekR1.Evaluation;

/// <summary>A completion from a file, with its scores.</summary>
/// <param name="Row">Where it stands.</param>
/// <param name="Score">What the rewards say.</param>
public sealed record ScoredRow(DataRow Row, CompletionScore Score);

/// <summary>
/// Judges completions that are already there: JSON Lines with a prompt and an answer in their usual fields, and the completion in
/// <c>completion</c>, <c>text</c>, <c>response</c> or <c>output</c>; what <c>r1 score</c> does.
/// </summary>
public static class CompletionScoring
{
    private static readonly string[] _completionNames = ["completion", "text", "response", "output", "completions"];

    /// <summary>The rewards that specifications name.</summary>
    /// <exception cref="R1Exception">A name or an option is unknown.</exception>
    public static WeightedRewards Rewards(IReadOnlyList<string> specifications) => RewardSpecifications.ProblemOf(specifications) is { } problem
        ? throw new R1Exception($"--reward {string.Join(" --reward ", specifications)}: it {problem}.")
        : RewardRegistry.Default.Parse(specifications);

    /// <summary>Scores every row, in the file's order.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss.</exception>
    public static async IAsyncEnumerable<ScoredRow> ScoreAsync(
        string path, WeightedRewards rewards, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        DatasetShape? shape = null;
        foreach (var row in DataFile.Read(path))
        {
            shape ??= DatasetShape.Of(row, new FieldsConfig());
            string field = _completionNames.FirstOrDefault(name => row.Find(name) is not null)
                ?? throw row.Error($"no completion among the fields {string.Join(", ", _completionNames)}", $"The row has {row.FieldNames()}.");
            string text = row.RequireText(field);
            var completion = new Completion
            {
                Text = text,
                TokenCount = row.Find("tokens") is { ValueKind: JsonValueKind.Number } tokens ? tokens.GetInt32() : text.Length,
                IsTruncated = row.Find("truncated") is { ValueKind: JsonValueKind.True },
            };
            var prompt = new Prompt
            {
                Id = row.Id,
                Text = string.Join(' ', shape.PromptFields.Where(name => name != field).Select(row.RequireText)),
                Answer = (shape.AnswerField ?? (row.Find("gold") is null ? null : "gold")) is { } answer ? GoldAnswer.Read(row, answer) : null,
                Language = row.Find("language") is { ValueKind: JsonValueKind.String } language ? language.GetString() : null,
                Fields = row.Fields.EnumerateObject().GroupBy(member => member.Name).ToDictionary(group => group.Key, group => group.Last().Value),
            };
            var scores = await rewards.ScoreAsync(prompt, [completion], cancellationToken);
            yield return new ScoredRow(row, scores[0]);
        }
    }
}
