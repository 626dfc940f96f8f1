using System.Text.RegularExpressions;

namespace DeepSeekR1.Data;

/// <summary>
/// Turns worked solutions in the shape of GSM8K (reasoning with calculator marks <c>&lt;&lt;48/2=24&gt;&gt;</c>, then <c>#### 72</c>)
/// into examples of the think/answer shape: material for a cold start.
/// </summary>
public static partial class WorkedSolutions
{
    private const string FinalMark = "####";

    /// <summary>The examples of a file with <c>question</c> and <c>answer</c>.</summary>
    /// <param name="config">What is read; path and rows to take.</param>
    /// <param name="seed">The run's seed; decides the order where one is asked for.</param>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static ChatExample[] Load(DataConfig config, ulong seed) => SftDataset.Load(config, seed, ReadRow);

    /// <summary>
    /// Whether the row is a worked solution: a question, and an answer that ends in <c>#### N</c>.
    /// </summary>
    internal static bool IsWorkedSolution(DataRow row) =>
        row.Find("question") is not null && row.Find("answer") is { ValueKind: System.Text.Json.JsonValueKind.String } answer
        && row.TextOf(answer, "answer").Contains(FinalMark, StringComparison.Ordinal);

    internal static ChatExample ReadRow(DataRow row, DataConfig config)
    {
        string questionField = config.Fields.Prompt ?? "question", answerField = config.Fields.Answer ?? "answer";
        string solution = row.RequireText(answerField);
        int mark = solution.LastIndexOf(FinalMark, StringComparison.Ordinal);
        string answer = mark < 0 ? "" : solution[(mark + FinalMark.Length)..].Replace(",", "").Trim();
        if (answer.Length == 0) throw row.Error($"field '{answerField}' has no final answer", $"A worked solution ends with a line '{FinalMark} N'.");
        string reasoning = CalculatorMark().Replace(solution[..mark], "").Trim();
        if (reasoning.Length == 0) throw row.Error($"field '{answerField}' has no reasoning before '{FinalMark}'", "Drop the row or write the solution out.");
        var prompt = PromptDataset.Messages(new Rewards.Prompt { Id = row.Id, Text = row.RequireText(questionField).Trim() }, config);
        return new ChatExample(row.Id, prompt, [new Text.ChatMessage("assistant", ThinkThenAnswer(reasoning, answer))]);
    }

    /// <summary>The shape that format rewards ask for: reasoning in think tags, the final answer in answer tags, each on its own lines.</summary>
    public static string ThinkThenAnswer(string reasoning, string answer) => $"<think>\n{reasoning}\n</think>\n<answer>\n{answer}\n</answer>";

    [GeneratedRegex("<<[^<>]*>>")]
    private static partial Regex CalculatorMark();
}
