using System.Text.Json;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>Two replies to one prompt, of which one is better.</summary>
/// <param name="Id">Names the pair within its data set.</param>
/// <param name="Prompt">The turns before the reply.</param>
/// <param name="Chosen">The better reply.</param>
/// <param name="Rejected">The worse reply.</param>
/// <param name="Margin">By how much the better one should score higher.</param>
public sealed record PreferenceExample(string Id, IReadOnlyList<ChatMessage> Prompt, string Chosen, string Rejected, double Margin = 0);

/// <summary>A reply that is good or bad.</summary>
/// <param name="Id">Names the reply within its data set.</param>
/// <param name="Prompt">The turns before the reply.</param>
/// <param name="Reply">The reply.</param>
/// <param name="IsGood">The verdict.</param>
public sealed record VerdictExample(string Id, IReadOnlyList<ChatMessage> Prompt, string Reply, bool IsGood);

/// <summary>
/// Loads what reward models learn from, in TRL's formats: <c>prompt</c>, <c>chosen</c>, <c>rejected</c> (and <c>margin</c>), or
/// <c>prompt</c>, <c>completion</c>, <c>label</c>; each text or messages.
/// </summary>
public static class PreferenceDataset
{
    /// <summary>The pairs of a file.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static PreferenceExample[] Pairs(DataConfig config, ulong seed) => SftDataset.Load(config, seed, (row, _) =>
    {
        var prompt = ReadPrompt(row);
        var pair = new PreferenceExample(row.Id, prompt, ReadReply(row, "chosen"), ReadReply(row, "rejected"), ReadMargin(row));
        return pair.Chosen != pair.Rejected ? pair : throw row.Error("'chosen' and 'rejected' are the same", "Nothing can be learned from it; drop the row.");
    });

    /// <summary>The replies with verdicts of a file.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static VerdictExample[] Verdicts(DataConfig config, ulong seed) => SftDataset.Load(config, seed, (row, _) =>
        new VerdictExample(row.Id, ReadPrompt(row), ReadReply(row, "completion"), ReadLabel(row)));

    private static ChatMessage[] ReadPrompt(DataRow row) =>
        row.Require("prompt").ValueKind == JsonValueKind.Array ? Conversation.Read(row, "prompt") : [new ChatMessage("user", row.RequireText("prompt"))];

    private static string ReadReply(DataRow row, string field)
    {
        if (row.Require(field).ValueKind != JsonValueKind.Array) return row.RequireText(field);
        return Conversation.Read(row, field) is [{ Role: "assistant" } reply] ? reply.Content
            : throw row.Error($"field '{field}' is not one message of the assistant", "Move the turns before the reply to 'prompt'.");
    }

    private static double ReadMargin(DataRow row)
    {
        if (row.Find("margin") is not { } margin) return 0;
        return margin.ValueKind == JsonValueKind.Number && margin.TryGetDouble(out double value) && double.IsFinite(value) ? value
            : throw row.Error($"field 'margin' is {DataRow.Describe(margin)}", "Expected a number.");
    }

    private static bool ReadLabel(DataRow row) => row.Require("label") switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out int value) && value is 0 or 1 => value == 1,
        var other => throw row.Error($"field 'label' is {DataRow.Describe(other)}", "Expected true (or 1) for good, false (or 0) for bad."),
    };
}
