using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// The value of an expression at a point: exact while it is rational, then approximate with a known error. Null where it has no value there
/// (division by zero, root of a negative number among the reals) or where that cannot be told within the budget.
/// </summary>
/// <param name="point">Stands in for the variables.</param>
/// <param name="precision">Bits of approximate numbers.</param>
/// <param name="isComplex">Roots and logarithms of negative numbers exist.</param>
/// <param name="budget">Pays for the arithmetic.</param>
internal sealed partial class Evaluator(Point point, int precision, bool isComplex, Budget budget)
{
    /// <summary>An exact result with more bits than this is taken approximately.</summary>
    private const long MaxExactBits = 150_000;

    private const int MaxFactorial = 10_000;

    /// <summary>A logarithm without base is natural; else decimal.</summary>
    public bool IsLogNatural { get; init; }

    /// <summary>
    /// The smallest power of two that bounds a term of some sum: an error must be far below it for a changed digit to show.
    /// </summary>
    public long SmallestTerm { get; private set; } = long.MaxValue;

    /// <summary>
    /// The smallest term of an exact sum, as a power of two relative to the sum, such as of 2 + 10⁻⁶⁰: a function of it must be known to as many bits for
    /// a changed digit to show.
    /// </summary>
    public long FinestPart { get; private set; }

    /// <summary>Bits of approximate numbers.</summary>
    public int Precision => precision;

    /// <summary>a / b; null where b is zero, or may be.</summary>
    public Value? Quotient(Value a, Value b) => Divide(a, b);

    public Value? Evaluate(Node node)
    {
        if (!budget.Spend(1)) return null;
        return node switch
        {
            Number number => new ExactValue(number.Value),
            BasedNumber number => new ExactValue(number.Value),
            Symbol symbol => new ExactValue(point[symbol.Name]),
            Constant constant => Evaluate(constant.Kind),
            Sum sum => Evaluate(sum),
            Product product => Evaluate(product),
            Power power => Evaluate(power),
            Apply apply => Evaluate(apply),
            Quantity { Unit: Quantity.Percent } quantity => Multiply(Evaluate(quantity.Value), new ExactValue(new Rational(1, 100))),
            Quantity { Unit: Quantity.Degree } quantity => Multiply(Evaluate(quantity.Value), Divide(Evaluate(ConstantKind.Pi), new ExactValue(180))),
            _ => null,
        };
    }

    private Value? Evaluate(ConstantKind kind) => kind switch
    {
        ConstantKind.Pi => Approximate(BallFunctions.Pi(precision), 2),
        ConstantKind.E => Approximate(BallFunctions.Exp(Ball.One, precision), 60),
        ConstantKind.I => new ApproximateValue(ComplexBall.I),
        _ => new InfiniteValue(1),
    };

    private Value? Evaluate(Sum sum)
    {
        Value? total = null;
        foreach (var (sign, term) in sum.Terms)
        {
            if (sign is TermSign.PlusMinus or TermSign.MinusPlus || Evaluate(term) is not { } value) return null;
            if (sign == TermSign.Minus) value = Negate(value);
            total = total is null ? value : Add(total, value);
            if (total is null) return null;
        }
        return total;
    }

    private Value? Evaluate(Product product)
    {
        Value? total = null;
        foreach (var (divides, factor) in product.Factors)
        {
            if (Evaluate(factor) is not { } value) return null;
            total = total is null ? value : divides ? Divide(total, value) : Multiply(total, value);
            if (total is null) return null;
        }
        return total;
    }

    private static Value Negate(Value value) => value switch
    {
        ExactValue exact => new ExactValue(-exact.Number),
        ApproximateValue approximate => new ApproximateValue(-approximate.Number),
        InfiniteValue infinite => new InfiniteValue(-infinite.Sign),
        _ => throw new InvalidOperationException("unknown kind of value"),
    };

    private Value? Add(Value a, Value b)
    {
        if (a is ExactValue x && b is ExactValue y && Affords(x.Number, y.Number))
        {
            var total = Exact(x.Number + y.Number);
            if (!x.Number.IsZero && !y.Number.IsZero) FinestPart = Math.Min(FinestPart, Math.Min(x.Number.Magnitude, y.Number.Magnitude) - total.Number.Magnitude);
            return total;
        }
        if (a is InfiniteValue || b is InfiniteValue) return null;
        if (ToBall(a) is not { } p || ToBall(b) is not { } q) return null;
        Note(p);
        Note(q);
        return Approximate(ComplexBall.Add(p, q, precision), 4);
    }

    private Value? Multiply(Value? a, Value? b)
    {
        if (a is ExactValue x && b is ExactValue y && Affords(x.Number, y.Number)) return Exact(x.Number * y.Number);
        if (ToBall(a) is not { } p || ToBall(b) is not { } q) return null;
        return Approximate(ComplexBall.Multiply(p, q, precision), 4);
    }

    private Value? Divide(Value? a, Value? b)
    {
        if (b is ExactValue { Number.IsZero: true }) return null;
        if (a is ExactValue x && b is ExactValue y && Affords(x.Number, y.Number)) return Exact(x.Number / y.Number);
        if (ToBall(a) is not { } p || ToBall(b) is not { } q || q.MayBeZero) return null;
        return Approximate(ComplexBall.Divide(p, q, precision), 6);
    }

    private Value? Evaluate(Power power)
    {
        if (Evaluate(power.Exponent) is not { } exponent) return null;
        if (power.Base is Constant { Kind: ConstantKind.E }) return Exp(exponent);
        return Evaluate(power.Base) is { } @base ? Raise(@base, exponent) : null;
    }

    private Value? Raise(Value @base, Value exponent)
    {
        if (exponent is ExactValue { Number: var e } && @base is ExactValue { Number: var b })
        {
            if (b.IsZero) return e.Sign > 0 ? new ExactValue(0) : null;
            if (b.Equals(1)) return @base;
            if (e.TryInteger(100_000, out int power) && b.Bits * Math.Abs((long)power) <= MaxExactBits)
                return budget.Spend(Cost(b.Bits * Math.Abs(power), b.Bits * Math.Abs(power))) ? Exact(Rational.Pow(b, power)) : null;
        }
        if (ToBall(@base) is not { } x || ToBall(exponent) is not { } y) return null;
        if (exponent is ExactValue { Number: var n })
        {
            if (n.TryInteger(1000, out int power)) return Approximate(ComplexBall.Pow(x, power, precision), 4 * (BitOperations.Log2((uint)Math.Abs(power) | 1) + 1));
            if (n.TryInteger(out var large) && x is { IsReal: true, Re.Sign: < 0 })
                return Raise(new ApproximateValue(-x), exponent) is { } size ? large.IsEven ? size : Negate(size) : null;
            if (n.Denominator == 2 && n.Numerator.IsOne) return Sqrt(@base);
        }
        if (!isComplex && !(x.IsReal && x.Re.Sign > 0)) return null;
        var logarithm = ComplexBall.Log(x, precision + 32);
        return Approximate(ComplexBall.Exp(ComplexBall.Multiply(y, logarithm, precision + 32), precision), 350);
    }

    private Value? Exp(Value exponent)
    {
        if (exponent is ExactValue { Number.IsZero: true }) return new ExactValue(1);
        return ToBall(exponent) is { } x ? Approximate(ComplexBall.Exp(x, precision), 100) : null;
    }

    private Value? Sqrt(Value value)
    {
        if (value is ExactValue { Number: { Sign: >= 0, Bits: < 4096 } number })
        {
            BigInteger p = Ball.IntegerRoot(number.Numerator), q = Ball.IntegerRoot(number.Denominator);
            if (p * p == number.Numerator && q * q == number.Denominator) return Exact(new Rational(p, q));
        }
        if (ToBall(value) is not { } x || (!isComplex && !(x.IsReal && x.Re.Sign >= 0))) return null;
        return Approximate(ComplexBall.Sqrt(x, precision), 25);
    }

    private bool Affords(Rational a, Rational b)
    {
        long bits = a.Bits + b.Bits;
        return bits <= MaxExactBits && (bits <= 256 || budget.Spend(Cost(a.Bits, b.Bits)));
    }

    /// <summary>Products of numbers of so many bits, and what it takes to reduce a quotient of them.</summary>
    private static long Cost(long a, long b)
    {
        long words = (a + b) / 64, reduction = a + b <= Rational.ReducedUpToBits ? words * words / 8 : 0;
        return 1 + (words / 32) + (a / 64 * (b / 64) / 30) + reduction;
    }

    private static ExactValue Exact(Rational number) => new(number);

    /// <summary>Null where nothing is known of the number, or the budget is used up.</summary>
    private ApproximateValue? Approximate(ComplexBall number, int cost)
    {
        if (!budget.Spend((long)cost * precision * precision / (192 * 192)) || !number.IsKnown) return null;
        return !isComplex && !number.IsReal ? null : new ApproximateValue(number);
    }

    private ComplexBall? ToBall(Value? value)
    {
        if (value is ExactValue { Number: { IsZero: false, Magnitude: < 0 and var magnitude } }) SmallestTerm = Math.Min(SmallestTerm, magnitude);
        return value?.Approximate(precision);
    }

    private void Note(ComplexBall term)
    {
        if (!term.MayBeZero) SmallestTerm = Math.Min(SmallestTerm, term.Magnitude);
    }
}
