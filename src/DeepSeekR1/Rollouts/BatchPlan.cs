namespace DeepSeekR1.Rollouts;

/// <summary>A run of one prompt's samples that is decoded in one batch.</summary>
internal readonly record struct BatchSlice(int Prompt, int FirstSample, int Samples);

/// <summary>Cuts prompts × samples into batches within the limits. A group stays together where it fits into one batch.</summary>
internal static class BatchPlan
{
    /// <param name="lengths">Length of each prompt in tokens.</param>
    /// <param name="groupSize">Samples of each prompt.</param>
    /// <param name="newTokens">Tokens that a sequence may grow by.</param>
    /// <param name="cacheBytesPerToken">Bytes of cache per token and sequence.</param>
    /// <param name="limits">What a batch may hold.</param>
    public static List<List<BatchSlice>> Cut(IReadOnlyList<int> lengths, int groupSize, int newTokens, long cacheBytesPerToken, RolloutLimits limits)
    {
        List<List<BatchSlice>> batches = [];
        List<BatchSlice> batch = [];
        int sequences = 0, longest = 0;
        for (int prompt = 0; prompt < lengths.Count; prompt++)
        {
            for (int sample = 0; sample < groupSize;)
            {
                int length = Math.Max(longest, lengths[prompt]), wanted = groupSize - sample;
                int room = Capacity(length) - sequences;
                bool encodes = (batch.Count + 1L) * length <= limits.MaxPromptTokens;
                if (batch.Count > 0 && (room < Math.Min(wanted, Capacity(lengths[prompt])) || !encodes))
                {
                    batches.Add(batch);
                    (batch, sequences, longest) = ([], 0, 0);
                    continue;
                }
                int taken = Math.Min(wanted, room);
                batch.Add(new BatchSlice(prompt, sample, taken));
                (sequences, longest, sample) = (sequences + taken, length, sample + taken);
            }
        }
        if (batch.Count > 0) batches.Add(batch);
        return batches;

        int Capacity(int promptLength)
        {
            long bytes = Math.Max(1, cacheBytesPerToken) * (promptLength + (long)newTokens);
            return (int)Math.Clamp(limits.MaxCacheMebibytes * (1L << 20) / bytes, 1, limits.MaxSequences);
        }
    }
}
