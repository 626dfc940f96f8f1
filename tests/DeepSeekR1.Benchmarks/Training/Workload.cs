using System.Globalization;
using DeepSeekR1.Benchmarks.Rollouts;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Benchmarks.Training;

/// <summary>The tokens that all contestants get.</summary>
internal static class Workload
{
    public const int PromptLength = 128, NewTokens = 128, GroupSize = 8;

    /// <summary>Four sequences of 256 tokens.</summary>
    public static int[][] Sequences { get; } = [.. Enumerable.Range(0, 4).Select(row => Ids(row, 256))];

    /// <summary>One prompt with eight completions.</summary>
    public static int[][] Group { get; } = [.. Enumerable.Range(0, GroupSize).Select(i => (int[])[.. Ids(100, PromptLength), .. Ids(101 + i, NewTokens)])];

    /// <summary>So many prompts, as the step names them.</summary>
    public static int[][] Prompts(string count) => [.. Enumerable.Range(0, int.Parse(count, CultureInfo.InvariantCulture)).Select(i => Ids(200 + i, PromptLength))];

    private static int[] Ids(int stream, int length)
    {
        var random = new AddressedRandom(1, RandomPurpose.Verification).Stream(sample: stream);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Shapes.SmolLm2.VocabularySize))];
    }
}
