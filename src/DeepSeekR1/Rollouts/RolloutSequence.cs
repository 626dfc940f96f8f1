using System.Runtime.InteropServices;
using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Rollouts;

/// <summary>One completion while it grows.</summary>
internal sealed class RolloutSequence
{
    private readonly int _forcedLength;
    private readonly int _limit;
    private readonly List<int> _ids;
    private readonly List<float> _logProbs;

    /// <summary>A completion that begins with the forced prefix.</summary>
    /// <param name="prompt">What it answers.</param>
    /// <param name="sample">Its number within the group.</param>
    /// <param name="forcedPrefix">Ids it begins with.</param>
    /// <param name="limit">Most tokens, prefix and end token included.</param>
    public RolloutSequence(EncodedPrompt prompt, int sample, ReadOnlySpan<int> forcedPrefix, int limit)
    {
        (Prompt, Sample, _limit, _forcedLength) = (prompt, sample, limit, forcedPrefix.Length);
        _ids = [.. prompt.Ids.Span, .. forcedPrefix];
        _logProbs = [.. new float[forcedPrefix.Length]];
    }

    public EncodedPrompt Prompt { get; }

    public int Sample { get; }

    /// <summary>Tokens that were read before the first one was drawn: the prompt and the forced prefix.</summary>
    public int PromptLength => Prompt.Ids.Length + _forcedLength;

    /// <summary>Prompt and completion so far.</summary>
    public ReadOnlySpan<int> Context => CollectionsMarshal.AsSpan(_ids);

    public ReadOnlySpan<int> Completion => Context[Prompt.Ids.Length..];

    public int Length => _ids.Count - Prompt.Ids.Length;

    /// <summary>How many more tokens it may get.</summary>
    public int Remaining => _limit - Length;

    public bool HasStopped { get; private set; }

    public bool IsFinished => HasStopped || Remaining == 0;

    public void Append(SampledToken token, bool isStop)
    {
        _ids.Add(token.Id);
        _logProbs.Add(token.LogProb);
        HasStopped = isStop;
    }

    /// <summary>Forgets the tokens that were drawn; says how many.</summary>
    public int Restart()
    {
        int drawn = Length - _forcedLength;
        _ids.RemoveRange(PromptLength, drawn);
        _logProbs.RemoveRange(_forcedLength, drawn);
        HasStopped = false;
        return drawn;
    }

    public Rollout ToRollout(ITokenizer tokenizer, bool isGreedy)
    {
        int[] ids = Completion.ToArray();
        return new Rollout
        {
            PromptIds = Prompt.Ids,
            Ids = ids,
            ForcedLength = _forcedLength,
            LogProbs = isGreedy ? default(ReadOnlyMemory<float>) : _logProbs.ToArray(),
            Completion = new Completion
            {
                Text = tokenizer.Decode(ids, skipSpecialTokens: true),
                TokenIds = ids,
                TokenCount = ids.Length,
                IsTruncated = !HasStopped,
            },
        };
    }
}
