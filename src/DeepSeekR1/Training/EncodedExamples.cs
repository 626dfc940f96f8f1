using DeepSeekR1.Data;

namespace DeepSeekR1.Training;

/// <summary>Examples as ids, by index: all at once where they are counted, a window at a time where they are an endless stream.</summary>
internal sealed class EncodedExamples
{
    /// <summary>Examples of a stream that are remembered: more than one bucket of <see cref="SftConfig.BucketSize"/> by default.</summary>
    private const int Window = 4096;

    private readonly Func<int, EncodedExample> _encode;
    private readonly Dictionary<int, EncodedExample> _known = [];

    private EncodedExamples(Func<int, EncodedExample> encode, int? count, int tooLong) => (_encode, Count, TooLong) = (encode, count, tooLong);

    /// <summary>How many there are; null: without end.</summary>
    public int? Count { get; }

    /// <summary>How many were left out because they are longer than the limit.</summary>
    public int TooLong { get; }

    /// <summary>The example at this index.</summary>
    public EncodedExample this[int index]
    {
        get
        {
            if (_known.TryGetValue(index, out var example)) return example;
            if (_known.Count >= Window) _known.Clear();
            return _known[index] = _encode(index);
        }
    }

    /// <summary>Counted examples, made to fit the limit.</summary>
    /// <exception cref="R1Exception">None fits.</exception>
    public static EncodedExamples Of(IReadOnlyList<SftExample> examples, SftEncoder encoder, int limit, SftFit fit = SftFit.Whole)
    {
        EncodedExample[] encoded = [.. Fitted([.. examples.Select(encoder.Encode).OfType<EncodedExample>()], limit, fit)];
        EncodedExample[] kept = [.. encoded.Where(example => example.Ids.Length <= limit)];
        if (kept.Length == 0)
            throw new R1Exception(encoded.Length == 0
                ? "There is no example to learn from."
                : $"None of {encoded.Length} examples has at most {limit} tokens (the shortest has {encoded.Min(example => example.Ids.Length)}); raise maxLength.");
        return new EncodedExamples(index => kept[index], kept.Length, encoded.Length - kept.Length);
    }

    /// <summary>An endless stream of documents, each within the limit.</summary>
    public static EncodedExamples Stream(Func<int, SftExample> document, SftEncoder encoder, int limit) => new(index =>
    {
        var example = encoder.Encode(document(index));
        if (example is null || example.Ids.Length > limit)
            throw new R1Exception($"Document {index} of the corpus has {example?.Ids.Length ?? 0} tokens; expected 2 to {limit} (the model's context).");
        return example;
    }, count: null, tooLong: 0);

    /// <summary>The examples as they are, in pieces, or end to end in rows.</summary>
    internal static IEnumerable<EncodedExample> Fitted(EncodedExample[] examples, int limit, SftFit fit) => fit switch
    {
        SftFit.Whole => examples,
        SftFit.Split => examples.SelectMany(example => Pieces(example, limit)),
        SftFit.Wrapped => Pieces(Joined(examples), limit),
        _ => throw new ArgumentOutOfRangeException(nameof(fit), fit, null),
    };

    private static EncodedExample Joined(EncodedExample[] examples) =>
        new(examples.SelectMany(example => example.Ids.ToArray()).ToArray(), 0) { IsLearned = examples.SelectMany(example => example.IsLearned.ToArray()).ToArray() };

    /// <summary>The example cut every so many tokens; pieces in which nothing is learned are left out, since nothing predicts a first token.</summary>
    private static IEnumerable<EncodedExample> Pieces(EncodedExample example, int length)
    {
        for (int start = 0; start < example.Ids.Length; start += length)
        {
            var piece = start..Math.Min(start + length, example.Ids.Length);
            if (example.IsLearned[piece].Span[1..].Contains(true))
                yield return new EncodedExample(example.Ids[piece], Math.Max(0, example.PromptLength - start)) { IsLearned = example.IsLearned[piece] };
        }
    }
}
