using System.Text.Json;

namespace DeepSeekR1.Data;

/// <summary>
/// Loads examples of supervised fine-tuning, in TRL's formats, recognised by the fields of the first row: <c>prompt</c> and
/// <c>completion</c> (texts or messages), <c>messages</c>, <c>text</c>; and worked solutions in the shape of GSM8K.
/// </summary>
public static class SftDataset
{
    /// <summary>The examples of a file, read with default settings.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static SftExample[] Load(string path) => Load(new DataConfig { Path = path }, seed: 0);

    /// <summary>The examples of the file that the settings name.</summary>
    /// <param name="config">What is read, and how.</param>
    /// <param name="seed">The run's seed; decides the order where one is asked for.</param>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static SftExample[] Load(DataConfig config, ulong seed)
    {
        Func<DataRow, DataConfig, SftExample>? read = null;
        return Load<SftExample>(config, seed, (row, settings) => (read ??= ReaderFor(row))(row, settings));
    }

    internal static T[] Load<T>(DataConfig config, ulong seed, Func<DataRow, DataConfig, T> read)
    {
        string path = config.Path ?? throw new R1Exception("No data file is named. Set data.path or pass --data FILE.");
        return [.. RowSelection.Take(DataFile.Read(path), config.Take, seed, path).Select(row => read(row, config))];
    }

    private static Func<DataRow, DataConfig, SftExample> ReaderFor(DataRow row)
    {
        if (row.Find("prompt") is not null && row.Find("completion") is not null) return ReadPromptCompletion;
        if (row.Find("messages") is not null) return (r, _) => new ChatExample(r.Id, [], Conversation.Read(r, "messages"));
        if (row.Find("conversations") is not null) return (r, _) => new ChatExample(r.Id, [], Conversation.Read(r, "conversations"));
        if (row.Find("text") is not null) return (r, _) => new TextExample(r.Id, "", RequireContent(r, "text"));
        if (WorkedSolutions.IsWorkedSolution(row)) return WorkedSolutions.ReadRow;
        throw row.Error("not an example of supervised fine-tuning",
            $"Expected prompt and completion, or messages, or text, or question and a worked answer; the row has {row.FieldNames()}.");
    }

    private static SftExample ReadPromptCompletion(DataRow row, DataConfig config)
    {
        bool isConversation = row.Require("prompt").ValueKind == JsonValueKind.Array;
        return isConversation
            ? new ChatExample(row.Id, Conversation.Read(row, "prompt"), Conversation.Read(row, "completion"))
            : new TextExample(row.Id, row.RequireText("prompt"), RequireContent(row, "completion"));
    }

    private static string RequireContent(DataRow row, string field)
    {
        string text = row.RequireText(field);
        return text.Length > 0 ? text : throw row.Error($"field '{field}' is empty", "There is nothing to learn from it; drop the row.");
    }
}
