using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>Chooses experts for each token, and how much each counts. Computes in float32.</summary>
internal sealed class ExpertRouter(ExpertsConfig config, ModelParameters parameters, string prefix)
{
    private readonly Parameter _weight = parameters[prefix + "weight"];
    private readonly Parameter? _correction = parameters.Find(prefix + "e_score_correction_bias");

    /// <summary>Tokens [tokens, hidden] to expert indices and weights, each [tokens, experts per token].</summary>
    public (Tensor Experts, Tensor Weights) Route(Tensor tokens)
    {
        var logits = nn.functional.linear(tokens.to(ScalarType.Float32), _weight.to(ScalarType.Float32));
        var scores = config.Scoring == RouterScoring.Sigmoid ? sigmoid(logits) : softmax(logits, -1);
        var (_, experts) = Eligible(scores.detach()).topk(config.PerToken, -1);
        var weights = scores.gather(-1, experts);
        if (config.NormalizeWeights) weights = weights / (weights.sum(-1, keepdim: true) + 1e-20);
        return (experts, config.ScalingFactor == 1 ? weights : weights * config.ScalingFactor);
    }

    /// <summary>Scores to choose by: corrected for load, and minus infinity outside the token's best groups.</summary>
    private Tensor Eligible(Tensor scores)
    {
        if (_correction is not null) scores = scores + _correction;
        if (config.GroupsPerToken == config.Groups) return scores;
        var grouped = scores.view(-1, config.Groups, config.Count / config.Groups);
        var (best, _) = grouped.topk(2, -1);
        var (_, groups) = best.sum(-1).topk(config.GroupsPerToken, -1);
        var isOutside = ones([scores.shape[0], config.Groups], ScalarType.Bool, scores.device).scatter(1, groups, zeros_like(groups, ScalarType.Bool));
        return grouped.masked_fill(isOutside.unsqueeze(-1), double.NegativeInfinity).view(scores.shape);
    }
}
