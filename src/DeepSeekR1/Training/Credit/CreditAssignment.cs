using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Training;

/// <summary>Scored rollouts with their credit, cut into optimizer steps.</summary>
/// <param name="Advantages">[completion] in the order of groups and rollouts; 0 where the score is null.</param>
/// <param name="Steps">[optimizer step][sample]; each step's weights are those of the whole step.</param>
public sealed record CreditedBatch(IReadOnlyList<double> Advantages, IReadOnlyList<IReadOnlyList<TrainingSample>> Steps);

/// <summary>Scores, lengths and masks → the weight of each token, before the first gradient is computed.</summary>
/// <param name="config">How advantages and weights are formed.</param>
/// <param name="maxCompletionTokens">The longest completion allowed; read by Dr. GRPO.</param>
/// <param name="rewardWeights">[reward] read where rewards are normalised before they are added; null: all one.</param>
public sealed class CreditAssignment(GrpoLossConfig config, int maxCompletionTokens, IReadOnlyList<double>? rewardWeights = null)
{
    /// <summary>Assigns credit to all rollouts.</summary>
    /// <param name="groups">Scored groups, of equal size or not.</param>
    /// <param name="optimizerSteps">Into how many steps the batch is cut (R1: 16).</param>
    /// <param name="order">[completion] a permutation that decides which completions form a step; null: as they stand.</param>
    /// <exception cref="ArgumentException">There are fewer completions than steps, or the order is not one of them.</exception>
    public CreditedBatch Assign(IReadOnlyList<ScoredGroup> groups, int optimizerSteps = 1, IReadOnlyList<int>? order = null)
    {
        Rollout[] rollouts = [.. groups.SelectMany(group => group.Group.Rollouts)];
        if (optimizerSteps < 1 || optimizerSteps > Math.Max(1, rollouts.Length))
            throw new ArgumentException($"{rollouts.Length} completions cannot be cut into {optimizerSteps} optimizer steps.", nameof(optimizerSteps));
        if (order is not null && !order.Order().SequenceEqual(Enumerable.Range(0, rollouts.Length)))
            throw new ArgumentException($"The order is no permutation of {rollouts.Length} completions.", nameof(order));
        double[] advantages = Advantages.Of([.. groups.Select(group => group.Scores)], config, rewardWeights);
        bool[][] isLive = [.. rollouts.Select(LiveTokens)];
        int[] live = [.. isLive.Select(tokens => tokens.Count(isToken => isToken))];
        double tokensPerStep = Math.Max(1, live.Sum()) / (double)optimizerSteps;

        var steps = new List<IReadOnlyList<TrainingSample>>();
        for (int step = 0; step < optimizerSteps; step++)
        {
            int begin = (int)((long)rollouts.Length * step / optimizerSteps), end = (int)((long)rollouts.Length * (step + 1) / optimizerSteps);
            int[] members = [.. Enumerable.Range(begin, end - begin).Select(place => order is null ? place : order[place])];
            double[] weights = LossWeights.PerToken(config.Normalization, [.. members.Select(i => live[i])], maxCompletionTokens, tokensPerStep);
            steps.Add([.. members.Select((i, place) => Sample(rollouts[i], isLive[i], weights[place], advantages[i]))]);
        }
        return new CreditedBatch(advantages, steps);
    }

    /// <summary>[completion] what is trained on: tokens that the policy drew itself.</summary>
    private bool[] LiveTokens(Rollout rollout)
    {
        bool isMasked = config.MaskTruncated && rollout.Completion.IsTruncated;
        return [.. Enumerable.Range(0, rollout.Ids.Length).Select(token => !isMasked && rollout.IsDrawn(token))];
    }

    private static TrainingSample Sample(Rollout rollout, bool[] isLive, double weight, double advantage)
    {
        float[] normalizer = [.. isLive.Select(isToken => isToken ? (float)weight : 0)];
        float[] credit = [.. isLive.Select(isToken => isToken ? (float)(weight * advantage) : 0)];
        return new TrainingSample
        {
            Ids = (int[])[.. rollout.PromptIds.Span, .. rollout.Ids.Span],
            PromptLength = rollout.PromptIds.Length,
            Credit = credit,
            Normalizer = normalizer,
            SamplerLogProbs = rollout.LogProbs,
        };
    }
}
