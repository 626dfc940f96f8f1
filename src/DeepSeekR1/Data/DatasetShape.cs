using System.Text.Json;

namespace DeepSeekR1.Data;

/// <summary>Which fields of a file's rows hold question and answer; told from its first row and held to for the rest.</summary>
/// <param name="PromptFields">The fields that make the question, joined by a space.</param>
/// <param name="AnswerField">The field of the reference answer; null where there is none.</param>
internal sealed record DatasetShape(IReadOnlyList<string> PromptFields, string? AnswerField)
{
    private static readonly string[] _promptNames = ["prompt", "problem", "question", "instruction", "query", "messages", "conversations"];

    // Where a set has both, the short answer comes before the worked solution (MATH-500, AIME).
    private static readonly string[] _answerNames = ["expected_answer", "answer", "Answer", "final_answer", "ground_truth", "target", "solution"];

    /// <exception cref="R1Exception">No field of the row has a usual name, or the named one is absent.</exception>
    public static DatasetShape Of(DataRow row, FieldsConfig fields) => new(Prompt(row, fields), Answer(row, fields));

    private static string[] Prompt(DataRow row, FieldsConfig fields)
    {
        if (fields.Prompt is not null) return [fields.Prompt];
        // SVAMP tells the story and asks the question in two fields.
        if (row.Find("Body") is not null && row.Find("Question") is not null) return ["Body", "Question"];
        return _promptNames.FirstOrDefault(name => row.Find(name) is not null) is { } known ? [known]
            : throw row.Error($"no field for the prompt among {string.Join(", ", _promptNames)}",
                $"The row has {row.FieldNames()}; name the right one with fields.prompt.");
    }

    private static string? Answer(DataRow row, FieldsConfig fields) => fields.Answer ?? _answerNames.FirstOrDefault(row.IsPresent);
}

/// <summary>The reference answer as rewards compare it.</summary>
internal static class GoldAnswer
{
    /// <summary>Of a worked solution in the shape of GSM8K, the number after <c>####</c>; else the text or number itself; null where empty.</summary>
    /// <exception cref="R1Exception">The field is neither text nor number.</exception>
    public static string? Read(DataRow row, string field)
    {
        if (row.Find(field) is not { } value) return null;
        string text = value.ValueKind switch
        {
            JsonValueKind.String => row.TextOf(value, field),
            JsonValueKind.Number => Number(value),
            _ => throw row.Error($"field '{field}' is {DataRow.Describe(value)}", "Expected a text or a number."),
        };
        int mark = text.LastIndexOf("####", StringComparison.Ordinal);
        if (mark >= 0) text = text[(mark + 4)..].Replace(",", "");
        text = text.Trim();
        return text.Length > 0 ? text : null;
    }

    /// <summary>145.0 is the answer 145; what is no plain decimal stays as it was written.</summary>
    private static string Number(JsonElement value) =>
        value.TryGetDecimal(out decimal number) ? number.ToString("0.#############################") : value.GetRawText();
}
