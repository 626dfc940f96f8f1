using System.Numerics;
using DeepSeekR1.Rewards.Mathematics;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Elementary functions against digits computed with mpmath 1.3 at 70 digits, and against their own stated errors.</summary>
public class BallFunctionTests
{
    [Theory]
    [InlineData("exp", "1", "2.71828182845904523536028747135266249775724709369995957496697")]
    [InlineData("exp", "-37.5", "0.0000000000000000517555500580186853485109070573882994602481046781455005619575")]
    [InlineData("exp", "0.000000000000000000000000000001", "1.0000000000000000000000000000010000000000000000000000000000005")]
    [InlineData("log", "2", "0.69314718055994530941723212145817656807550013436025525412068")]
    [InlineData("log", "0.000000001", "-20.7232658369464111561619230921592778684099133976589567843")]
    [InlineData("log", "123456789.5", "18.6314017702180180618476835562243307614933421022821145431858")]
    [InlineData("log", "1.0000000000000000000000000000001", "0.0000000000000000000000000000000999999999999999999999999999999950000")]
    [InlineData("sin", "1", "0.841470984807896506652502321630298999622563060798371065672752")]
    [InlineData("sin", "22", "-0.00885130929040387592169025681577233246328920395133256644233084")]
    [InlineData("sin", "1000000", "-0.349993502171292952117652486780771469061406605328716273857059")]
    [InlineData("cos", "0.00000000000000000001", "0.99999999999999999999999999999999999999995")]
    [InlineData("cos", "355", "-0.999999999545658980165935841692754081123824951499928244771551")]
    [InlineData("atan", "0.5", "0.463647609000806116214256231461214402028537054286120263810933")]
    [InlineData("atan", "-3", "-1.24904577239825442582991707728109012307782940412989671905467")]
    [InlineData("atan", "10000000000000000000000000", "1.57079632679489661923132159163975144209858469968755291048747")]
    [InlineData("sqrt", "2", "1.41421356237309504880168872420969807856967187537694807317668")]
    [InlineData("sqrt", "0.0000000000000000000000000000000000000001", "0.00000000000000000001")]
    public void Has_the_digits_and_the_error_it_states(string function, string argument, string digits)
    {
        foreach (int precision in new[] { 192, 400, Ball.MaxPrecision })
        {
            var value = Apply(function, Ball.From(Parse(argument), precision + 64), precision);
            Assert.True(value.ErrorMagnitude <= 8 - precision, $"error 2^{value.ErrorMagnitude} at {precision} bits");

            // The reference has an error of its own, below 10^-55.
            var off = Ball.Abs(Ball.Subtract(value, Ball.From(Parse(digits), precision), precision));
            Assert.True(off.ToDouble() <= 1e-55 + Math.ScaleB(1, (int)value.ErrorMagnitude), $"{function}({argument}) is off by {off.ToDouble()}");
        }
    }

    /// <summary>A result at low precision contains the result at high precision, for arguments with and without an error.</summary>
    [Fact]
    public void Errors_are_bounds()
    {
        for (int i = 0; i < 400; i++)
        {
            var x = new Point(1, Region.Reals, i)["x"];
            foreach (string function in new[] { "exp", "log", "sin", "cos", "atan", "sqrt" })
            {
                if (x.Sign < 0 && function is "log" or "sqrt") continue;
                var fine = Apply(function, Ball.From(x, 600), 600);
                foreach (long error in new[] { long.MinValue, -150, -60, -20 })
                {
                    var argument = error == long.MinValue ? Ball.From(x, 192) : Ball.From(x + Shift(error), 192).Widened(error);
                    var coarse = Apply(function, argument, 192);
                    if (coarse.IsKnown) Assert.True(Ball.Subtract(coarse, fine, 700).MayBeZero, $"{function} of {(double)x.Numerator / (double)x.Denominator} ± 2^{error}");
                }
            }
        }
    }

    [Fact]
    public void Integer_roots_are_rounded_down()
    {
        for (int i = 0; i < 20_000; i++)
        {
            // Squares, their neighbours, and numbers that have nothing to do with squares; of 1 to 700 bits.
            var n = BigInteger.Abs(new Point(3, Region.LargeIntegers, i)["n"].Numerator) << (i * 7 % 660);
            foreach (var square in new[] { n, n * n, (n * n) - 1, (n * n) + 1, n / 625 })
            {
                var root = Ball.IntegerRoot(square);
                Assert.True(root * root <= square && (root + 1) * (root + 1) > square, $"{square}");
            }
        }
    }

    [Theory]
    [InlineData("1e-400 away", -1300)]
    [InlineData("1e-60 away", -200)]
    public void Tells_numbers_apart_or_admits_that_it_cannot(string _, int exponent)
    {
        Ball one = Ball.One, near = Ball.From(new Rational(1) + Shift(exponent), 192);
        var difference = Ball.Subtract(near, one, 192);
        Assert.True(difference.MayBeZero && difference.ErrorMagnitude >= exponent);
    }

    private static Rational Shift(long exponent) => new(BigInteger.One, BigInteger.One << (int)-exponent);

    private static Ball Apply(string function, Ball x, int precision) => function switch
    {
        "exp" => BallFunctions.Exp(x, precision),
        "log" => BallFunctions.Log(x, precision),
        "sin" => BallFunctions.SinCos(x, precision).Sin,
        "cos" => BallFunctions.SinCos(x, precision).Cos,
        "atan" => BallFunctions.Atan(x, precision),
        _ => Ball.Sqrt(x, precision),
    };

    private static Rational Parse(string digits)
    {
        int point = digits.IndexOf('.', StringComparison.Ordinal), decimals = point < 0 ? 0 : digits.Length - point - 1;
        return new Rational(BigInteger.Parse(digits.Replace(".", "", StringComparison.Ordinal)), BigInteger.Pow(10, decimals));
    }
}
