using System.Text.Json;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>Two replies to one prompt, of which one is better: both conversations, or both plain text.</summary>
/// <param name="Chosen">The prompt with the better reply.</param>
/// <param name="Rejected">The prompt with the worse reply.</param>
/// <param name="Margin">By how much the better one should score higher.</param>
public sealed record PreferenceExample(SftExample Chosen, SftExample Rejected, double Margin = 0)
{
    /// <summary>Names the pair within its data set.</summary>
    public string Id => Chosen.Id;
}

/// <summary>A reply that is good or bad.</summary>
/// <param name="Reply">The prompt with the reply.</param>
/// <param name="IsGood">The verdict.</param>
public sealed record VerdictExample(SftExample Reply, bool IsGood);

/// <summary>
/// Loads what reward models and DPO learn from, in TRL's formats: <c>prompt</c>, <c>chosen</c>, <c>rejected</c> (and <c>margin</c>), the prompt left out
/// where both replies begin with it, or <c>prompt</c>, <c>completion</c>, <c>label</c>. Each is text, which stays as it is, or messages, which go
/// through the chat template; where one is messages, a text beside it is a message.
/// </summary>
public static class PreferenceDataset
{
    /// <summary>The pairs of a file.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static PreferenceExample[] Pairs(DataConfig config, ulong seed) => SftDataset.Load(config, seed, (row, _) => ReadPair(row));

    /// <summary>The replies with verdicts of a file; a pair is a good reply and a bad one.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static VerdictExample[] Verdicts(DataConfig config, ulong seed) => [.. SftDataset.Load(config, seed, (row, _) => ReadVerdicts(row)).SelectMany(verdicts => verdicts)];

    private static PreferenceExample ReadPair(DataRow row)
    {
        var (chosen, rejected) = row.Find("prompt") is not null ? (ReadReply(row, "chosen"), ReadReply(row, "rejected"))
            : row.Require("chosen").ValueKind == JsonValueKind.Array ? ReadConversations(row)
            : ReadTexts(row);
        return chosen.Answer != rejected.Answer ? new PreferenceExample(chosen, rejected, ReadMargin(row))
            : throw row.Error("'chosen' and 'rejected' are the same", "Nothing can be learned from it; drop the row.");
    }

    private static VerdictExample[] ReadVerdicts(DataRow row)
    {
        if (row.Find("chosen") is null) return [new VerdictExample(ReadReply(row, "completion"), ReadLabel(row))];
        var pair = ReadPair(row);
        return [new VerdictExample(pair.Chosen, IsGood: true), new VerdictExample(pair.Rejected, IsGood: false)];
    }

    private static SftExample ReadReply(DataRow row, string field)
    {
        bool isConversation = new[] { "prompt", field }.Any(name => row.Require(name).ValueKind == JsonValueKind.Array);
        return isConversation ? new ChatExample(row.Id, ReadMessages(row, "prompt", "user"), OneAnswer(row, field, ReadMessages(row, field, "assistant")))
            : new TextExample(row.Id, row.RequireText("prompt"), row.RequireText(field));
    }

    /// <summary>The prompt is what both texts begin with; a space before they part belongs to the replies, as in TRL.</summary>
    private static (SftExample Chosen, SftExample Rejected) ReadTexts(DataRow row)
    {
        string chosen = row.RequireText("chosen"), rejected = row.RequireText("rejected");
        int prompt = CommonBeginning(row, chosen.AsSpan().CommonPrefixLength(rejected), Math.Min(chosen.Length, rejected.Length));
        bool isWithinCharacter = char.IsHighSurrogate(chosen[prompt - 1]) && char.IsLowSurrogate(chosen[prompt]);
        bool isAfterSpace = chosen[prompt - 1] == ' ' && chosen[prompt] != rejected[prompt];
        if (isWithinCharacter || isAfterSpace) prompt--;
        return (new TextExample(row.Id, chosen[..prompt], chosen[prompt..]), new TextExample(row.Id, chosen[..prompt], rejected[prompt..]));
    }

    /// <summary>The prompt is the turns that both conversations begin with.</summary>
    private static (SftExample Chosen, SftExample Rejected) ReadConversations(DataRow row)
    {
        ChatMessage[] chosen = Conversation.Read(row, "chosen"), rejected = Conversation.Read(row, "rejected");
        int prompt = CommonBeginning(row, chosen.Zip(rejected).TakeWhile(turns => turns.First == turns.Second).Count(), Math.Min(chosen.Length, rejected.Length));
        return (new ChatExample(row.Id, chosen[..prompt], OneAnswer(row, "chosen", chosen[prompt..])), new ChatExample(row.Id, chosen[..prompt], OneAnswer(row, "rejected", rejected[prompt..])));
    }

    /// <summary>Where one is the beginning of the other, its last part is its reply.</summary>
    private static int CommonBeginning(DataRow row, int common, int shortest) => Math.Min(common, shortest - 1) is > 0 and var length ? length
        : throw row.Error("field 'prompt' is missing, and 'chosen' and 'rejected' do not begin alike", $"Expected a prompt, or that both begin with it. The row has {row.FieldNames()}.");

    private static ChatMessage[] ReadMessages(DataRow row, string field, string role) =>
        row.Require(field).ValueKind == JsonValueKind.Array ? Conversation.Read(row, field) : [new ChatMessage(role, row.RequireText(field))];

    private static ChatMessage[] OneAnswer(DataRow row, string field, ChatMessage[] turns) => turns is [{ Role: "assistant" }] ? turns
        : throw row.Error($"field '{field}' is not one message of the assistant", "Move the turns before the reply to 'prompt'.");

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
