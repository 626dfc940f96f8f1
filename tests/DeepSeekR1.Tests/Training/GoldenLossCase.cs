using System.Text.Json;
using DeepSeekR1.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>A case of golden/grpo/losses: TRL's settings in our terms, and its micro-batches.</summary>
internal sealed record GoldenLossCase(GrpoLossConfig Config, IReadOnlyList<GoldenMicroBatch> MicroBatches)
{
    public static GoldenLossCase Read(JsonElement row, Dictionary<string, Tensor> inputs)
    {
        var settings = row.GetProperty("config");
        return new(ConfigOf(settings), [.. row.GetProperty("inputs").EnumerateArray().Select(set =>
            new GoldenMicroBatch(settings, inputs, set.GetString()!, row.GetProperty("num_items_in_batch").GetInt32()))]);
    }

    public static GrpoLossConfig ConfigOf(JsonElement settings)
    {
        string lossType = settings.Text("loss_type");
        double? high = settings.NumberOrNull("epsilon_high");
        string? sampler = settings.GetProperty("vllm_mode").GetString();
        return new GrpoLossConfig
        {
            Objective = lossType switch
            {
                "cispo" => PolicyObjectiveKind.Cispo,
                "sapo" => PolicyObjectiveKind.Sapo,
                "vespo" => PolicyObjectiveKind.Vespo,
                _ => PolicyObjectiveKind.Clip,
            },
            RatioLevel = settings.Text("importance_sampling_level") == "sequence" ? RatioLevel.Sequence : RatioLevel.Token,
            EpsilonLow = settings.Number("epsilon"),
            // TRL gives CISPO's cap itself, we give its distance from one as the paper does.
            EpsilonHigh = lossType == "cispo" ? (high ?? settings.Number("epsilon")) - 1 : high,
            Delta = settings.NumberOrNull("delta"),
            Beta = settings.Number("beta"),
            BiasCorrectedKl = settings.GetProperty("use_bias_correction_kl").GetBoolean(),
            OffPolicyThreshold = settings.NumberOrNull("off_policy_mask_threshold"),
            TopEntropyShare = settings.Number("top_entropy_quantile"),
            EntropyBonus = settings.Number("entropy_coef"),
            Sapo = new() { PositiveTemperature = settings.Number("sapo_temperature_pos"), NegativeTemperature = settings.Number("sapo_temperature_neg") },
            Vespo = new()
            {
                PositivePower = settings.Number("vespo_k_pos"),
                PositiveDecay = settings.Number("vespo_lambda_pos"),
                NegativePower = settings.Number("vespo_k_neg"),
                NegativeDecay = settings.Number("vespo_lambda_neg"),
            },
            SamplerCorrection = new()
            {
                Mode = sampler switch
                {
                    "token_truncate" => SamplerCorrectionMode.TokenTruncate,
                    "token_mask" => SamplerCorrectionMode.TokenMask,
                    "sequence_truncate" => SamplerCorrectionMode.SequenceTruncate,
                    "sequence_mask" => SamplerCorrectionMode.SequenceMask,
                    _ => SamplerCorrectionMode.None,
                },
                Min = settings.NumberOrNull("vllm_clip_min"),
                Max = settings.NumberOrNull("vllm_clip_max"),
            },
        };
    }

    public static LossNormalization NormalizationOf(string lossType) => lossType switch
    {
        "grpo" or "sapo" => LossNormalization.Grpo,
        "bnpo" => LossNormalization.Bnpo,
        "dr_grpo" => LossNormalization.DrGrpo,
        "luspo" => LossNormalization.Luspo,
        _ => LossNormalization.Dapo,
    };
}

/// <summary>One micro-batch as TRL's loss saw it: [sequence, time] tensors, a mask, and the settings that decide a token's weight.</summary>
internal sealed class GoldenMicroBatch(JsonElement settings, Dictionary<string, Tensor> inputs, string set, int tokensOfBatch)
{
    private readonly Tensor _mask = MaskOf(settings, inputs, set);

    private Tensor Input(string name) => inputs[$"{set}.{name}"];

    /// <summary>The live tokens in our layout, and the way back to [sequence, time].</summary>
    public (LossTokens Tokens, Func<Tensor?, Tensor> Scatter) Tokens(GrpoLossConfig config, ScalarType dtype)
    {
        long[] shape = _mask.shape;
        var live = _mask.view(-1).nonzero().squeeze(1);
        Tensor Flat(Tensor padded) => padded.to(dtype).reshape(-1).index_select(0, live);
        Tensor FlatInput(string name) => Flat(Input(name));
        var advantages = settings.Text("advantages") == "per_token" ? Input("advantages_per_token") : Input("advantages").unsqueeze(1).expand(shape);
        var weights = tensor(WeightsPerSequence()).to(dtype).unsqueeze(1).expand(shape);
        var sequence = arange(shape[0]).unsqueeze(1).expand(shape).reshape(-1).index_select(0, live);
        var tokens = new LossTokens
        {
            LogProbs = FlatInput("logps_new").requires_grad_(),
            Entropies = FlatInput("entropies").requires_grad_(config.EntropyBonus != 0),
            Credit = Flat(advantages.to(dtype) * weights),
            Normalizer = Flat(weights),
            Sequences = new Segments(sequence, (int)shape[0], dtype),
            Old = settings.Text("old_logps") == "given" ? FlatInput("logps_old") : null,
            Reference = config.NeedsReference ? FlatInput("logps_ref") : null,
            Sampler = config.SamplerCorrection.Mode == SamplerCorrectionMode.None ? null : FlatInput("sampling_logps"),
        };
        return (tokens, gradient => zeros(_mask.numel(), dtype: dtype).index_add(0, live, gradient!, 1).view(shape));
    }

    public StepConstants Constants(GrpoLossConfig config)
    {
        var entropies = Input("entropies").reshape(-1).index_select(0, _mask.view(-1).nonzero().squeeze(1)).Floats();
        var threshold = EntropyThreshold.Of(entropies, config.TopEntropyShare);
        int taking = threshold is null ? entropies.Length : entropies.Count(e => e >= threshold);
        return new(1.0 / Math.Max(1, taking) / Accumulation, threshold);
    }

    // TRL normalises inside a micro-batch and divides by the number of micro-batches; ours normalises over the step.
    public double Accumulation => settings.Text("mode") == "train" ? settings.Number("gradient_accumulation_steps") : 1;

    private double[] WeightsPerSequence()
    {
        var normalization = GoldenLossCase.NormalizationOf(settings.Text("loss_type"));
        int[] live = [.. _mask.sum(1).Longs().Select(n => (int)n)];
        double steps = settings.Text("mode") == "train" ? settings.Number("steps_per_generation") : 1;
        bool isDapo = normalization == LossNormalization.Dapo;
        double[] weights = LossWeights.PerToken(normalization, live, settings.GetProperty("max_completion_length").GetInt32(),
            isDapo && tokensOfBatch > 0 ? tokensOfBatch / steps : null);
        return [.. weights.Select(w => w / Accumulation)];
    }

    private static Tensor MaskOf(JsonElement settings, Dictionary<string, Tensor> inputs, string set)
    {
        var mask = inputs[$"{set}.completion_mask"].clone();
        foreach (var row in settings.GetProperty("truncated_rows").EnumerateArray()) mask[row.GetInt64()].zero_();
        return inputs.TryGetValue($"{set}.tool_mask", out var tools) ? mask * tools : mask;
    }
}
