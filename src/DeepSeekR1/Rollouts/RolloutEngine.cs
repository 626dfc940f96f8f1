using System.Runtime.InteropServices;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;

namespace DeepSeekR1.Rollouts;

/// <summary>
/// Samples completions: prompts × group size → groups of rollouts, in a batch of bounded memory which sequences leave when they end, and
/// which waiting prompts enter when there is room (continuous batching; Yu et al. 2022, "Orca"). A token depends on the model, the
/// ids before it and its address alone, not on what else is decoded beside it (up to rounding of the decoder's logits).
/// </summary>
/// <param name="decoder">Computes logits; stays the caller's to dispose.</param>
/// <param name="tokenizer">Decodes completions.</param>
/// <param name="stopIds">Tokens that end a completion.</param>
/// <param name="limits">How much is decoded at a time.</param>
/// <param name="threads">Threads that draw tokens where the vocabulary is large; 0 takes one a core.</param>
public sealed class RolloutEngine(
    IDecoder decoder, ITokenizer tokenizer, IReadOnlyCollection<int> stopIds, RolloutLimits? limits = null, int threads = 0)
{
    private readonly HashSet<int> _stopIds = [.. stopIds];
    private readonly RolloutLimits _limits = limits ?? new RolloutLimits();
    private readonly int _threads = threads > 0 ? threads : Environment.ProcessorCount;

    /// <summary>How much of the limits memory holds.</summary>
    internal RolloutMemory Memory { get; init; } = new(canHalve: false);

    /// <summary>Samples a group of completions for each prompt.</summary>
    /// <param name="prompts">What to complete.</param>
    /// <param name="groupSize">Completions a prompt, at least one.</param>
    /// <param name="sampling">How tokens are drawn.</param>
    /// <param name="address">Where the random draws live.</param>
    /// <param name="forcedPrefix">Ids that every completion begins with; part of it, but not drawn.</param>
    /// <param name="progress">Told whenever completions end.</param>
    /// <param name="onGroup">Handed each group as soon as its last completion has ended, on the calling thread.</param>
    /// <param name="onPhase">Told which part of the work ended just now, so that whoever has a clock can book its time.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    /// <returns>One group a prompt, in the order of the prompts.</returns>
    /// <exception cref="R1Exception">A prompt is empty or leaves no room in the model's context, the logits are not finite, or memory does not suffice; says what to lower.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public RolloutGroup[] Generate(
        IReadOnlyList<EncodedPrompt> prompts, int groupSize, SamplingConfig sampling, RolloutAddress address,
        ReadOnlyMemory<int> forcedPrefix = default, IProgress<RolloutProgress>? progress = null, Action<RolloutGroup>? onGroup = null,
        Action<RolloutPhase>? onPhase = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groupSize);
        var sequences = prompts.Select(prompt => Enumerable.Range(0, groupSize).Select(i => Begin(prompt, i, sampling, forcedPrefix)).ToArray()).ToArray();
        var drawing = new TokenDrawing(sampling, address, decoder.VocabularySize, _threads);
        var groups = new RolloutGroup?[prompts.Count];
        var state = new RolloutProgress(0, prompts.Count * groupSize, 0);
        while (Unfinished(sequences) is { Length: > 0 } unfinished)
        {
            var waiting = new WaitingPrompts(
                [.. unfinished.Select(group => group[0].PromptLength)], [.. unfinished.Select(group => group.Length)], LongestRemaining(unfinished.SelectMany(group => group)),
                decoder.CacheBytesPerToken, Memory.Within(_limits));
            try
            {
                while (!waiting.IsEmpty) SampleBatch(waiting, unfinished);
            }
            catch (Exception failure) when (OutOfMemory.IsCauseOf(failure))
            {
                Memory.Halve(waiting.Together, failure);
                // From the beginning, where copies share what is read; the same draws await them.
                int forgotten = unfinished.SelectMany(group => group).Where(sequence => !sequence.IsFinished).Sum(sequence => sequence.Restart());
                state = state with { Tokens = state.Tokens - forgotten };
            }
        }
        return groups!;

        void SampleBatch(WaitingPrompts waiting, RolloutSequence[][] unfinished)
        {
            var live = new List<RolloutSequence>();
            using var batch = Enter(null, live, waiting, unfinished);
            onPhase?.Invoke(RolloutPhase.Prefill);
            Complete(batch, live, drawing, () => Enter(batch, live, waiting, unfinished), onPhase, (finished, drawn) =>
            {
                state = state with { FinishedSequences = state.FinishedSequences + finished, Tokens = state.Tokens + drawn };
                if (finished == 0) return;
                progress?.Report(state);
                CloseGroups();
            }, cancellationToken);
        }

        void CloseGroups()
        {
            for (int i = 0; i < groups.Length; i++)
            {
                if (groups[i] is not null || !sequences[i].All(sequence => sequence.IsFinished)) continue;
                groups[i] = new RolloutGroup(prompts[i], [.. sequences[i].Select(sequence => sequence.ToRollout(tokenizer, sampling.IsGreedy))]);
                onGroup?.Invoke(groups[i]!);
            }
        }
    }

    /// <summary>Samples one completion and hands out its text as it grows.</summary>
    /// <param name="prompt">What to complete.</param>
    /// <param name="sampling">How tokens are drawn.</param>
    /// <param name="address">Where the random draws live; the completion is sample 0 of its prompt.</param>
    /// <param name="onText">Called with each new piece of text, whole characters only.</param>
    /// <param name="forcedPrefix">Ids the completion begins with.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    /// <inheritdoc cref="Generate" path="/exception"/>
    public Rollout Stream(
        EncodedPrompt prompt, SamplingConfig sampling, RolloutAddress address, Action<string> onText,
        ReadOnlyMemory<int> forcedPrefix = default, CancellationToken cancellationToken = default)
    {
        var sequence = Begin(prompt, 0, sampling, forcedPrefix);
        var stream = new TextStream(tokenizer);
        foreach (int id in forcedPrefix.Span) Emit(stream.Append(id));
        var drawing = new TokenDrawing(sampling, address, decoder.VocabularySize, threads: 1);
        try
        {
            using var batch = decoder.Start([sequence.Context.ToArray()], [1], LongestRemaining([sequence]));
            Complete(batch, [sequence], drawing, () => { }, onPhase: null, (_, _) => Emit(stream.Append(sequence.Completion[^1])), cancellationToken);
        }
        catch (Exception failure) when (OutOfMemory.IsCauseOf(failure))
        {
            throw RolloutMemory.Advice(sequences: 1, failure);
        }
        Emit(stream.Finish());
        return sequence.ToRollout(tokenizer, sampling.IsGreedy);

        void Emit(string text)
        {
            if (text.Length > 0) onText(text);
        }
    }

    /// <summary>Lets waiting prompts enter the open batch, or the one that this starts; returns it.</summary>
    private IDecodeBatch Enter(IDecodeBatch? open, List<RolloutSequence> live, WaitingPrompts waiting, RolloutSequence[][] groups)
    {
        if (open is { CanJoin: false }) return open;
        var slices = waiting.Take(live.Count, live.Count == 0 ? 0 : live.Max(sequence => sequence.PromptLength));
        if (open is not null && slices.Count == 0) return open;
        ReadOnlyMemory<int>[] prompts = [.. slices.Select(slice => groups[slice.Prompt][slice.FirstSample].Context.ToArray())];
        int[] copies = [.. slices.Select(slice => slice.Samples)];
        RolloutSequence[] entering = [.. slices.SelectMany(slice => groups[slice.Prompt].Skip(slice.FirstSample).Take(slice.Samples))];
        live.AddRange(entering);
        if (open is null) return decoder.Start(prompts, copies, LongestRemaining(entering));
        open.Join(prompts, copies, LongestRemaining(entering));
        return open;
    }

    /// <summary>Draws and appends tokens until every sequence has ended.</summary>
    private void Complete(
        IDecodeBatch batch, List<RolloutSequence> live, TokenDrawing drawing, Action enter, Action<RolloutPhase>? onPhase, Action<int, int> onStep, CancellationToken cancellationToken)
    {
        List<int> keep = new(live.Count), tokens = new(live.Count);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            drawing.Draw(batch, CollectionsMarshal.AsSpan(live));
            keep.Clear();
            tokens.Clear();
            int drawn = live.Count;
            for (int i = 0; i < drawn; i++)
            {
                var (sequence, token) = (live[i], drawing.Tokens[i]);
                sequence.Append(token, _stopIds.Contains(token.Id));
                if (sequence.IsFinished) continue;
                live[keep.Count] = sequence;
                keep.Add(i);
                tokens.Add(token.Id);
            }
            live.RemoveRange(keep.Count, drawn - keep.Count);
            onStep(drawn - keep.Count, drawn);
            onPhase?.Invoke(RolloutPhase.Sampling);
            if (live.Count == 0) return;
            batch.Advance(CollectionsMarshal.AsSpan(keep), CollectionsMarshal.AsSpan(tokens));
            onPhase?.Invoke(RolloutPhase.Decode);
            enter();
            onPhase?.Invoke(RolloutPhase.Prefill);
        }
    }

    /// <summary>[prompt][sample] without those that have ended and prompts that have no other.</summary>
    private static RolloutSequence[][] Unfinished(RolloutSequence[][] groups) =>
        [.. groups.Select(group => group.Where(sequence => !sequence.IsFinished).ToArray()).Where(group => group.Length > 0)];

    private static int LongestRemaining(IEnumerable<RolloutSequence> sequences) => sequences.Max(sequence => sequence.Remaining);

    private RolloutSequence Begin(EncodedPrompt prompt, int sample, SamplingConfig sampling, ReadOnlyMemory<int> forcedPrefix)
    {
        int length = prompt.Ids.Length, room = decoder.ContextLength - length - forcedPrefix.Length;
        if (length + forcedPrefix.Length == 0)
            throw new R1Exception($"Prompt '{prompt.Prompt.Id}' has no tokens; the model needs at least one to go on from.");
        if (room < 1)
            throw new R1Exception(
                $"Prompt '{prompt.Prompt.Id}' is {length + forcedPrefix.Length} tokens long, which leaves no room for a completion in the model's context of " +
                $"{decoder.ContextLength}. Leave it out, or shorten it.");
        if (sampling.MaxNewTokens <= forcedPrefix.Length)
            throw new R1Exception($"maxNewTokens is {sampling.MaxNewTokens}, which the {forcedPrefix.Length} tokens that every completion must begin with use up.");
        return new RolloutSequence(prompt, sample, forcedPrefix.Span, Math.Min(sampling.MaxNewTokens, forcedPrefix.Length + room));
    }
}

/// <summary>A part of the work of rollouts.</summary>
public enum RolloutPhase
{
    /// <summary>Prompts are read.</summary>
    Prefill,
    /// <summary>Tokens are drawn from logits, and completions that end become text.</summary>
    Sampling,
    /// <summary>Drawn tokens go through the model.</summary>
    Decode,
}
