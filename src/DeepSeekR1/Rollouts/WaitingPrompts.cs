namespace DeepSeekR1.Rollouts;

/// <summary>A run of one prompt's samples that begins together.</summary>
internal readonly record struct BatchSlice(int Prompt, int FirstSample, int Samples);

/// <summary>Prompts × samples that are not decoded yet, in order. A group stays together where it fits into one batch.</summary>
/// <param name="lengths">Length of each prompt in tokens.</param>
/// <param name="samples">Samples of each prompt, at least one.</param>
/// <param name="newTokens">Tokens that a sequence may grow by.</param>
/// <param name="cacheBytesPerToken">Bytes of cache per token and sequence.</param>
/// <param name="limits">What a batch may hold.</param>
internal sealed class WaitingPrompts(IReadOnlyList<int> lengths, IReadOnlyList<int> samples, int newTokens, long cacheBytesPerToken, RolloutLimits limits)
{
    private int _prompt, _sample;

    public bool IsEmpty => _prompt == lengths.Count;

    /// <summary>Sequences that have lived together since the last time that none did.</summary>
    public int Together { get; private set; }

    /// <summary>Takes those that fit beside the sequences that live; at least one where none does.</summary>
    /// <param name="live">Sequences that live.</param>
    /// <param name="longest">The longest of their prompts.</param>
    public List<BatchSlice> Take(int live, int longest)
    {
        if (live == 0) Together = 0;
        var taken = new List<BatchSlice>();
        while (!IsEmpty)
        {
            int length = Math.Max(longest, lengths[_prompt]), wanted = samples[_prompt] - _sample;
            int room = Capacity(length) - live;
            bool encodes = (taken.Count + 1L) * length <= limits.MaxPromptTokens;
            if (live > 0 && (room < Math.Min(wanted, Capacity(lengths[_prompt])) || !encodes)) break;
            var slice = new BatchSlice(_prompt, _sample, Math.Min(wanted, room));
            taken.Add(slice);
            (live, longest) = (live + slice.Samples, length);
            (_prompt, _sample) = slice.Samples == wanted ? (_prompt + 1, 0) : (_prompt, _sample + slice.Samples);
        }
        Together = Math.Max(Together, live);
        return taken;
    }

    private int Capacity(int promptLength)
    {
        long bytes = Math.Max(1, cacheBytesPerToken) * (promptLength + (long)newTokens);
        return (int)Math.Clamp(limits.MaxCacheMebibytes * (1L << 20) / bytes, 1, limits.MaxSequences);
    }
}
