namespace DeepSeekR1.Rewards;

/// <summary>Remembers the verdicts of another reward; bounded, first in first out.</summary>
internal sealed class CachedReward : IReward
{
    private readonly IReward _reward;
    private readonly int _capacity;
    private readonly Lock _gate = new();
    private readonly Dictionary<Key, RewardScore> _scores = [];
    private readonly Queue<Key> _oldestFirst = new();

    public CachedReward(IReward reward, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        (_reward, _capacity) = (reward, capacity);
    }

    public string Name => _reward.Name;

    public async ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        var key = new Key(prompt.Id, prompt.Text, prompt.Answer, completion.Text, completion.TokenCount, completion.IsTruncated);
        lock (_gate)
            if (_scores.TryGetValue(key, out var known)) return known;

        var score = await _reward.ScoreAsync(prompt, completion, cancellationToken).ConfigureAwait(false);
        if (score.Failure is null) Remember(key, score);
        return score;
    }

    private void Remember(Key key, RewardScore score)
    {
        lock (_gate)
        {
            if (!_scores.TryAdd(key, score)) return;
            _oldestFirst.Enqueue(key);
            if (_oldestFirst.Count > _capacity) _scores.Remove(_oldestFirst.Dequeue());
        }
    }

    private readonly record struct Key(string PromptId, string Prompt, string? Answer, string Completion, int TokenCount, bool IsTruncated);
}
