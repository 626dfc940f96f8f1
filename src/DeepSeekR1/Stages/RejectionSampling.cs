using System.Text.Json.Nodes;
using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Stages;

/// <summary>A row of a data set that was made in a run: what was asked, what is to be learned, and where it comes from.</summary>
internal sealed record CuratedRow(IReadOnlyList<ChatMessage> Prompt, string Completion, JsonObject Source);

/// <summary>How many samples each filter dropped, in the order in which the filters stand.</summary>
internal sealed record CurationReport(int Sampled, IReadOnlyList<(string Filter, int Dropped)> Dropped, int Kept);

/// <summary>
/// Keeps the good samples of a model (DeepSeek-R1, section 2.3.3): whole, fully paid by every filter reward, no duplicates, and only some
/// of each prompt, the first that qualify.
/// </summary>
internal sealed class RejectionSampling
{
    private const double FullScore = 0.9999;

    private readonly CurationConfig _config;
    private readonly IReadOnlyList<IGroupReward> _filters;

    public RejectionSampling(CurationConfig config) => (_config, _filters) = (config, [.. config.Filters.Select(filter => RewardRegistry.Default.Create(filter).Reward)]);

    /// <summary>The rows that are kept, and what became of the others.</summary>
    public async Task<(IReadOnlyList<CuratedRow> Rows, CurationReport Report)> KeepAsync(IReadOnlyList<SampledPrompt> sampled, Func<Prompt, IReadOnlyList<ChatMessage>> ask, string model)
    {
        const string Truncated = "truncated", Duplicate = "duplicate", OverCap = "over the cap of a prompt";
        string[] reasons = [Truncated, .. _filters.Select(filter => filter.Name), Duplicate, OverCap];
        var dropped = reasons.ToDictionary(reason => reason, _ => 0);
        var rows = new List<CuratedRow>();
        foreach (var (prompt, completions) in sampled)
        {
            var failed = await FailedFiltersAsync(prompt, completions);
            var kept = new HashSet<string>();
            for (int i = 0; i < completions.Count; i++)
            {
                string? reason = completions[i].IsTruncated ? Truncated
                    : failed[i] is { } filter ? filter
                    : kept.Contains(completions[i].Text) ? Duplicate
                    : kept.Count == _config.KeptPerPrompt ? OverCap : null;
                if (reason is not null)
                {
                    dropped[reason]++;
                    continue;
                }
                kept.Add(completions[i].Text);
                rows.Add(new CuratedRow(ask(prompt), completions[i].Text, new JsonObject { ["kind"] = "rejection sampling", ["model"] = model, ["prompt_id"] = prompt.Id, ["sample"] = i }));
            }
        }
        return (rows, new CurationReport(sampled.Sum(group => group.Completions.Count), [.. reasons.Select(reason => (reason, dropped[reason]))], rows.Count));
    }

    /// <summary>[completion] the first filter that did not pay in full; an abstention is no payment.</summary>
    private async Task<string?[]> FailedFiltersAsync(Prompt prompt, IReadOnlyList<Completion> completions)
    {
        var failed = new string?[completions.Count];
        foreach (var filter in _filters)
        {
            var scores = await filter.ScoreGroupAsync(prompt, completions);
            for (int i = 0; i < failed.Length; i++)
                if (!(scores[i].Value >= FullScore)) failed[i] ??= filter.Name;
        }
        return failed;
    }
}
