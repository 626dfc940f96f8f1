using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>Draws chains and problems of a split.</summary>
internal sealed class ProblemGenerator(WorldConfig config)
{
    private static readonly WorldLanguage[] _languages = [WorldLanguage.English, WorldLanguage.Chinese];

    public ChainSplitter Splitter { get; } = new(config);

    public int DialPositions => config.DialPositions;

    public ChainProblem Problem(AddressedStream stream, WorldSplit split, int shortest, int longest)
    {
        var language = stream.Pick(_languages);
        int length = stream.Between(shortest, longest);
        var chain = Chain(stream, split, length);
        int firstMonth = FirstMonth(stream, length);
        return new ChainProblem(chain, language, firstMonth, stream.Pick(Lexicon.Names), config.DialPositions);
    }

    /// <summary>A chain of the split: drawn until one belongs to it.</summary>
    public Chain Chain(AddressedStream stream, WorldSplit split, int length)
    {
        while (true)
        {
            int start = stream.Next(config.DialPositions);
            var turns = new int[length];
            for (int i = 0; i < length; i++)
                turns[i] = stream.Between(1, config.LargestTurn) * (stream.Chance(0.5) ? 1 : -1);
            var chain = new Chain(start, turns);
            if (Splitter.Of(chain) == split) return chain;
        }
    }

    public static int FirstMonth(AddressedStream stream, int length) => stream.Between(0, Lexicon.Months.Length - length);
}
