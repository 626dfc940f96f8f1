using System.Text.Json;

namespace DeepSeekR1.Rewards;

/// <summary>How a program is tested.</summary>
internal abstract record CodeTests
{
    /// <summary>How many there are.</summary>
    public abstract int Count { get; }

    /// <summary>Tests in the program's language that call its functions.</summary>
    /// <param name="Preamble">Code that stands before the program, such as HumanEval's prompt.</param>
    /// <param name="Setup">Imports and definitions of the tests.</param>
    /// <param name="Tests">Each passes or fails by itself.</param>
    /// <param name="Entry">The tested function, where it is named: everything else that the preamble defines is not the program's to change.</param>
    public sealed record Assertions(string Preamble, string Setup, IReadOnlyList<string> Tests, string? Entry = null) : CodeTests
    {
        /// <inheritdoc/>
        public override int Count => Tests.Count;
    }

    /// <summary>Calls of the program's functions, and what they must give: expressions of the program's language.</summary>
    public sealed record Calls(IReadOnlyList<(string Call, string Expected)> Cases) : CodeTests
    {
        /// <inheritdoc/>
        public override int Count => Cases.Count;
    }

    /// <summary>Whole runs: what goes in, and what must come out.</summary>
    public sealed record Streams(IReadOnlyList<(string Input, string Output)> Cases) : CodeTests
    {
        /// <inheritdoc/>
        public override int Count => Cases.Count;
    }

    /// <summary>
    /// Reads the tests of a row: HumanEval (<c>test</c>, <c>entry_point</c>), MBPP (<c>test_list</c>, <c>test_imports</c>), function calls
    /// (<c>calls</c>: [{"call": "f(2)", "expected": "4"}]), streams (<c>inputs</c> and <c>outputs</c>). Null where the row has none.
    /// </summary>
    /// <exception cref="FormatException">The fields are not what they should be.</exception>
    public static CodeTests? Of(Prompt prompt)
    {
        if (Texts(prompt, "inputs") is { } inputs)
        {
            string[] outputs = Texts(prompt, "outputs") ?? throw new FormatException($"{prompt.Id}: 'inputs' without 'outputs'");
            return inputs.Length == outputs.Length ? new Streams([.. inputs.Zip(outputs)])
                : throw new FormatException($"{prompt.Id}: {inputs.Length} inputs, but {outputs.Length} outputs");
        }
        if (Texts(prompt, "test_list") is { } tests) return new Assertions("", string.Join('\n', Texts(prompt, "test_imports") ?? []), tests);
        if (prompt.Fields.TryGetValue("calls", out var calls))
            return ReadCalls(prompt, calls);
        if (Text(prompt, "test") is { } check && Text(prompt, "entry_point") is { } entry) return new Assertions(prompt.Text, check, [$"check({entry})"], entry);
        return null;
    }

    private static Calls ReadCalls(Prompt prompt, JsonElement calls)
    {
        if (calls.ValueKind == JsonValueKind.Array && calls.EnumerateArray().All(call => TextOf(call, "call") is not null && TextOf(call, "expected") is not null))
            return new Calls([.. calls.EnumerateArray().Select(call => (TextOf(call, "call")!, TextOf(call, "expected")!))]);
        throw new FormatException($$"""{{prompt.Id}}: field 'calls' is not a list such as [{"call": "f(2)", "expected": "4"}]""");

        static string? TextOf(JsonElement call, string name) =>
            call.ValueKind == JsonValueKind.Object && call.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static string? Text(Prompt prompt, string field) =>
        prompt.Fields.TryGetValue(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string[]? Texts(Prompt prompt, string field)
    {
        if (!prompt.Fields.TryGetValue(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw new FormatException($"{prompt.Id}: field '{field}' is not a list of texts");
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }
}
