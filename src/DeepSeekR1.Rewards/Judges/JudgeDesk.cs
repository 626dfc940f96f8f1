using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace DeepSeekR1.Rewards;

/// <summary>Brings questions to a judge: bounded in number and rate, again after failures, from the cache where the same was asked before.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore never hands out a wait handle, so there is nothing to free.")]
internal sealed class JudgeDesk
{
    private readonly IChatClient _client;
    private readonly JudgeOptions _options;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _places;
    private readonly JudgeCache? _cache;
    private readonly Lock _gate = new();
    private DateTimeOffset _nextRequest;
    private JudgeUsage _usage = new(0, 0, 0, 0, 0, 0, 0);

    public JudgeDesk(IChatClient client, JudgeOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxConcurrency);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxAttempts);
        (_client, _options, _time) = (client, options, options.Time ?? TimeProvider.System);
        _places = new SemaphoreSlim(options.MaxConcurrency);
        _cache = options.CacheFolder is { } folder ? new JudgeCache(folder) : null;
        _nextRequest = _time.GetUtcNow();
    }

    public JudgeUsage Usage
    {
        get
        {
            lock (_gate) return _usage;
        }
    }

    /// <summary>Asks until the answer is a verdict.</summary>
    /// <exception cref="JudgeException">It never was.</exception>
    public async Task<Verdict> AskAsync(JudgeQuestion question, Func<string, (double Value, string Reason)?> read, CancellationToken cancellationToken)
    {
        string key = KeyOf(question);
        if (_cache?.Find(key) is { } known && read(known) is var (value, reason))
        {
            Count(usage => usage with { CacheHits = usage.CacheHits + 1 });
            return new Verdict(value, reason, Cost: 0, Seconds: 0);
        }
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await AskAgainAndAgainAsync(question, key, read, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<Verdict> AskAgainAndAgainAsync(JudgeQuestion question, string key, Func<string, (double Value, string Reason)?> read, CancellationToken cancellationToken)
    {
        var delay = _options.FirstDelay;
        decimal cost = 0;
        double seconds = 0;
        for (int attempt = 1; ; attempt++)
        {
            string answer = "";
            Exception? failure = null;
            try
            {
                (answer, var spent) = await RequestAsync(question, cancellationToken).ConfigureAwait(false);
                cost += spent.Cost;
                seconds += spent.Seconds;
                if (read(answer) is var (value, reason))
                {
                    _cache?.Keep(key, answer);
                    return new Verdict(value, reason, cost, seconds);
                }
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                failure = exception;
            }
            Count(usage => usage with { Retries = usage.Retries + 1 });
            if (attempt == _options.MaxAttempts)
                throw new JudgeException(failure is null
                    ? $"the judge gave no verdict in {attempt} attempts; its last answer began with: {answer[..Math.Min(80, answer.Length)]}"
                    : $"the judge could not be asked in {attempt} attempts: {failure.Message}", failure);
            await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
            delay *= 2;
        }
    }

    private async Task<(string Answer, (decimal Cost, double Seconds) Spent)> RequestAsync(JudgeQuestion question, CancellationToken cancellationToken)
    {
        await WaitForTurnAsync(cancellationToken).ConfigureAwait(false);
        long start = _time.GetTimestamp();
        var response = await _client.GetResponseAsync(
            [new ChatMessage(ChatRole.System, question.Instructions), new ChatMessage(ChatRole.User, question.Material)],
            new ChatOptions { Temperature = 0, MaxOutputTokens = _options.MaxReplyTokens, ResponseFormat = ChatResponseFormat.Json }, cancellationToken).ConfigureAwait(false);
        double seconds = _time.GetElapsedTime(start).TotalSeconds;
        long read = response.Usage?.InputTokenCount ?? 0, written = response.Usage?.OutputTokenCount ?? 0;
        decimal cost = (read * _options.InputPrice + written * _options.OutputPrice) / 1_000_000;
        Count(usage => usage with
        {
            Requests = usage.Requests + 1,
            InputTokens = usage.InputTokens + read,
            OutputTokens = usage.OutputTokens + written,
            Cost = usage.Cost + cost,
            Seconds = usage.Seconds + seconds,
        });
        return (response.Text.Trim(), (cost, seconds));
    }

    /// <summary>Requests are spaced evenly.</summary>
    private async Task WaitForTurnAsync(CancellationToken cancellationToken)
    {
        if (_options.RequestsPerMinute is not { } rate) return;
        TimeSpan wait;
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var turn = _nextRequest > now ? _nextRequest : now;
            wait = turn - now;
            _nextRequest = turn + TimeSpan.FromMinutes(1.0 / rate);
        }
        if (wait > TimeSpan.Zero) await Task.Delay(wait, _time, cancellationToken).ConfigureAwait(false);
    }

    private void Count(Func<JudgeUsage, JudgeUsage> change)
    {
        lock (_gate) _usage = change(_usage);
    }

    private string KeyOf(JudgeQuestion question)
    {
        string? model = _client.GetService<ChatClientMetadata>()?.DefaultModelId;
        return Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new[] { model, question.Instructions, question.Material })));
    }
}

/// <summary>What a judge said, and what it took to hear it: nothing where it was remembered.</summary>
internal readonly record struct Verdict(double Value, string Reason, decimal Cost, double Seconds)
{
    /// <summary>What <see cref="RewardStatistics.Spent"/> sums up.</summary>
    public static Dictionary<string, string> Details(decimal cost, double seconds) => new()
    {
        [RewardStatistics.Cost] = cost.ToString(CultureInfo.InvariantCulture),
        [RewardStatistics.Seconds] = seconds.ToString("R", CultureInfo.InvariantCulture),
    };
}
