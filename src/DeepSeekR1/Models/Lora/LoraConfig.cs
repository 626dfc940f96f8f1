using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace DeepSeekR1.Models;

/// <summary>A low-rank adapter (Hu et al. 2021, "LoRA"): weights stay as they are, and a product of two thin matrices is added to some.</summary>
public sealed record LoraConfig
{
    /// <summary>In <see cref="TargetModules"/>: every projection inside the layers.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>Width between the two matrices (<c>r</c>).</summary>
    [Description("Width between the two matrices (PEFT's r)."), Range(1, 65536)]
    public int Rank { get; init; } = 16;

    /// <summary>Strength (<c>lora_alpha</c>): the product is multiplied with alpha / rank.</summary>
    [Description("Strength (PEFT's lora_alpha): the product is multiplied with alpha / rank."), Range(0, 1e6)]
    public double Alpha { get; init; } = 32;

    /// <summary>Multiply with alpha / sqrt(rank) instead (Kalajdzievski 2023, "rsLoRA").</summary>
    [Description("Multiply with alpha / sqrt(rank) instead (rsLoRA).")]
    public bool RankStabilized { get; init; }

    /// <summary>Names of projections, such as <c>q_proj</c>, or <see cref="AllLinear"/>.</summary>
    [Description("Names of projections, such as q_proj, or all-linear.")]
    public IReadOnlyList<string> TargetModules { get; init; } = [AllLinear];

    /// <summary>What the product of the two matrices is multiplied with.</summary>
    internal double Scale => Alpha / (RankStabilized ? Math.Sqrt(Rank) : Rank);

    /// <summary>True for a projection of this full name, such as <c>model.layers.0.self_attn.q_proj</c>; matches as PEFT does.</summary>
    internal bool Targets(string module) =>
        TargetModules.Any(target => target == AllLinear || module == target || module.EndsWith("." + target, StringComparison.Ordinal));
}
