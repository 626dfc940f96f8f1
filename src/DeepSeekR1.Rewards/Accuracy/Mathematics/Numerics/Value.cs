namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What an expression is worth at a point: exactly rational as long as that can be kept, else approximate, or infinite.</summary>
internal abstract class Value
{
    /// <summary>The same number as a ball; null for an infinity.</summary>
    public abstract ComplexBall? Approximate(int precision);
}

/// <summary>A rational number, exactly.</summary>
internal sealed class ExactValue(Rational number) : Value
{
    public Rational Number { get; } = number;

    public override ComplexBall? Approximate(int precision) => Ball.From(Number, precision);
}

/// <summary>A complex number with an error.</summary>
internal sealed class ApproximateValue(ComplexBall number) : Value
{
    public ComplexBall Number { get; } = number;

    public override ComplexBall? Approximate(int precision) => Number;
}

/// <summary>∞ for sign 1, −∞ for sign −1.</summary>
internal sealed class InfiniteValue(int sign) : Value
{
    public int Sign { get; } = sign;

    public override ComplexBall? Approximate(int precision) => null;
}
