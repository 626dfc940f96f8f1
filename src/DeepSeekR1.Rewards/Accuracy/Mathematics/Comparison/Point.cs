using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Which numbers stand in for variables.</summary>
internal enum Region
{
    /// <summary>Whole numbers of up to forty bits of either sign: at one such point two different polynomials are equal with probability 2^-30.</summary>
    LargeIntegers,
    /// <summary>Multiples of 1/4096 of either sign, from near zero to some tens.</summary>
    Reals,
    /// <summary>1 to 40, for factorials, binomials and powers of −1.</summary>
    SmallIntegers,
}

/// <summary>
/// Numbers for variables. Each is a function of its address (what is compared, region, point, name), so a verdict never changes and no
/// answer can be made for points known beforehand.
/// </summary>
/// <param name="Seed">Made from the texts that are compared.</param>
/// <param name="Region">Where the numbers lie.</param>
/// <param name="Index">Which point.</param>
/// <param name="Scale">Two to this power is the size of the numbers, within a few bits; null takes the region's sizes.</param>
internal readonly record struct Point(ulong Seed, Region Region, int Index, int? Scale = null)
{
    private const int Denominator = 4096;

    /// <summary>The number for a variable.</summary>
    public Rational this[string name]
    {
        get
        {
            ulong bits = Mix(Seed ^ Mix(Hash(name) + ((ulong)Region << 32) + (ulong)Index + ((ulong)(Scale ?? 0) << 40)));
            bool isNegative = (bits & 1) != 0;
            bits >>= 1;
            if (Scale is { } scale) return OfScale(scale, bits, isNegative);
            if (Region == Region.SmallIntegers) return new Rational(1 + (int)(bits % 40));
            if (Region == Region.LargeIntegers) return Signed(1 + (bits & ((1UL << 40) - 1)), 1, isNegative);

            // Sizes of 1, 3, 10 and 40 take turns, so that roots, logarithms and inverse functions find arguments within their domains.
            ulong size = (bits & 3) switch { 0 => 1UL, 1 => 3, 2 => 10, _ => 40 };
            return Signed(1 + ((bits >> 2) % (size * Denominator)), Denominator, isNegative);
        }
    }

    /// <summary>FNV-1a over the UTF-16 units.</summary>
    public static ulong Hash(string text, ulong hash = 0xCBF29CE484222325)
    {
        foreach (char c in text) hash = (hash ^ c) * 0x100000001B3;
        return hash;
    }

    /// <summary>
    /// Above a constant of this scale, or below it, by up to three bits; a whole number at least 1 in the region of those. Of each side and sign there is
    /// one point at which all variables are; at the others each goes its own way.
    /// </summary>
    private Rational OfScale(int scale, ulong bits, bool isNegative)
    {
        bool isAbove = Index < 4 ? (Index & 2) == 0 : (bits & 1) == 0;
        if (Index < 4) isNegative = (Index & 1) != 0;
        int span = isAbove ? 7 * Denominator : 7 * Denominator / 16, least = isAbove ? Denominator : Denominator / 16;
        BigInteger numerator = least + (int)((bits >> 1) % (ulong)span), denominator = Denominator;
        if (scale >= 0) numerator <<= scale;
        else denominator <<= -scale;
        return Region == Region.SmallIntegers ? new Rational(BigInteger.Max(1, numerator / denominator)) : new Rational(isNegative ? -numerator : numerator, denominator);
    }

    private static Rational Signed(BigInteger numerator, int denominator, bool isNegative) => new(isNegative ? -numerator : numerator, denominator);

    /// <summary>The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).</summary>
    private static ulong Mix(ulong bits)
    {
        bits += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
