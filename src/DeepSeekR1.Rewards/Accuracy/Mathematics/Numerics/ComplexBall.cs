namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>A complex number known up to a stated error. Functions are the principal branches.</summary>
/// <param name="Re">Real part.</param>
/// <param name="Im">Imaginary part; exactly zero for a real number.</param>
internal readonly record struct ComplexBall(Ball Re, Ball Im)
{
    public static ComplexBall I { get; } = new(Ball.Zero, Ball.One);

    public bool IsReal => Im.IsExactZero;

    public bool IsKnown => Re.IsKnown && Im.IsKnown;

    public bool MayBeZero => Re.MayBeZero && Im.MayBeZero;

    /// <summary>The absolute value is below 2 to this power, and not far below where it is not near zero.</summary>
    public long Magnitude => Math.Max(Re.Magnitude, Im.IsExactZero ? long.MinValue : Im.Magnitude);

    /// <summary>The error of each part is below 2 to this power.</summary>
    public long ErrorMagnitude => Math.Max(Re.ErrorMagnitude, Im.ErrorMagnitude);

    public static implicit operator ComplexBall(Ball real) => new(real, Ball.Zero);

    public static ComplexBall operator -(ComplexBall a) => new(-a.Re, -a.Im);

    public static ComplexBall Add(ComplexBall a, ComplexBall b, int precision) =>
        new(Ball.Add(a.Re, b.Re, precision), Ball.Add(a.Im, b.Im, precision));

    public static ComplexBall Multiply(ComplexBall a, ComplexBall b, int precision)
    {
        if (a.IsReal && b.IsReal) return Ball.Multiply(a.Re, b.Re, precision);
        return new(
            Ball.Subtract(Ball.Multiply(a.Re, b.Re, precision), Ball.Multiply(a.Im, b.Im, precision), precision),
            Ball.Add(Ball.Multiply(a.Re, b.Im, precision), Ball.Multiply(a.Im, b.Re, precision), precision));
    }

    public static ComplexBall Divide(ComplexBall a, ComplexBall b, int precision)
    {
        if (b.IsReal) return new ComplexBall(Ball.Divide(a.Re, b.Re, precision), Ball.Divide(a.Im, b.Re, precision));
        var norm = Norm(b, precision);
        var product = Multiply(a, Conjugate(b), precision);
        return new(Ball.Divide(product.Re, norm, precision), Ball.Divide(product.Im, norm, precision));
    }

    public static ComplexBall Conjugate(ComplexBall a) => new(a.Re, -a.Im);

    public static Ball Abs(ComplexBall a, int precision) => a.IsReal ? Ball.Abs(a.Re) : Ball.Sqrt(Norm(a, precision), precision);

    public static ComplexBall Sqrt(ComplexBall a, int precision)
    {
        if (a.IsReal) return a.Re.Sign >= 0 ? Ball.Sqrt(a.Re, precision) : new ComplexBall(Ball.Zero, Ball.Sqrt(-a.Re, precision));

        // √z = √((|z| + Re) / 2) + i·Im / (2·that), with the two parts exchanged left of the imaginary axis.
        var half = Ball.Scale(Ball.Add(Abs(a, precision), Ball.Abs(a.Re), precision), -1);
        var larger = Ball.Sqrt(half, precision);
        var smaller = Ball.Divide(a.Im, Ball.Scale(larger, 1), precision);
        if (a.Re.Sign >= 0) return new(larger, smaller);
        return a.Im.Sign >= 0 ? new(smaller, larger) : new(-smaller, -larger);
    }

    public static ComplexBall Exp(ComplexBall a, int precision)
    {
        var size = BallFunctions.Exp(a.Re, precision);
        if (a.IsReal) return size;
        var (sin, cos) = BallFunctions.SinCos(a.Im, precision);
        return new(Ball.Multiply(size, cos, precision), Ball.Multiply(size, sin, precision));
    }

    public static ComplexBall Log(ComplexBall a, int precision)
    {
        if (a.IsReal && a.Re.Sign > 0) return BallFunctions.Log(a.Re, precision);
        return new(BallFunctions.Log(Abs(a, precision), precision), Argument(a, precision));
    }

    public static ComplexBall Pow(ComplexBall a, int exponent, int precision)
    {
        ComplexBall result = Ball.One, square = exponent < 0 ? Divide(Ball.One, a, precision) : a;
        for (int rest = Math.Abs(exponent); rest > 0; rest >>= 1)
        {
            if ((rest & 1) != 0) result = Multiply(result, square, precision);
            if (rest > 1) square = Multiply(square, square, precision);
        }
        return result;
    }

    public static (ComplexBall Sin, ComplexBall Cos) SinCos(ComplexBall a, int precision)
    {
        if (a.IsReal)
        {
            var (sin, cos) = BallFunctions.SinCos(a.Re, precision);
            return (sin, cos);
        }
        var forward = Exp(Multiply(I, a, precision), precision);
        var back = Divide(Ball.One, forward, precision);
        var difference = Multiply(-I, Add(forward, -back, precision), precision);
        return (Halve(difference), Halve(Add(forward, back, precision)));
    }

    /// <summary>The angle in (-π, π].</summary>
    public static Ball Argument(ComplexBall a, int precision)
    {
        if (a.Re.Sign > 0) return BallFunctions.Atan(Ball.Divide(a.Im, a.Re, precision), precision);
        var pi = BallFunctions.Pi(precision);
        if (a.Im.Sign != 0)
        {
            var right = Ball.Scale(a.Im.Sign > 0 ? pi : -pi, -1);
            return Ball.Subtract(right, BallFunctions.Atan(Ball.Divide(a.Re, a.Im, precision), precision), precision);
        }
        return a.IsReal && a.Re.Sign < 0 ? pi : Ball.Unknown;
    }

    public static ComplexBall Halve(ComplexBall a) => new(Ball.Scale(a.Re, -1), Ball.Scale(a.Im, -1));

    private static Ball Norm(ComplexBall a, int precision) =>
        Ball.Add(Ball.Multiply(a.Re, a.Re, precision), Ball.Multiply(a.Im, a.Im, precision), precision);
}
