using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Functions of one and more arguments.</summary>
internal sealed partial class Evaluator
{
    private Value? Evaluate(Apply apply)
    {
        var arguments = new Value[apply.Arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            if (Evaluate(apply.Arguments[i]) is not { } value) return null;
            arguments[i] = value;
        }
        return arguments.Length switch
        {
            1 => OfOne(apply.Function, arguments[0]),
            2 when apply.Function is Function.LogBase => Divide(Log(arguments[1]), Log(arguments[0])),
            2 when apply.Function is Function.Root => Root(arguments[0], arguments[1]),
            2 when apply.Function is Function.Ratio => Divide(arguments[0], arguments[1]),
            2 when apply.Function is Function.Mod => Remainder(arguments[0], arguments[1]),
            2 when apply.Function is Function.Binomial => Binomial(arguments[0], arguments[1]),
            _ => OfMany(apply.Function, arguments),
        };
    }

    private Value? OfOne(Function function, Value x) => function switch
    {
        Function.Sqrt => Sqrt(x),
        Function.Exp => Exp(x),
        Function.Ln => Log(x),
        Function.Log => IsLogNatural ? Log(x) : Divide(Log(x), Log(new ExactValue(10))),
        Function.Abs => Abs(x),
        Function.Floor => x is ExactValue { Number: var n } ? Exact(new Rational(n.Floor())) : null,
        Function.Ceiling => x is ExactValue { Number: var n } ? Exact(new Rational(-(-n).Floor())) : null,
        Function.Factorial => Factorial(x, step: 1),
        Function.DoubleFactorial => Factorial(x, step: 2),
        Function.Conjugate => x is ApproximateValue { Number: var z } ? new ApproximateValue(ComplexBall.Conjugate(z)) : x,
        Function.RealPart => x is ApproximateValue { Number: var z } ? new ApproximateValue(z.Re) : x,
        Function.ImaginaryPart => x is ApproximateValue { Number: var z } ? new ApproximateValue(z.Im) : new ExactValue(0),
        Function.Sin or Function.Cos or Function.Tan or Function.Cot or Function.Sec or Function.Csc => Circular(function, x),
        Function.Sinh or Function.Cosh or Function.Tanh or Function.Coth or Function.Sech or Function.Csch => Hyperbolic(function, x),
        Function.ArcSin or Function.ArcCos or Function.ArcTan or Function.ArcCot or Function.ArcSec or Function.ArcCsc => Inverse(function, x),
        Function.Gcd or Function.Lcm or Function.Max or Function.Min => x,
        _ => null,
    };

    private Value? Abs(Value x) => x switch
    {
        ExactValue exact => Exact(Rational.Abs(exact.Number)),
        ApproximateValue approximate => Approximate(ComplexBall.Abs(approximate.Number, precision), 12),
        _ => null,
    };

    private Value? Log(Value x)
    {
        if (x is ExactValue { Number: var number } && number.Equals(1)) return new ExactValue(0);
        if (ToBall(x) is not { } z || z.MayBeZero || (!isComplex && !(z.IsReal && z.Re.Sign > 0))) return null;
        return Approximate(ComplexBall.Log(z, precision), 200);
    }

    /// <summary>The real root of odd index where the radicand is negative.</summary>
    private Value? Root(Value index, Value radicand)
    {
        if (index is not ExactValue { Number: var n } || !n.TryInteger(1000, out int degree) || degree < 1) return null;
        if (degree == 2) return Sqrt(radicand);
        if (radicand is ExactValue { Number.IsZero: true }) return radicand;
        bool isNegative = ToBall(radicand) is { IsReal: true, Re.Sign: < 0 };
        if (isNegative && degree % 2 == 1) return Root(index, Negate(radicand)) is { } root ? Negate(root) : null;
        return Raise(radicand, Exact(new Rational(1, degree)));
    }

    private Value? Circular(Function function, Value x)
    {
        if (x is ExactValue { Number.IsZero: true } && function is Function.Sin or Function.Tan) return x;
        if (ToBall(x) is not { } z) return null;
        var (sin, cos) = ComplexBall.SinCos(z, precision);
        var (upper, lower) = function switch
        {
            Function.Sin => (sin, Ball.One),
            Function.Cos => (cos, Ball.One),
            Function.Tan => (sin, cos),
            Function.Cot => (cos, sin),
            Function.Sec => (Ball.One, cos),
            _ => ((ComplexBall)Ball.One, sin),
        };
        if (lower.MayBeZero) return null;
        return Approximate(function is Function.Sin or Function.Cos ? upper : ComplexBall.Divide(upper, lower, precision), 150);
    }

    private Value? Hyperbolic(Function function, Value x)
    {
        if (Exp(x) is not { } forward || Divide(new ExactValue(1), forward) is not { } back) return null;
        Value? sinh = Multiply(Add(forward, Negate(back)), Exact(new Rational(1, 2))), cosh = Multiply(Add(forward, back), Exact(new Rational(1, 2)));
        return function switch
        {
            Function.Sinh => sinh,
            Function.Cosh => cosh,
            Function.Tanh => Divide(sinh, cosh),
            Function.Coth => Divide(cosh, sinh),
            Function.Sech => Divide(new ExactValue(1), cosh),
            _ => Divide(new ExactValue(1), sinh),
        };
    }

    /// <summary>Inverse circular functions of real arguments within their domains.</summary>
    private Value? Inverse(Function function, Value x)
    {
        if (function is Function.ArcSec or Function.ArcCsc)
            return Divide(new ExactValue(1), x) is { } inverse ? Inverse(function == Function.ArcSec ? Function.ArcCos : Function.ArcSin, inverse) : null;
        if (ToBall(x) is not { IsReal: true, Re: var real }) return null;
        var right = Ball.Scale(BallFunctions.Pi(precision), -1);
        if (function is Function.ArcTan or Function.ArcCot)
        {
            var angle = BallFunctions.Atan(real, precision);
            return Approximate(function == Function.ArcTan ? angle : Ball.Subtract(right, angle, precision), 200);
        }
        if (ArcSin(x, real, right) is not { } sine) return null;
        return Approximate(function == Function.ArcSin ? sine : Ball.Subtract(right, sine, precision), 220);
    }

    private Ball? ArcSin(Value x, Ball real, Ball right)
    {
        if (x is ExactValue { Number: var number } && Rational.Abs(number).Equals(1)) return number.Sign > 0 ? right : -right;
        var cosine = Ball.Subtract(Ball.One, Ball.Multiply(real, real, precision), precision);
        if (cosine.Sign <= 0) return null;
        return BallFunctions.Atan(Ball.Divide(real, Ball.Sqrt(cosine, precision), precision), precision);
    }

    private ExactValue? Factorial(Value x, int step)
    {
        if (x is not ExactValue { Number: var number } || !number.TryInteger(MaxFactorial, out int n) || n < 0) return null;
        return budget.Spend(1 + ((long)n * n / 2000)) ? Exact(new Rational(Falling(n, Math.Max(n / step, 1), step))) : null;
    }

    /// <summary>n·(n − step)·(n − 2·step)… of so many factors, by halves, so that long numbers meet long ones.</summary>
    private static BigInteger Falling(int n, int count, int step)
    {
        if (count <= 4)
        {
            long product = 1; // Four factors of fourteen bits.
            for (int i = 0; i < count; i++) product *= Math.Max(n - (i * step), 1);
            return product;
        }
        int half = count / 2;
        return Falling(n, half, step) * Falling(n - (half * step), count - half, step);
    }

    private ExactValue? Binomial(Value upper, Value lower)
    {
        if (upper is not ExactValue { Number: var a } || lower is not ExactValue { Number: var b }) return null;
        if (!a.TryInteger(MaxFactorial, out int n) || !b.TryInteger(MaxFactorial, out int k) || n < 0 || k < 0) return null;
        if (k > n) return new ExactValue(0);
        k = Math.Min(k, n - k);
        return budget.Spend(1 + ((long)k * k / 1000)) ? Exact(new Rational(Falling(n, Math.Max(k, 0), 1) / Falling(k, k, 1))) : null;
    }

    private static ExactValue? Remainder(Value dividend, Value divisor)
    {
        if (dividend is not ExactValue { Number: var a } || divisor is not ExactValue { Number: { IsZero: false } m }) return null;
        return Exact(a - (m * new Rational((a / m).Floor())));
    }

    private ExactValue? OfMany(Function function, Value[] values)
    {
        if (!values.All(value => value is ExactValue) || !budget.Spend(values.Length)) return null;
        var numbers = values.Select(value => ((ExactValue)value).Number).ToArray();
        if (function is Function.Max or Function.Min) return Exact(function == Function.Max ? numbers.Max() : numbers.Min());
        if (function is not (Function.Gcd or Function.Lcm) || !numbers.All(number => number.TryInteger(out _)) || numbers.Sum(number => number.Bits) > 4096) return null;
        var divisor = numbers.Select(number => number.Floor()).Aggregate(BigInteger.GreatestCommonDivisor);
        if (function == Function.Gcd) return Exact(new Rational(divisor));
        return numbers.Any(number => number.IsZero)
            ? new ExactValue(0)
            : Exact(new Rational(numbers.Select(number => BigInteger.Abs(number.Floor())).Aggregate((a, b) => a / BigInteger.GreatestCommonDivisor(a, b) * b)));
    }
}
