using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DeepSeekR1.Configuration;
using DeepSeekR1.Rollouts;

namespace DeepSeekR1.Tests.Configuration;

/// <summary>A config record with every shape that the reader knows.</summary>
public sealed record KitchenConfig : IValidatedConfig
{
    [Description("What is cooked.")]
    public string Dish { get; init; } = "soup";

    public string? Cook { get; init; }

    [Description("Spoons stirred at once."), Range(1, int.MaxValue)]
    public int Spoons { get; init; } = 4;

    [Range(1, 100)]
    public int Bowls { get; init; } = 8;

    [Range(0, 1, MinimumIsExclusive = true)]
    public double Heat { get; init; } = 0.5;

    public float Salt { get; init; } = 0.1f;

    public ulong Seed { get; init; } = 1;

    public bool Vegan { get; init; }

    public KitchenStyle Style { get; init; } = KitchenStyle.SlowCooked;

    public KitchenStyle? Second { get; init; }

    public int? Guests { get; init; }

    public SamplingConfig Tasting { get; init; } = new() { Temperature = 0.6, MaxNewTokens = 40 };

    public SamplingConfig? Dessert { get; init; }

    [Range(0, 10)]
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double> { ["taste"] = 1, ["looks"] = 0.5 };

    public IReadOnlyList<string> Spices { get; init; } = ["pepper"];

    public IReadOnlyList<CourseConfig> Courses { get; init; } = [];

    public int Portions => Bowls * 2;

    public IEnumerable<ConfigProblem> Validate()
    {
        if (Spoons > Bowls) yield return new(nameof(Spoons), $"must not exceed bowls ({Bowls}), but is {Spoons}");
    }
}

public enum KitchenStyle { Raw, SlowCooked, DrGrill }

public sealed record CourseConfig
{
    public required string Name { get; init; }

    [Range(1, 60)]
    public int Minutes { get; init; } = 10;
}
