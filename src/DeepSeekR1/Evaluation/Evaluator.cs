using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Evaluation;

/// <summary>Measures a policy: samples answers and judges them by the rule rewards, each by itself.</summary>
/// <param name="policy">The model to measure; stays the caller's.</param>
/// <param name="config">How it is measured.</param>
/// <param name="random">Draws of the samples.</param>
public sealed class Evaluator(PolicyModel policy, EvaluationConfig config, AddressedRandom random)
{
    private readonly IGroupReward _accuracy = RewardRegistry.Default.Create(config.Accuracy).Reward;
    private readonly IGroupReward _format = RewardRegistry.Default.Create(config.Format).Reward;
    private readonly IGroupReward _language = RewardRegistry.Default.Create(config.Language).Reward;

    /// <summary>Samples at the configured temperature; consensus votes are added where <paramref name="consensusSamples"/> is positive.</summary>
    /// <param name="prompts">What is asked, at least one prompt.</param>
    /// <param name="samples">Samples a prompt whose mean is pass@1.</param>
    /// <param name="consensusSamples">Samples a prompt that vote; 0: none.</param>
    /// <param name="step">Address of the draws.</param>
    /// <param name="forcedStart">Text that every answer is made to begin with; null: none.</param>
    /// <param name="maxNewTokens">Most tokens of an answer; 0: as configured.</param>
    /// <param name="progress">Told whenever answers end.</param>
    /// <param name="cancellationToken">Checked at every token.</param>
    /// <exception cref="R1Exception">A prompt does not fit the model's context.</exception>
    public Task<EvaluationResult> SampleAsync(
        IReadOnlyList<Prompt> prompts, int samples, int consensusSamples = 0, int step = 0, string? forcedStart = null, int maxNewTokens = 0,
        IProgress<RolloutProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var sampling = maxNewTokens > 0 ? config.Sampling with { MaxNewTokens = maxNewTokens } : config.Sampling;
        return MeasureAsync(prompts, sampling, samples, consensusSamples, step, forcedStart, progress, cancellationToken);
    }

    /// <summary>One greedy answer a prompt.</summary>
    public Task<EvaluationResult> GreedyAsync(IReadOnlyList<Prompt> prompts, IProgress<RolloutProgress>? progress = null, CancellationToken cancellationToken = default) =>
        MeasureAsync(prompts, config.Sampling with { Temperature = 0 }, samples: 1, consensusSamples: 0, step: 0, forcedStart: null, progress, cancellationToken);

    private async Task<EvaluationResult> MeasureAsync(
        IReadOnlyList<Prompt> prompts, SamplingConfig sampling, int samples, int consensusSamples, int step, string? forcedStart,
        IProgress<RolloutProgress>? progress, CancellationToken cancellationToken)
    {
        int[] prefix = forcedStart is null ? [] : policy.Tokenizer.Encode(forcedStart, parseSpecialTokens: true);
        EncodedPrompt[] encoded = [.. prompts.Select(policy.Encode)];
        var groups = policy.Engine(config.Limits).Generate(
            encoded, Math.Max(samples, consensusSamples), sampling, new RolloutAddress(random, step), prefix, progress, cancellationToken: cancellationToken);
        var judged = new List<JudgedGroup>(groups.Length);
        foreach (var group in groups) judged.Add(await JudgeAsync(group, cancellationToken));
        return Summarize(judged, samples, consensusSamples);
    }

    private async Task<JudgedGroup> JudgeAsync(RolloutGroup group, CancellationToken cancellationToken)
    {
        var prompt = group.Prompt.Prompt;
        Completion[] completions = [.. group.Rollouts.Select(rollout => rollout.Completion)];
        var accuracies = await _accuracy.ScoreGroupAsync(prompt, completions, cancellationToken);
        var formats = await _format.ScoreGroupAsync(prompt, completions, cancellationToken);
        var languages = await _language.ScoreGroupAsync(prompt, completions, cancellationToken);
        return new JudgedGroup([.. completions.Select((completion, i) =>
            new JudgedSample(completion, AnswerOf(completion), accuracies[i].Value, formats[i].Value ?? 0, languages[i].Value))]);
    }

    private string? AnswerOf(Completion completion) => (_accuracy as AccuracyReward)?.Extractor.Extract(completion)?.Text.Trim();

    private static EvaluationResult Summarize(IReadOnlyList<JudgedGroup> groups, int samples, int consensusSamples)
    {
        double[] passRates = [.. groups.Select(group => group.Samples.Take(samples).Average(sample => sample.Accuracy ?? 0))];
        JudgedSample[] counted = [.. groups.SelectMany(group => group.Samples.Take(samples))];
        double mean = passRates.Average();
        double variance = passRates.Length > 1 ? passRates.Sum(rate => (rate - mean) * (rate - mean)) / (passRates.Length - 1) : 0;
        double[] languages = [.. counted.Select(sample => sample.Language).OfType<double>()];
        return new EvaluationResult
        {
            Accuracy = mean,
            StandardError = Math.Sqrt(variance / passRates.Length),
            PassAtSamples = groups.Average(group => group.Samples.Take(samples).Any(sample => sample.Accuracy == 1) ? 1.0 : 0.0),
            Consensus = consensusSamples > 0 ? groups.Average(group => group.MajorityIsRight(consensusSamples) ? 1.0 : 0.0) : null,
            Format = counted.Average(sample => sample.Format),
            Language = languages.Length > 0 ? languages.Average() : null,
            Length = counted.Average(sample => (double)sample.Completion.TokenCount),
            Truncated = counted.Average(sample => sample.Completion.IsTruncated ? 1.0 : 0.0),
            Unjudged = counted.Count(sample => sample.Accuracy is null),
        };
    }

    private sealed record JudgedSample(Completion Completion, string? Answer, double? Accuracy, double Format, double? Language);

    private sealed record JudgedGroup(IReadOnlyList<JudgedSample> Samples)
    {
        /// <summary>Whether the answer that most samples give is right: the verdict on the first sample that gives it.</summary>
        public bool MajorityIsRight(int voters)
        {
            var votes = Samples.Take(voters).ToList();
            string? winner = MajorityVote.Winner([.. votes.Select(vote => vote.Answer)]);
            return winner is not null && votes.First(vote => vote.Answer == winner).Accuracy == 1;
        }
    }
}
