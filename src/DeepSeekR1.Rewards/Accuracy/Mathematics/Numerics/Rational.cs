using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// An exact quotient of integers. The denominator is positive; small quotients are reduced, huge ones (factorials) are not, because
/// their greatest common divisor costs more than all that is done with them. Equality is of values.
/// </summary>
internal readonly struct Rational : IEquatable<Rational>, IComparable<Rational>
{
    /// <summary>Longer quotients are left as they are.</summary>
    public const long ReducedUpToBits = 2048;

    public Rational(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.Sign < 0) (numerator, denominator) = (-numerator, -denominator);
        if (!denominator.IsOne && numerator.GetBitLength() + denominator.GetBitLength() <= ReducedUpToBits)
        {
            var divisor = BigInteger.GreatestCommonDivisor(numerator, denominator);
            if (!divisor.IsOne) (numerator, denominator) = (numerator / divisor, denominator / divisor);
        }
        (Numerator, Denominator) = (numerator, denominator);
    }

    public Rational(BigInteger integer) => (Numerator, Denominator) = (integer, BigInteger.One);

    public BigInteger Numerator { get; }

    public BigInteger Denominator { get; }

    public int Sign => Numerator.Sign;

    public bool IsZero => Numerator.IsZero;

    /// <summary>Bits of numerator and denominator together: the measure of what an operation costs.</summary>
    public long Bits => Numerator.GetBitLength() + Denominator.GetBitLength();

    /// <summary>The absolute value is about 2 to this power; 0 for zero.</summary>
    public long Magnitude => Numerator.IsZero ? 0 : BigInteger.Abs(Numerator).GetBitLength() - Denominator.GetBitLength();

    public static implicit operator Rational(int integer) => new(integer);

    public static Rational operator +(Rational a, Rational b) => a.Denominator.IsOne && b.Denominator.IsOne
        ? new(a.Numerator + b.Numerator)
        : new((a.Numerator * b.Denominator) + (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

    public static Rational operator -(Rational a) => new(-a.Numerator, a.Denominator);

    public static Rational operator -(Rational a, Rational b) => a + -b;

    public static Rational operator *(Rational a, Rational b) => a.Denominator.IsOne && b.Denominator.IsOne
        ? new(a.Numerator * b.Numerator)
        : new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <exception cref="DivideByZeroException">The divisor is zero.</exception>
    public static Rational operator /(Rational a, Rational b) =>
        b.IsZero ? throw new DivideByZeroException() : new(a.Numerator * b.Denominator, a.Denominator * b.Numerator);

    public static Rational Abs(Rational a) => a.Sign < 0 ? -a : a;

    /// <summary>An integer power; the base is not zero where the exponent is negative.</summary>
    public static Rational Pow(Rational a, int exponent)
    {
        var (numerator, denominator) = exponent >= 0 ? (a.Numerator, a.Denominator) : (a.Denominator, a.Numerator);
        int power = Math.Abs(exponent);
        return new(BigInteger.Pow(numerator, power), denominator.IsOne ? BigInteger.One : BigInteger.Pow(denominator, power));
    }

    /// <summary>The integer that this number is; false where it is none.</summary>
    public bool TryInteger(out BigInteger integer)
    {
        if (Denominator.IsOne)
        {
            integer = Numerator;
            return true;
        }
        integer = BigInteger.DivRem(Numerator, Denominator, out var rest);
        return rest.IsZero;
    }

    /// <summary>The integer of at most this absolute value that this number is; false where it is none.</summary>
    public bool TryInteger(int bound, out int integer)
    {
        bool isSmall = TryInteger(out var big) && BigInteger.Abs(big) <= bound;
        integer = isSmall ? (int)big : 0;
        return isSmall;
    }

    public BigInteger Floor()
    {
        var quotient = BigInteger.DivRem(Numerator, Denominator, out var rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    public bool Equals(Rational other) => Numerator * other.Denominator == other.Numerator * Denominator;

    public override bool Equals(object? obj) => obj is Rational other && Equals(other);

    public override int GetHashCode() => Sign;

    public int CompareTo(Rational other) => (Numerator * other.Denominator).CompareTo(other.Numerator * Denominator);
}
