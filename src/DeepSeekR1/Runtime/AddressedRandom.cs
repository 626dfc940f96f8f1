namespace DeepSeekR1.Runtime;

/// <summary>What a random draw is for. Part of its address, so that draws of different kinds never coincide.</summary>
public enum RandomPurpose
{
    /// <summary>Initial weights of a model; step = index of the parameter.</summary>
    Weights = 1,
    /// <summary>Order of prompts or documents; step = epoch.</summary>
    Order = 2,
    /// <summary>Generated documents and problems; step = split, prompt = index.</summary>
    World = 3,
    /// <summary>Tokens of training rollouts; the full address (step, prompt, sample, position).</summary>
    Rollout = 4,
    /// <summary>Tokens sampled for evaluation; step = training step at which it runs.</summary>
    Evaluation = 5,
    /// <summary>Tokens sampled on a user's request.</summary>
    Generation = 6,
    /// <summary>Points at which formulas are compared.</summary>
    Verification = 7,
    /// <summary>Samples that data sets are made of; step = the data set.</summary>
    Curation = 8,
}

/// <summary>
/// Counter-based random numbers: every draw is a pure function of the run's seed and an address, never of a shared stream, so a
/// run depends neither on batch composition nor on threads, and a resumed run repeats itself bit for bit.
/// Philox4x32-10 of Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011).
/// </summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Purpose">What the draws are for.</param>
public readonly record struct AddressedRandom(ulong Seed, RandomPurpose Purpose)
{
    /// <summary>The uniform number in [0, 1) with 53 random bits that lives at this address.</summary>
    public double Uniform(int step, int prompt, int sample, int position)
    {
        var (x0, x1, _, _) = Block(step, prompt, sample, position);
        return ToUniform(x0, x1);
    }

    /// <summary>The stream of draws at positions 0, 1, 2, … of one address.</summary>
    public AddressedStream Stream(int step = 0, int prompt = 0, int sample = 0) => new(this, step, prompt, sample);

    /// <summary>A random permutation of 0 … <paramref name="count"/>-1 (Fisher-Yates).</summary>
    public int[] Permutation(int count, int step = 0)
    {
        var order = new int[count];
        for (int i = 0; i < count; i++) order[i] = i;
        var stream = Stream(step);
        for (int i = count - 1; i > 0; i--)
        {
            int j = stream.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    internal (uint, uint, uint, uint) Block(int step, int prompt, int sample, int position) =>
        Philox4x32((uint)position, (uint)sample, (uint)prompt, (uint)step, (uint)Seed, (uint)(Seed >> 32) ^ ((uint)Purpose << 24));

    internal static double ToUniform(uint high, uint low) => ((((ulong)high << 32) | low) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Ten rounds of Philox on one counter block.</summary>
    internal static (uint, uint, uint, uint) Philox4x32(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * c0, p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }
}

/// <summary>Consecutive draws at one address; a mutable cursor, not shared between threads.</summary>
public sealed class AddressedStream
{
    private readonly AddressedRandom _random;
    private readonly int _step, _prompt, _sample;
    private int _position;

    internal AddressedStream(AddressedRandom random, int step, int prompt, int sample) =>
        (_random, _step, _prompt, _sample) = (random, step, prompt, sample);

    /// <summary>The next uniform number in [0, 1).</summary>
    public double Uniform() => _random.Uniform(_step, _prompt, _sample, _position++);

    /// <summary>The next integer in [0, <paramref name="bound"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)(Uniform() * bound);
    }

    /// <summary>The next integer in [<paramref name="low"/>, <paramref name="high"/>], both included.</summary>
    public int Between(int low, int high) => low + Next(high - low + 1);

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => Uniform() < probability;

    /// <summary>One of the choices, each as likely.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    /// <summary>Fills with normal numbers of mean 0 and the given standard deviation (Box-Muller).</summary>
    public void Normal(Span<float> values, double standardDeviation)
    {
        for (int i = 0; i < values.Length; i += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform())) * standardDeviation, angle = 2 * Math.PI * Uniform();
            values[i] = (float)(radius * Math.Cos(angle));
            if (i + 1 < values.Length) values[i + 1] = (float)(radius * Math.Sin(angle));
        }
    }
}
