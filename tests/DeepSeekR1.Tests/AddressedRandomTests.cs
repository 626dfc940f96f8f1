using DeepSeekR1.Runtime;

namespace DeepSeekR1.Tests;

public class AddressedRandomTests
{
    // Known answers of Random123's kat_vectors for philox4x32, 10 rounds.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), AddressedRandom.Philox4x32(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void A_stream_draws_the_uniforms_at_consecutive_positions()
    {
        var random = new AddressedRandom(7, RandomPurpose.Rollout);
        var stream = random.Stream(step: 3, prompt: 2, sample: 1);
        for (int position = 0; position < 5; position++)
            Assert.Equal(random.Uniform(3, 2, 1, position), stream.Uniform());
    }

    [Fact]
    public void Purposes_and_seeds_have_different_draws()
    {
        var draws = new HashSet<double>();
        foreach (var purpose in Enum.GetValues<RandomPurpose>())
            foreach (ulong seed in new[] { 1UL, 2UL, 1UL << 40 })
                Assert.True(draws.Add(new AddressedRandom(seed, purpose).Uniform(0, 0, 0, 0)));
    }

    [Fact]
    public void A_permutation_has_each_index_once() =>
        Assert.Equal(Enumerable.Range(0, 100), new AddressedRandom(1, RandomPurpose.Order).Permutation(100).Order());

    [Fact]
    public void Normal_numbers_have_the_wanted_mean_and_deviation()
    {
        var values = new float[100_001];
        new AddressedRandom(5, RandomPurpose.Weights).Stream().Normal(values, 0.5);
        double mean = values.Average(v => (double)v), deviation = Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
        Assert.InRange(mean, -0.01, 0.01);
        Assert.InRange(deviation, 0.495, 0.505);
    }
}
