using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// A real number known up to a stated error: it lies within <see cref="Radius"/>·2^<see cref="Exponent"/> of
/// <see cref="Mantissa"/>·2^<see cref="Exponent"/>. Every operation widens the error by what it may have lost (ball arithmetic, as in Johansson,
/// "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", 2017), so "different" is certain and "equal" has a stated precision.
/// </summary>
internal readonly struct Ball
{
    /// <summary>Bits of a mantissa at most; the radius, a double, can then be scaled by a whole mantissa without overflow.</summary>
    public const int MaxPrecision = 768;

    /// <summary>A power of two beyond this is no number that an answer could mean.</summary>
    private const long MaxExponent = 1L << 50;

    /// <summary>Digits below an error of this many units carry nothing and are dropped.</summary>
    private const double MaxRadius = 1L << 40;

    private Ball(BigInteger mantissa, long exponent, double radius) => (Mantissa, Exponent, Radius) = (mantissa, exponent, radius);

    public BigInteger Mantissa { get; }

    public long Exponent { get; }

    public double Radius { get; }

    /// <summary>A value of which nothing is known.</summary>
    public static Ball Unknown { get; } = new(BigInteger.Zero, 0, double.PositiveInfinity);

    public static Ball Zero { get; } = Exact(BigInteger.Zero);

    public static Ball One { get; } = Exact(BigInteger.One);

    public bool IsKnown => double.IsFinite(Radius);

    public bool IsExactZero => Mantissa.IsZero && Radius == 0;

    public bool MayBeZero => !(Size(Mantissa) > Radius);

    /// <summary>-1 or 1 where the sign is certain, else 0.</summary>
    public int Sign => MayBeZero ? 0 : Mantissa.Sign;

    /// <summary>The absolute value is below 2 to this power, by one bit or two where it is not near zero.</summary>
    public long Magnitude => Exponent + Math.Max(BitLength(Mantissa), (long)Math.ILogB(Math.Max(Radius, 1)) + 1);

    /// <summary>The error is below 2 to this power.</summary>
    public long ErrorMagnitude => Radius == 0 ? long.MinValue : IsKnown ? Exponent + Math.ILogB(Radius) + 1 : long.MaxValue;

    public static Ball Exact(BigInteger integer) => new(integer, 0, 0);

    public static Ball Of(BigInteger mantissa, long exponent, double radius, int precision) => new Ball(mantissa, exponent, radius).Rounded(precision);

    public static Ball From(Rational value, int precision) => value.Denominator.IsOne
        ? Of(value.Numerator, 0, 0, precision)
        : Divide(new Ball(value.Numerator, 0, 0), new Ball(value.Denominator, 0, 0), precision);

    public static Ball operator -(Ball a) => new(-a.Mantissa, a.Exponent, a.Radius);

    public static Ball Abs(Ball a) => new(BigInteger.Abs(a.Mantissa), a.Exponent, a.Radius);

    /// <summary>a·2^power.</summary>
    public static Ball Scale(Ball a, int power) => new(a.Mantissa, a.Exponent + power, a.Radius);

    public static Ball Add(Ball a, Ball b, int precision)
    {
        if (a.IsExactZero) return b;
        if (b.IsExactZero) return a;
        if (!a.IsKnown || !b.IsKnown) return Unknown;
        long finest = Math.Min(a.Exponent, b.Exponent), top = Math.Max(a.Magnitude, b.Magnitude);
        long exponent = Math.Max(finest, top - precision - 2);
        var (x, xError) = a.At(exponent);
        var (y, yError) = b.At(exponent);
        return new Ball(x + y, exponent, xError + yError).Rounded(precision);
    }

    public static Ball Subtract(Ball a, Ball b, int precision) => Add(a, -b, precision);

    public static Ball Multiply(Ball a, Ball b, int precision)
    {
        if (a.IsExactZero || b.IsExactZero) return Zero;
        double radius = a.Radius == 0 && b.Radius == 0 ? 0 : Up((Size(a.Mantissa) * b.Radius) + (Size(b.Mantissa) * a.Radius) + (a.Radius * b.Radius));
        return new Ball(a.Mantissa * b.Mantissa, a.Exponent + b.Exponent, radius).Rounded(precision);
    }

    public static Ball Divide(Ball a, Ball b, int precision)
    {
        if (b.MayBeZero || !a.IsKnown) return Unknown;
        if (a.IsExactZero) return Zero;
        int shift = (int)Math.Max(0, precision + 2 - BitLength(a.Mantissa) + BitLength(b.Mantissa));
        var quotient = BigInteger.DivRem(a.Mantissa << shift, b.Mantissa, out var rest);
        double radius = rest.IsZero ? 0 : 1;
        if (a.Radius > 0 || b.Radius > 0)
        {
            double nearest = Size(b.Mantissa) - b.Radius;
            radius = Up(1 + Math.ScaleB(a.Radius / nearest, shift) + ((Size(quotient) + 1) * (b.Radius / nearest)));
        }
        return new Ball(quotient, a.Exponent - b.Exponent - shift, radius).Rounded(precision);
    }

    /// <summary>The square root; unknown where the number may be negative.</summary>
    public static Ball Sqrt(Ball a, int precision)
    {
        if (a.IsExactZero) return Zero;
        if (a.Sign <= 0) return Unknown;
        int shift = (int)Math.Max(0, (2 * precision) + 2 - BitLength(a.Mantissa));
        if (((a.Exponent - shift) & 1) != 0) shift++;
        var square = a.Mantissa << shift;
        var root = IntegerRoot(square);
        double radius = (root * root == square ? 0 : 1) + (a.Radius == 0 ? 0 : Up(Math.ScaleB(a.Radius / (Size(root) - 1), shift)));
        return new Ball(root, (a.Exponent - shift) / 2, radius).Rounded(precision);
    }

    /// <summary>The same number with an error greater by 2^<paramref name="exponent"/>.</summary>
    public Ball Widened(long exponent)
    {
        long shift = exponent - Exponent;
        return shift > 1000 ? Unknown : new Ball(Mantissa, Exponent, Up(Radius + Math.ScaleB(1, (int)Math.Max(shift, -1000))));
    }

    /// <summary>Mantissa for this exponent, rounded down where digits are lost, and its error in units.</summary>
    public (BigInteger Mantissa, double Error) At(long exponent)
    {
        long shift = Exponent - exponent;
        if (shift >= 0) return (Mantissa << (int)shift, Up(Math.ScaleB(Radius, (int)Math.Min(shift, 2000))));
        double error = Up(1 + Math.ScaleB(Radius, (int)Math.Max(shift, -2000)));
        return (-shift > BitLength(Mantissa) ? BigInteger.Zero : Mantissa >> (int)-shift, error);
    }

    public double ToDouble()
    {
        int drop = (int)Math.Max(0, BitLength(Mantissa) - 64);
        return Math.ScaleB((double)(Mantissa >> drop), (int)Math.Clamp(Exponent + drop, -5000, 5000));
    }

    /// <summary>⌊√n⌋ by Newton's method from a double.</summary>
    public static BigInteger IntegerRoot(BigInteger square)
    {
        if (square.IsZero) return square;
        int half = (int)Math.Max(0, (square.GetBitLength() - 100) / 2);
        var guess = ((BigInteger)Math.Sqrt((double)(square >> (2 * half))) + 1) << half;

        // One step from anywhere leads to the root or above it; from there the steps go down to it.
        var root = (guess + (square / guess)) >> 1;
        while (true)
        {
            var next = (root + (square / root)) >> 1;
            if (next >= root) return root;
            root = next;
        }
    }

    private Ball Rounded(int precision)
    {
        if (!IsKnown || Math.Abs(Exponent) > MaxExponent) return Unknown;
        long excess = BitLength(Mantissa) - precision;
        if (Radius > MaxRadius) excess = Math.Max(excess, Math.ILogB(Radius) - 20);
        if (excess <= 0) return this;
        var (mantissa, error) = At(Exponent + excess);
        return new Ball(mantissa, Exponent + excess, error);
    }

    private static long BitLength(BigInteger value) => value.GetBitLength();

    private static double Size(BigInteger value) => Math.Abs((double)value);

    /// <summary>Covers the rounding of the radius itself.</summary>
    private static double Up(double radius) => radius * (1 + 1e-14);
}
