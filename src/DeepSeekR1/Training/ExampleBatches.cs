using DeepSeekR1.Runtime;

namespace DeepSeekR1.Training;

/// <summary>
/// Cuts examples into the batches of the steps, the same way for a seed whenever it is asked: either a fixed number of examples in
/// random order, or examples of like length up to a number of tokens (padding included), batches in random order.
/// </summary>
/// <param name="config">Sizes.</param>
/// <param name="order">Draws of the order.</param>
/// <param name="count">Examples of one epoch; null: an endless stream, taken in its own order.</param>
/// <param name="lengthOf">Tokens of an example; not more than <see cref="SftConfig.MaxLength"/>.</param>
internal sealed class ExampleBatches(SftConfig config, AddressedRandom order, int? count, Func<int, int> lengthOf)
{
    /// <summary>Indices of the examples of step 1, 2, 3, …, without end.</summary>
    public IEnumerable<int[]> Steps() => config.BatchTokens > 0 ? ByTokens() : ByCount();

    /// <summary>Steps that the configuration asks for.</summary>
    /// <exception cref="R1Exception">The stream is endless and no number of steps is set.</exception>
    public int TotalSteps()
    {
        if (config.Steps > 0) return config.Steps;
        if (count is null) throw new R1Exception("sft.steps must be set: the examples are an endless stream");
        return EpochBatches().Take(config.Epochs).Sum(epoch => epoch.Count);
    }

    private IEnumerable<int[]> ByCount() => EpochBatches().SelectMany(epoch => epoch);

    private IEnumerable<int[]> ByTokens() => count is null ? Buckets().SelectMany(CutBucket) : EpochBatches().SelectMany(epoch => epoch);

    private IEnumerable<IReadOnlyList<int[]>> EpochBatches()
    {
        int examples = count ?? throw new InvalidOperationException("an endless stream has no epochs");
        for (int epoch = 0; ; epoch++)
        {
            int[] shuffled = order.Permutation(examples, epoch);
            yield return config.BatchTokens == 0 ? [.. shuffled.Chunk(config.BatchSize)]
                : [.. shuffled.Chunk(config.BucketSize).SelectMany((bucket, i) => CutBucket(bucket, epoch * 100_003 + i))];
        }
    }

    private IEnumerable<int[]> Buckets()
    {
        for (int first = 0; ; first += config.BucketSize) yield return [.. Enumerable.Range(first, config.BucketSize)];
    }

    private List<int[]> CutBucket(int[] bucket, int address)
    {
        var batches = new List<int[]>();
        var current = new List<int>();
        foreach (int example in bucket.OrderBy(lengthOf).ThenBy(i => i))
        {
            // Ascending, so this example's length is the padded length of the batch it would join.
            if (current.Count > 0 && (current.Count + 1) * lengthOf(example) > config.BatchTokens)
            {
                batches.Add([.. current]);
                current.Clear();
            }
            current.Add(example);
        }
        batches.Add([.. current]);
        int[] shuffled = order.Permutation(batches.Count, address);
        return [.. shuffled.Select(i => batches[i])];
    }
}
