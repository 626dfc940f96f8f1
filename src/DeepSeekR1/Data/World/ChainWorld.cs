using DeepSeekR1.Configuration;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The embedded world: everything in it is generated, verifiable, and a pure function of a seed and an index. Validation and test
/// problems come from the settings' own seed, so that every run is measured on the same ones. Thread-safe.
/// </summary>
public sealed class ChainWorld
{
    private readonly WorldConfig _config;
    private readonly ProblemGenerator _problems;
    private readonly ReasoningWriter _writer;
    private readonly AddressedRandom _random;

    /// <summary>The world of these settings, its training part drawn with this seed.</summary>
    /// <exception cref="R1Exception">The settings contradict each other.</exception>
    public ChainWorld(WorldConfig config, ulong seed)
    {
        ConfigRules.Check(config, "the world's settings");
        _config = config;
        _problems = new ProblemGenerator(config);
        _writer = new ReasoningWriter(config.DialPositions);
        _random = new AddressedRandom(seed, RandomPurpose.World);
        Vocabulary = new WorldVocabulary(config);
        Chats = new ChatTasks(seed, (ulong)config.EvaluationSeed);
        Corpus = new WebCorpus(config, _problems, _random);
    }

    /// <summary>The words of the world.</summary>
    public WorldVocabulary Vocabulary { get; }

    /// <summary>The text of the base model.</summary>
    public WebCorpus Corpus { get; }

    /// <summary>General and safety prompts.</summary>
    public ChatTasks Chats { get; }

    /// <summary>The training problem at this index, from 0; there is no end of them.</summary>
    public ChainProblem TrainProblem(int index) =>
        _problems.Problem(_random.Stream((int)WorldAddress.TrainProblem, index), WorldSplit.Train, _config.ShortestChain, _config.LongestChain);

    /// <summary>The first training problems as prompts.</summary>
    public Prompt[] TrainPrompts(int count) => Prompts("train", count, TrainProblem);

    /// <summary>The validation problems, on which every choice is made.</summary>
    public Prompt[] ValidationPrompts() => Prompts("validation", _config.ValidationProblems, ValidationProblem);

    /// <summary>The test problems, for reported tables only.</summary>
    public Prompt[] TestPrompts() => Prompts("test", _config.TestProblems, TestProblem);

    /// <summary>Test problems with chains longer than any in training, for reported tables only.</summary>
    public Prompt[] LongerPrompts() => Prompts("longer", _config.LongerProblems, LongerProblem);

    /// <summary>The chats of the validation, on which every choice is made.</summary>
    public ChatTask[] ValidationChats() => [.. Enumerable.Range(0, _config.ChatPrompts).Select(Chats.Validation)];

    /// <summary>The chats of the test, for reported tables only.</summary>
    public ChatTask[] TestChats() => [.. Enumerable.Range(0, _config.ChatPrompts).Select(Chats.Test)];

    /// <summary>
    /// The cold-start example at this index, from 0: month-by-month reasoning without an error, in the prompt's language, in the
    /// think/answer shape.
    /// </summary>
    public ChatExample ColdStart(int index)
    {
        var stream = _random.Stream((int)WorldAddress.ColdStart, index);
        var problem = _problems.Problem(stream, WorldSplit.Train, _config.ShortestChain, _config.LongestChain);
        var (reasoning, result) = _writer.Write(stream, problem, ReasoningStyle.Long, WebCorpus.Speak(problem.Language), Diligence.Perfect);
        return SftExample.Chat($"world/cold-start:{index}", problem.Text, WebCorpus.Tagged(reasoning, result));
    }

    internal ChainProblem ValidationProblem(int index) =>
        HeldOut(WorldAddress.ValidationProblem, index, WorldSplit.Validation, _config.ShortestChain, _config.LongestChain);

    internal ChainProblem TestProblem(int index) =>
        HeldOut(WorldAddress.TestProblem, index, WorldSplit.Test, _config.ShortestChain, _config.LongestChain);

    internal ChainProblem LongerProblem(int index) =>
        HeldOut(WorldAddress.LongerProblem, index, WorldSplit.Test, _config.ShortestLongerChain, _config.LongestLongerChain);

    private ChainProblem HeldOut(WorldAddress address, int index, WorldSplit split, int shortest, int longest)
    {
        var random = new AddressedRandom((ulong)_config.EvaluationSeed, RandomPurpose.World);
        return _problems.Problem(random.Stream((int)address, index), split, shortest, longest);
    }

    private static Prompt[] Prompts(string set, int count, Func<int, ChainProblem> problem) =>
        [.. Enumerable.Range(0, count).Select(i => problem(i).ToPrompt($"world/{set}:{i}"))];
}
