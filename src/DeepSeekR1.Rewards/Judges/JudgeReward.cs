using Microsoft.Extensions.AI;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Pays what a language model thinks of a completion, from 0 (grade 1) to 1 (grade 10). Any <see cref="IChatClient"/> can be the judge.
/// What it judges is fenced off, its answer must be exactly one verdict, and where there is none after all attempts the reward fails
/// rather than guess.
/// </summary>
/// <example>
/// <code>
/// IChatClient client = new OpenAICompatibleClient(new Uri("http://localhost:11434/v1"), "qwen2.5:7b");
/// var rewards = WeightedRewards.Of((new AccuracyReward(), 1), (new JudgeReward(client, Rubric.Helpful), 0.3));
/// </code>
/// </example>
public sealed class JudgeReward : IReward
{
    private readonly JudgeDesk _desk;
    private readonly Rubric _rubric;

    /// <summary>A judge of single completions.</summary>
    /// <param name="client">The judge; stays the caller's.</param>
    /// <param name="rubric">What it looks for.</param>
    /// <param name="options">How it is asked.</param>
    public JudgeReward(IChatClient client, Rubric rubric, JudgeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(rubric);
        (_desk, _rubric) = (new JudgeDesk(client, options ?? new JudgeOptions()), rubric);
    }

    /// <inheritdoc/>
    public string Name => _rubric.Name;

    /// <summary>What it has cost so far.</summary>
    public JudgeUsage Usage => _desk.Usage;

    /// <inheritdoc/>
    /// <exception cref="JudgeException">There was no verdict in all attempts.</exception>
    public async ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (_rubric.Part == JudgedPart.Answer && string.IsNullOrWhiteSpace(JudgedPart.Answer.Of(completion))) return new RewardScore(0, "no answer");
        var verdict = await _desk.AskAsync(JudgeQuestion.Grade(_rubric, prompt, completion), JudgeQuestion.ReadGrade, cancellationToken).ConfigureAwait(false);
        return new RewardScore(verdict.Value, verdict.Reason) { Details = Verdict.Details(verdict.Cost, verdict.Seconds) };
    }
}

/// <summary>
/// Pays a completion the share of comparisons with others of its group that it wins, in the eyes of a language model. Each pair is shown in
/// both orders, so that a judge who prefers the first place prefers nobody.
/// </summary>
public sealed class PairwiseJudgeReward : IGroupReward
{
    private readonly JudgeDesk _desk;
    private readonly Rubric _rubric;
    private readonly int _opponents;

    /// <summary>A judge of pairs.</summary>
    /// <param name="client">The judge; stays the caller's.</param>
    /// <param name="rubric">What it looks for.</param>
    /// <param name="options">How it is asked.</param>
    /// <param name="opponents">How many others of the group each completion is compared with, those that follow it; a group of G has at most G - 1.</param>
    public PairwiseJudgeReward(IChatClient client, Rubric rubric, JudgeOptions? options = null, int opponents = 2)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(rubric);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(opponents);
        (_desk, _rubric, _opponents) = (new JudgeDesk(client, options ?? new JudgeOptions()), rubric, opponents);
    }

    /// <inheritdoc/>
    public string Name => _rubric.Name;

    /// <summary>What it has cost so far.</summary>
    public JudgeUsage Usage => _desk.Usage;

    /// <inheritdoc/>
    /// <exception cref="JudgeException">There was no verdict in all attempts.</exception>
    public async ValueTask<IReadOnlyList<RewardScore>> ScoreGroupAsync(Prompt prompt, IReadOnlyList<Completion> completions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(completions);
        var pairs = PairsOf(completions.Count);
        if (pairs.Count == 0) return [.. completions.Select(_ => RewardScore.Abstain("nothing to compare with"))];
        Verdict[] firstWins = await Task.WhenAll(pairs.Select(pair => CompareAsync(prompt, completions[pair.First], completions[pair.Second], cancellationToken))).ConfigureAwait(false);
        var games = pairs.Zip(firstWins).SelectMany(game => new[]
        {
            (Player: game.First.First, Won: game.Second.Value, game.Second.Cost, game.Second.Seconds),
            (Player: game.First.Second, Won: 1 - game.Second.Value, game.Second.Cost, game.Second.Seconds),
        }).ToLookup(game => game.Player);
        return [.. completions.Select((_, i) => new RewardScore(games[i].Average(game => game.Won), $"wins {games[i].Sum(game => game.Won):0.##} of {games[i].Count()}")
        {
            Details = Verdict.Details(games[i].Sum(game => game.Cost) / 2, games[i].Sum(game => game.Seconds) / 2), // Each game is two players'.
        })];
    }

    /// <summary>Each pair once, each completion against the next ones around the group.</summary>
    private List<(int First, int Second)> PairsOf(int count) =>
        [.. Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(1, Math.Min(_opponents, count - 1)).Select(step => (Low: Math.Min(i, (i + step) % count), High: Math.Max(i, (i + step) % count)))).Distinct()];

    /// <summary>1: the first wins in both orders; 0: the second does; 0.5: they are even, or the order decided.</summary>
    private async Task<Verdict> CompareAsync(Prompt prompt, Completion first, Completion second, CancellationToken cancellationToken)
    {
        if (_rubric.Part.Of(first) == _rubric.Part.Of(second)) return new Verdict(0.5, "the same", Cost: 0, Seconds: 0);
        var asked = _desk.AskAsync(JudgeQuestion.Compare(_rubric, prompt, first, second), JudgeQuestion.ReadComparison, cancellationToken);
        var turned = _desk.AskAsync(JudgeQuestion.Compare(_rubric, prompt, second, first), JudgeQuestion.ReadComparison, cancellationToken);
        var (one, other) = (await asked.ConfigureAwait(false), await turned.ConfigureAwait(false));
        return new Verdict((one.Value + 1 - other.Value) / 2, one.Reason, one.Cost + other.Cost, one.Seconds + other.Seconds);
    }
}
