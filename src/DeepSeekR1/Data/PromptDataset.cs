using System.Text.Json;
using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Data;

/// <summary>
/// Loads prompts with reference answers from JSON Lines or TSV. Usual shapes are recognised by their fields: GSM8K, SVAMP, MATH-500,
/// AIME, CMATH, MGSM, TRL's <c>prompt</c> and <c>messages</c>; others are named with <see cref="FieldsConfig"/>.
/// </summary>
public static class PromptDataset
{
    /// <summary>The name under which a prompt of several turns keeps them in <see cref="Prompt.Fields"/>.</summary>
    public const string MessagesField = "messages";

    /// <summary>The prompts of a file, read with default settings.</summary>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static Prompt[] Load(string path) => Load(new DataConfig { Path = path }, seed: 0);

    /// <summary>The prompts of the file that the settings name.</summary>
    /// <param name="config">What is read, and how.</param>
    /// <param name="seed">The run's seed; decides the order where one is asked for.</param>
    /// <exception cref="R1Exception">The file, a line or a field is amiss; names it and the remedy.</exception>
    public static Prompt[] Load(DataConfig config, ulong seed)
    {
        string path = config.Path ?? throw new R1Exception("No data file is named. Set data.path or pass --data FILE.");
        var rows = RowSelection.Take(DataFile.Read(path), config.Take, seed, path);
        var shape = DatasetShape.Of(rows[0], config.Fields);
        return [.. rows.Select(row => Read(row, shape, config))];
    }

    /// <summary>
    /// The turns of a prompt: the row's own conversation, or the question in the settings' template; before it the settings' system
    /// prompt, unless the conversation brings one.
    /// </summary>
    public static IReadOnlyList<ChatMessage> Messages(Prompt prompt, DataConfig config)
    {
        IReadOnlyList<ChatMessage> turns = prompt.Fields.TryGetValue(MessagesField, out var conversation)
            ? [.. conversation.EnumerateArray().Select(turn => new ChatMessage(turn.GetProperty("role").GetString()!, turn.GetProperty("content").GetString()!))]
            : [new ChatMessage("user", prompt.Text)];
        if (turns[^1] is { Role: "user" } question)
            turns = [.. turns.SkipLast(1), question with { Content = config.PromptTemplate.Replace("{prompt}", question.Content) }];
        return config.SystemPrompt is { } system && turns[0].Role != "system" ? [new ChatMessage("system", system), .. turns] : turns;
    }

    private static Prompt Read(DataRow row, DatasetShape shape, DataConfig config)
    {
        var fields = row.Fields.EnumerateObject()
            .Where(field => !shape.PromptFields.Contains(field.Name) && field.Name != shape.AnswerField)
            .GroupBy(field => field.Name).ToDictionary(group => group.Key, group => group.Last().Value);
        string text = shape.PromptFields is [var single] && row.Require(single).ValueKind == JsonValueKind.Array
            ? ReadConversation(row, single, fields)
            : string.Join(' ', shape.PromptFields.Select(field => row.RequireText(field).Trim()));
        if (string.IsNullOrWhiteSpace(text))
            throw row.Error($"field '{shape.PromptFields[^1]}' is empty", "Every row needs a prompt; drop the row or fill it in.");
        return new Prompt
        {
            Id = row.Id,
            Text = text,
            Answer = ReadAnswer(row, shape, config),
            Language = config.Fields.Language is { } language ? row.RequireText(language) : config.Language,
            Kind = config.Fields.Kind is { } kind ? row.RequireText(kind) : config.Kind,
            Fields = fields,
        };
    }

    /// <summary>The last user turn is the question; a reply that the row already has is left out.</summary>
    private static string ReadConversation(DataRow row, string field, Dictionary<string, JsonElement> fields)
    {
        var turns = Conversation.Read(row, field);
        int last = Array.FindLastIndex(turns, turn => turn.Role == "user");
        if (last < 0) throw row.Error($"field '{field}' has no turn of the user", "A prompt ends with one.");
        fields[MessagesField] = JsonSerializer.SerializeToElement(
            turns.Take(last + 1).Select(turn => new { role = turn.Role, content = turn.Content }));
        return turns[last].Content;
    }

    private static string? ReadAnswer(DataRow row, DatasetShape shape, DataConfig config)
    {
        string? answer = shape.AnswerField is { } field ? GoldAnswer.Read(row, field) : null;
        if (answer is null && !config.AllowMissingAnswers)
            throw row.Error(shape.AnswerField is null ? "no field for the reference answer" : $"field '{shape.AnswerField}' holds no reference answer",
                $"The row has {row.FieldNames()}; name the right one with fields.answer, or set allowMissingAnswers.");
        return answer;
    }
}
