using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Tests.Rollouts;

public sealed class RolloutEngineTests
{
    private const int Vocabulary = 257;

    private static readonly SamplingConfig _sampling = new() { MaxNewTokens = 12 };
    private static readonly RolloutAddress _address = new(new AddressedRandom(42, RandomPurpose.Rollout), Step: 3);
    private static readonly int[] _stopIds = [BytesTokenizer.EndId, .. Enumerable.Range(0, 20)];

    [Fact]
    public void Every_token_is_the_one_its_address_names()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        var sampler = new Sampler(_sampling, Vocabulary);
        foreach (var group in Engine(decoder).Generate(Prompts(3), 4, _sampling, _address))
        {
            Assert.Equal(4, group.Rollouts.Count);
            for (int sample = 0; sample < 4; sample++)
            {
                var rollout = group.Rollouts[sample];
                List<int> ids = [.. group.Prompt.Ids.Span];
                for (int position = 0; position < rollout.Ids.Length; position++)
                {
                    double uniform = _address.Random.Uniform(_address.Step, group.Prompt.Index, sample, position);
                    var token = sampler.Sample(decoder.LogitsAfter(ids), [], uniform);
                    Assert.Equal(token, new SampledToken(rollout.Ids.Span[position], rollout.LogProbs.Span[position]));
                    ids.Add(token.Id);
                }
            }
        }
    }

    [Fact]
    public void A_completion_ends_at_a_stop_token_or_at_the_limit()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        var rollouts = Engine(decoder).Generate(Prompts(8), 8, _sampling, _address).SelectMany(group => group.Rollouts).ToArray();
        foreach (var rollout in rollouts)
        {
            int[] ids = rollout.Ids.ToArray();
            Assert.DoesNotContain(ids[..^1], id => _stopIds.Contains(id));
            Assert.Equal(!_stopIds.Contains(ids[^1]), rollout.Completion.IsTruncated);
            Assert.True(!rollout.Completion.IsTruncated || ids.Length == _sampling.MaxNewTokens);
            Assert.Equal(ids.Length, rollout.Completion.TokenCount);
            Assert.Equal(ids, rollout.Completion.TokenIds.ToArray());
            Assert.Equal(new BytesTokenizer().Decode(ids, skipSpecialTokens: true), rollout.Completion.Text);
        }
        Assert.Contains(rollouts, rollout => rollout.Completion.IsTruncated);
        Assert.Contains(rollouts, rollout => !rollout.Completion.IsTruncated);
        // Finished sequences leave at once, and nobody computes what follows a last token.
        Assert.Equal(rollouts.Sum(rollout => rollout.Ids.Length - 1), decoder.TokensDecoded);
    }

    [Fact]
    public void Batch_composition_changes_no_token()
    {
        using var decoder = new FakeDecoder(Vocabulary) { CacheBytesPerToken = 1 << 14 };
        var prompts = Prompts(7);
        string expected = Describe(Engine(decoder).Generate(prompts, 6, _sampling, _address));
        foreach (var limits in new RolloutLimits[] { new() { MaxSequences = 1 }, new() { MaxSequences = 4 }, new() { MaxSequences = 13 }, new() { MaxPromptTokens = 9 }, new() { MaxCacheMebibytes = 3 } })
            Assert.Equal(expected, Describe(Engine(decoder, limits).Generate(prompts, 6, _sampling, _address)));
        var alone = prompts.Reverse().Select(prompt => Engine(decoder).Generate([prompt], 6, _sampling, _address).Single()).Reverse();
        Assert.Equal(expected, Describe(alone));
        Assert.NotEqual(expected, Describe(Engine(decoder).Generate(prompts, 6, _sampling, _address with { Step = 4 })));
    }

    [Fact]
    public void Batches_stay_within_the_limits_and_keep_groups_together()
    {
        using var decoder = new FakeDecoder(Vocabulary) { CanJoin = false };
        Engine(decoder, new RolloutLimits { MaxSequences = 10 }).Generate(Prompts(5), 4, _sampling, _address);
        Assert.Equal([8, 8, 4], decoder.BatchSizes);
        decoder.BatchSizes.Clear();
        Engine(decoder, new RolloutLimits { MaxSequences = 3 }).Generate(Prompts(2), 4, _sampling, _address);
        Assert.Equal([3, 1, 3, 1], decoder.BatchSizes);
    }

    [Theory, InlineData(1, 4), InlineData(3, 7), InlineData(4, 3)]
    public void Waiting_prompts_enter_when_others_have_ended(int groupSize, int places)
    {
        using FakeDecoder open = new(Vocabulary), closed = new(Vocabulary) { CanJoin = false };
        var limits = new RolloutLimits { MaxSequences = places };
        var prompts = Prompts(40);
        var groups = Engine(open, limits).Generate(prompts, groupSize, _sampling, _address);
        Assert.Equal(Describe(Engine(closed, limits).Generate(prompts, groupSize, _sampling, _address)), Describe(groups));

        int[] lengths = [.. groups.SelectMany(group => group.Rollouts).Select(rollout => rollout.Ids.Length)];
        Assert.Equal(lengths.Sum(length => length - 1), open.TokensDecoded);
        Assert.InRange(open.MostLive, 1, places);
        Assert.True(open.Steps < closed.Steps);
        // Graham's bound: places that never wait for one another, but for the prompts' whole groups, are idle only at the end.
        if (groupSize == 1) Assert.InRange(open.Steps, 0, (lengths.Sum() / places) + lengths.Max());
    }

    [Fact]
    public void Memory_bounds_the_batch()
    {
        using var decoder = new FakeDecoder(Vocabulary) { CacheBytesPerToken = 1 << 20 };
        var prompts = Prompts(4);
        int longest = prompts.Max(prompt => prompt.Ids.Length) + _sampling.MaxNewTokens;
        Engine(decoder, new RolloutLimits { MaxCacheMebibytes = 2 * longest }).Generate(prompts, 2, _sampling, _address);
        Assert.All(decoder.BatchSizes, size => Assert.Equal(2, size));
        Assert.Equal(2, decoder.MostLive);
    }

    [Theory]
    [InlineData(450, true)]
    [InlineData(200, true)]
    [InlineData(200, false)]
    [InlineData(20, false)]
    public void A_gpu_whose_memory_runs_out_goes_on_with_fewer_sequences_and_the_same_draws(int mostTokens, bool canJoin)
    {
        using FakeDecoder large = new(Vocabulary), small = new(Vocabulary) { MostTokens = mostTokens, CanJoin = canJoin };
        var prompts = Prompts(12);
        var (expected, handed, reports) = (Engine(large).Generate(prompts, 6, _sampling, _address, new[] { 60 }), new List<RolloutGroup>(), new List<RolloutProgress>());
        var memory = new RolloutMemory(canHalve: true);
        RolloutGroup[] Sample() => new RolloutEngine(small, new BytesTokenizer(), _stopIds) { Memory = memory }
            .Generate(prompts, 6, _sampling, _address, new[] { 60 }, new Recorder(reports.Add), handed.Add);

        Assert.Equal(Describe(expected), Describe(Sample()));
        Assert.InRange(memory.Halvings, 1, 7);
        // Each group is handed out once.
        Assert.Equal(prompts, handed.Select(group => group.Prompt).OrderBy(prompt => prompt.Index));
        var rollouts = expected.SelectMany(group => group.Rollouts).ToList();
        Assert.Equal((rollouts.Count, (long)rollouts.Sum(rollout => rollout.Ids.Length - 1)), (reports[^1].FinishedSequences, reports[^1].Tokens));
        // What was learned about memory stays.
        int before = memory.Halvings;
        Assert.Equal(Describe(expected), Describe(Sample()));
        Assert.Equal(before, memory.Halvings);
    }

    [Fact]
    public void Where_fewer_sequences_do_not_help_the_message_says_what_to_lower()
    {
        using var tight = new FakeDecoder(Vocabulary) { MostTokens = 100 };
        var failure = Assert.Throws<R1Exception>(() => Engine(tight).Generate(Prompts(5), 8, _sampling, _address));
        Assert.StartsWith("Memory ran out while 40 sequences were sampled together. Lower limits.maxSequences, limits.maxCacheMebibytes or sampling.maxNewTokens.", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("goes on with --resume.", failure.Message, StringComparison.Ordinal);

        tight.MostTokens = 1;
        var memory = new RolloutMemory(canHalve: true);
        failure = Assert.Throws<R1Exception>(() => new RolloutEngine(tight, new BytesTokenizer(), _stopIds) { Memory = memory }.Generate(Prompts(5), 8, _sampling, _address));
        Assert.StartsWith("Memory ran out while one sequence was sampled. Lower sampling.maxNewTokens or shorten the prompt.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(5, memory.Halvings);
        Assert.StartsWith("Memory ran out while one sequence", Assert.Throws<R1Exception>(() => Engine(tight).Stream(Prompts(1)[0], _sampling, _address, _ => { })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forced_prefix_is_part_of_the_completion_but_not_drawn()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        int[] prefix = [60, 62];
        var prompt = Prompts(1)[0];
        var rollout = Engine(decoder).Generate([prompt], 1, _sampling, _address, prefix).Single().Rollouts.Single();
        Assert.Equal(prefix, rollout.Ids[..2].ToArray());
        Assert.Equal(2, rollout.ForcedLength);
        Assert.Equal([0, 0], rollout.LogProbs[..2].ToArray());
        Assert.StartsWith("<>", rollout.Completion.Text);
        Assert.Equal(rollout.Ids.Length, rollout.LogProbs.Length);
        double uniform = _address.Random.Uniform(_address.Step, prompt.Index, 0, 2);
        var third = new Sampler(_sampling, Vocabulary).Sample(decoder.LogitsAfter([.. prompt.Ids.Span, .. prefix]), [], uniform);
        Assert.Equal(third, new SampledToken(rollout.Ids.Span[2], rollout.LogProbs.Span[2]));
    }

    [Fact]
    public void Greedy_completions_have_no_log_probabilities()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        var group = Engine(decoder).Generate(Prompts(1), 2, _sampling with { Temperature = 0 }, _address).Single();
        Assert.All(group.Rollouts, rollout => Assert.True(rollout.LogProbs.IsEmpty));
        Assert.Equal(group.Rollouts[0].Ids.ToArray(), group.Rollouts[1].Ids.ToArray());
    }

    [Fact]
    public void The_repetition_penalty_sees_prompt_and_completion()
    {
        var sampling = _sampling with { Temperature = 0, RepetitionPenalty = 100 };
        var prompt = new EncodedPrompt(new Prompt { Id = "p", Text = "" }, Enumerable.Range(0, Vocabulary - 20).ToArray(), 0);
        using var wide = new FakeDecoder(Vocabulary, contextLength: 300);
        int[] ids = new RolloutEngine(wide, new BytesTokenizer(), [], null).Generate([prompt], 1, sampling, _address)[0].Rollouts[0].Ids.ToArray();
        Assert.All(ids, id => Assert.True(id >= Vocabulary - 20));
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void A_prompt_that_fills_the_context_is_named()
    {
        using var decoder = new FakeDecoder(Vocabulary, contextLength: 10);
        EncodedPrompt Long(int length) => new(new Prompt { Id = "svamp.jsonl:17", Text = "" }, new int[length], 0);
        var failure = Assert.Throws<R1Exception>(() => Engine(decoder).Generate([.. Prompts(1), Long(10)], 2, _sampling, _address));
        Assert.Contains("svamp.jsonl:17", failure.Message);
        Assert.Contains("10", failure.Message);
        Assert.Empty(decoder.BatchSizes);
        // With room for three, the context cuts the completion.
        var rollout = new RolloutEngine(decoder, new BytesTokenizer(), []).Generate([Long(7)], 1, _sampling, _address)[0].Rollouts[0];
        Assert.Equal(3, rollout.Ids.Length);
        Assert.True(rollout.Completion.IsTruncated);
        Assert.Contains("no tokens", Assert.Throws<R1Exception>(() => Engine(decoder).Generate([Long(0)], 1, _sampling, _address)).Message);
        Assert.Contains("maxNewTokens", Assert.Throws<R1Exception>(() => Engine(decoder).Generate([Long(1)], 1, _sampling with { MaxNewTokens = 2 }, _address, new[] { 1, 2 })).Message);
    }

    [Fact]
    public void Streaming_hands_out_the_same_completion_in_whole_characters()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        foreach (var prompt in Prompts(6))
        {
            List<string> pieces = [];
            int[] prefix = [.. new BytesTokenizer().Encode("中é")];
            var sampling = _sampling with { MaxNewTokens = 20 };
            var streamed = Engine(decoder).Stream(prompt, sampling, _address, pieces.Add, prefix);
            var generated = Engine(decoder).Generate([prompt], 1, sampling, _address, prefix).Single().Rollouts.Single();
            Assert.Equal(generated.Ids.ToArray(), streamed.Ids.ToArray());
            Assert.Equal("中", pieces[0]);
            Assert.Equal("é", pieces[1]);
        }
    }

    [Fact]
    public void Streamed_pieces_join_to_the_text()
    {
        var tokenizer = new BytesTokenizer();
        foreach (string text in new[] { "plain", "x中文é🙂y", "" })
        {
            var stream = new TextStream(tokenizer);
            List<string> pieces = [.. tokenizer.Encode(text).Append(BytesTokenizer.EndId).Select(stream.Append), stream.Finish()];
            Assert.Equal(text, string.Concat(pieces));
            Assert.DoesNotContain(pieces, piece => piece.Contains('\uFFFD'));
        }
        var broken = new TextStream(tokenizer);
        Assert.Equal("", broken.Append(0xE4));
        Assert.Equal("\uFFFD", broken.Finish());
    }

    [Fact]
    public void Cancellation_stops_between_tokens_and_progress_counts()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        List<RolloutProgress> reports = [];
        Engine(decoder).Generate(Prompts(3), 2, _sampling, _address, progress: new Recorder(reports.Add));
        Assert.Equal(6, reports[^1].FinishedSequences);
        Assert.Equal(6, reports[^1].TotalSequences);
        Assert.Equal(decoder.TokensDecoded + 6, reports[^1].Tokens);
        using var source = new CancellationTokenSource();
        var cancelling = new Recorder(_ => source.Cancel());
        Assert.Throws<OperationCanceledException>(() => Engine(decoder).Generate(Prompts(3), 2, _sampling, _address, progress: cancelling, cancellationToken: source.Token));
    }

    [Fact]
    public void Phases_are_told_in_the_order_of_the_work()
    {
        using var decoder = new FakeDecoder(Vocabulary);
        var phases = new List<RolloutPhase>();
        var group = Assert.Single(Engine(decoder).Generate(Prompts(1), 2, _sampling, _address, onPhase: phases.Add));
        int steps = group.Rollouts.Max(rollout => rollout.Ids.Length);
        RolloutPhase[] oneStep = [RolloutPhase.Sampling, RolloutPhase.Decode, RolloutPhase.Prefill];
        // After the last token nothing is decoded.
        Assert.Equal([RolloutPhase.Prefill, .. Enumerable.Repeat(oneStep, steps - 1).SelectMany(step => step), RolloutPhase.Sampling], phases);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Threads_change_nothing(int threads)
    {
        using var decoder = new FakeDecoder(40_000);
        var sampling = _sampling with { MaxNewTokens = 3, TopP = 0.95 };
        string one = Describe(new RolloutEngine(decoder, new BytesTokenizer(), [], threads: 1).Generate(Prompts(2), 5, sampling, _address));
        Assert.Equal(one, Describe(new RolloutEngine(decoder, new BytesTokenizer(), [], threads: threads).Generate(Prompts(2), 5, sampling, _address)));
    }

    internal static string Describe(IEnumerable<RolloutGroup> groups) => string.Join('\n', groups.SelectMany(group => group.Rollouts.Select(rollout =>
        $"{group.Prompt.Prompt.Id}: {string.Join(' ', rollout.Ids.ToArray())} | {string.Join(' ', rollout.LogProbs.ToArray())}")));

    private static RolloutEngine Engine(IDecoder decoder, RolloutLimits? limits = null) => new(decoder, new BytesTokenizer(), _stopIds, limits);

    private static EncodedPrompt[] Prompts(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new EncodedPrompt(
            new Prompt { Id = $"p{i}", Text = "" }, Enumerable.Range(30, 2 + (i * 3 % 5)).Select(id => id + i).ToArray(), 100 + i))];

    private sealed class Recorder(Action<RolloutProgress> onReport) : IProgress<RolloutProgress>
    {
        public void Report(RolloutProgress value) => onReport(value);
    }
}
