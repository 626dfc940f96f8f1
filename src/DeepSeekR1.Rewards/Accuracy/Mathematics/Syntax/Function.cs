namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Functions that can be evaluated.</summary>
internal enum Function
{
    None,
    Sin, Cos, Tan, Cot, Sec, Csc,
    ArcSin, ArcCos, ArcTan, ArcCot, ArcSec, ArcCsc,
    Sinh, Cosh, Tanh, Coth, Sech, Csch,
    Exp,
    /// <summary>Natural logarithm.</summary>
    Ln,
    /// <summary>Logarithm without a base: 10 in school, e in analysis.</summary>
    Log,
    /// <summary>Base, then argument.</summary>
    LogBase,
    Sqrt,
    /// <summary>Index, then radicand; odd roots of negative numbers are negative.</summary>
    Root,
    Abs, Floor, Ceiling, Conjugate, RealPart, ImaginaryPart,
    Factorial, DoubleFactorial,
    /// <summary>Upper, then lower.</summary>
    Binomial,
    Gcd, Lcm, Max, Min,
    /// <summary>Dividend, then divisor; the remainder has the divisor's sign.</summary>
    Mod,
    /// <summary>a : b.</summary>
    Ratio,
}
