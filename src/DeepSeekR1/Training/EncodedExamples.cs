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

    /// <summary>Counted examples; those longer than the limit are left out.</summary>
    /// <exception cref="R1Exception">None fits.</exception>
    public static EncodedExamples Of(IReadOnlyList<SftExample> examples, SftEncoder encoder, int limit)
    {
        EncodedExample[] encoded = [.. examples.Select(encoder.Encode).OfType<EncodedExample>()];
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
}
