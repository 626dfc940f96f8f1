using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>To which part of the world a chain belongs.</summary>
public enum WorldSplit
{
    /// <summary>May occur in training texts.</summary>
    Train,
    /// <summary>Every choice is made on it.</summary>
    Validation,
    /// <summary>Only reported tables open it.</summary>
    Test,
}

/// <summary>
/// Assigns chains to splits by their start and first two turns, so that a chain and all its extensions share a split: no training
/// text can hold a held-out chain or go on from one. The assignment is part of the world and the same for every seed.
/// </summary>
internal sealed class ChainSplitter(WorldConfig config)
{
    private static readonly AddressedRandom _assignment = new(0, RandomPurpose.World);

    public WorldSplit Of(Chain chain)
    {
        // A single step is a fact, not a chain.
        if (chain.Length < 2) return WorldSplit.Train;
        double u = _assignment.Uniform((int)WorldAddress.ChainAssignment, chain.Start, chain.Turns[0], chain.Turns[1]);
        return u < config.ValidationShare ? WorldSplit.Validation
            : u < config.ValidationShare + config.TestShare ? WorldSplit.Test
            : WorldSplit.Train;
    }
}

/// <summary>The first part of a draw's address in the world: what kind of thing is drawn.</summary>
internal enum WorldAddress
{
    TrainProblem = 0,
    ValidationProblem = 1,
    TestProblem = 2,
    LongerProblem = 3,
    WebDocument = 4,
    ColdStart = 5,
    ChatTraining = 6,
    ChatTest = 7,
    ChatExample = 8,
    ChainAssignment = 9,
    ChatAssignment = 10,
    ChatValidation = 11,
}
