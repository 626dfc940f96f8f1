using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// Elementary functions of balls: argument reduction, then Taylor series in fixed point with guard bits. Unknown where the function has no
/// value or the argument is too uncertain.
/// </summary>
internal static class BallFunctions
{
    private const int ConstantBits = 2048;
    private const int GuardBits = 40;

    /// <summary>Arguments beyond 2^40 have no digits left after reduction.</summary>
    private const long MaxArgument = 40;

    private static readonly BigInteger _pi = (16 * ArcTangentOfInverse(5, -1)) - (4 * ArcTangentOfInverse(239, -1));
    private static readonly BigInteger _ln2 = (18 * ArcTangentOfInverse(26, 1)) - (2 * ArcTangentOfInverse(4801, 1)) + (8 * ArcTangentOfInverse(8749, 1));

    public static Ball Pi(int precision) => Ball.Of(_pi, -ConstantBits, ConstantBits, precision);

    public static Ball Exp(Ball x, int precision)
    {
        if (!x.IsKnown || x.Magnitude > MaxArgument) return Ball.Unknown;
        if (x.IsExactZero) return Ball.One;
        int bits = precision + GuardBits + (int)Math.Max(0, x.Magnitude);
        var (value, error) = x.At(-bits);
        var ln2 = Ln2(bits);
        var twos = Nearest(value, ln2);
        const int Halvings = 8;
        var reduced = (value - (twos * ln2)) >> Halvings;

        BigInteger one = BigInteger.One << bits, sum = one + reduced, term = reduced;
        for (int n = 2; !(term = (term * reduced) >> bits).IsZero && !(term /= n).IsZero; n++) sum += term;
        for (int i = 0; i < Halvings; i++) sum = (sum * sum) >> bits;

        // 2^16: some hundred roundings, doubled by each squaring; reduced by k·ln 2 with k below 2^40 / 2^(bits of guard for the magnitude).
        double radius = Math.ScaleB(1, 16) + (2 * error) + Math.ScaleB(4, (int)Math.Max(0, x.Magnitude));
        return Math.ScaleB(error, -bits) > 0.5 ? Ball.Unknown : Ball.Of(sum, (long)twos - bits, radius * 2, precision);
    }

    /// <summary>The natural logarithm; unknown where the number may not be positive.</summary>
    public static Ball Log(Ball x, int precision)
    {
        if (x.Sign <= 0) return Ball.Unknown;
        long twos = x.Magnitude;
        var midpoint = Ball.Of(x.Mantissa, x.Exponent - twos, 0, precision + GuardBits);
        double guess = Math.Log(midpoint.ToDouble());
        int bits = precision + GuardBits;

        // x·e^(-guess) = 1 + small, and log(1 + small) is a short series.
        var ratio = Ball.Multiply(midpoint, Exp(Of(-guess), bits), bits);
        BigInteger small = ratio.At(-bits).Mantissa - (BigInteger.One << bits), power = small, sum = small;
        for (int n = 2; !IsNegligible(power = (power * small) >> bits); n++) sum += n % 2 == 0 ? -(power / n) : power / n;

        var logarithm = Ball.Add(Of(guess), Ball.Of(sum, -bits, 1 << 8, bits), bits);
        logarithm = Ball.Add(logarithm, Ball.Multiply(Ball.Of(Ln2(bits), -bits, 2, bits), Ball.Exact(twos), bits), precision);
        return x.Radius == 0 ? logarithm : logarithm.Widened(x.ErrorMagnitude - twos + 3);
    }

    public static (Ball Sin, Ball Cos) SinCos(Ball x, int precision)
    {
        if (!x.IsKnown || x.Magnitude > MaxArgument) return (Ball.Unknown, Ball.Unknown);
        if (x.IsExactZero) return (Ball.Zero, Ball.One);
        int bits = precision + GuardBits + (int)Math.Max(0, x.Magnitude);
        var (value, error) = x.At(-bits);
        var right = _pi >> (ConstantBits - bits + 1);
        var turns = Nearest(value, right);
        var reduced = value - (turns * right);

        var square = (reduced * reduced) >> bits;
        BigInteger sin = reduced, cos = BigInteger.One << bits, sinTerm = sin, cosTerm = cos;
        for (int n = 1; !cosTerm.IsZero; n++)
        {
            cosTerm = -((cosTerm * square) >> bits) / ((2 * n) * ((2 * n) - 1));
            sinTerm = -((sinTerm * square) >> bits) / ((2 * n) * ((2 * n) + 1));
            cos += cosTerm;
            sin += sinTerm;
        }

        double radius = error + Math.ScaleB(4, (int)Math.Max(0, x.Magnitude)) + (1 << 10);
        Ball s = Ball.Of(sin, -bits, radius, precision), c = Ball.Of(cos, -bits, radius, precision);
        return (int)(turns & 3) switch { 0 => (s, c), 1 => (c, -s), 2 => (-s, -c), _ => (-c, s) };
    }

    public static Ball Atan(Ball x, int precision)
    {
        if (!x.IsKnown || x.IsExactZero) return x;
        int bits = precision + GuardBits;
        if (x.Magnitude > 1)
        {
            // Far from zero: ±π/2 - atan(1/x).
            if (x.MayBeZero) return Ball.Unknown;
            var right = Ball.Scale(Pi(bits), -1);
            return Ball.Subtract(x.Sign > 0 ? right : -right, Atan(Ball.Divide(Ball.One, x, bits), bits), precision);
        }

        var midpoint = Ball.Of(x.Mantissa, x.Exponent, 0, bits);
        double guess = Math.Atan(midpoint.ToDouble());
        var (sin, cos) = SinCos(Of(guess), bits);

        // atan x - guess = atan((x·cos - sin) / (cos + x·sin)), which is small.
        var rest = Ball.Divide(
            Ball.Subtract(Ball.Multiply(midpoint, cos, bits), sin, bits), Ball.Add(cos, Ball.Multiply(midpoint, sin, bits), bits), bits);
        BigInteger small = rest.At(-bits).Mantissa, square = (small * small) >> bits, power = small, sum = small;
        for (int n = 3; !IsNegligible(power = -((power * square) >> bits)); n += 2) sum += power / n;
        var result = Ball.Add(Of(guess), Ball.Of(sum, -bits, 1 << 8, bits), precision);
        return x.Radius == 0 ? result : result.Widened(x.ErrorMagnitude);
    }

    private static Ball Of(double value)
    {
        if (value == 0) return Ball.Zero;
        int exponent = Math.ILogB(value) - 52;
        return Ball.Of((BigInteger)Math.ScaleB(value, -exponent), exponent, 0, 64);
    }

    /// <summary>Shifts round down, so a negative term ends at -1, not at 0.</summary>
    private static bool IsNegligible(BigInteger term) => term.IsZero || term == BigInteger.MinusOne;

    private static BigInteger Ln2(int bits) => _ln2 >> (ConstantBits - bits);

    private static BigInteger Nearest(BigInteger value, BigInteger step)
    {
        var (quotient, rest) = BigInteger.DivRem((2 * value) + step, 2 * step);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    /// <summary>atan(1/n) for sign -1, artanh(1/n) for sign 1, times 2^<see cref="ConstantBits"/>; wrong by fewer units than terms.</summary>
    private static BigInteger ArcTangentOfInverse(int n, int sign)
    {
        BigInteger power = (BigInteger.One << ConstantBits) / n, sum = power;
        for (int k = 3; !power.IsZero; k += 2)
        {
            power = sign * power / (n * n);
            sum += power / k;
        }
        return sum;
    }
}
