using DeepSeekR1.Data;
using DeepSeekR1.Data.World;
using DeepSeekR1.Rewards;
using DeepSeekR1.Text;

namespace DeepSeekR1.Stages;

/// <summary>What a run reads. Everything is by position, so that a resumed run goes on where it stopped.</summary>
internal sealed class RunData
{
    private readonly Func<int, Prompt>? _trainingPrompt;
    private readonly Func<int, Prompt>? _generalPrompt;
    private readonly Func<IReadOnlyList<SftExample>> _coldStart, _generalExamples;

    private RunData(Recipe recipe)
    {
        var (data, seed) = (recipe.Data, recipe.Seed);
        World = data.World is { } settings ? new ChainWorld(settings, seed) : null;
        Asked = data.Prompts;
        _trainingPrompt = data.Prompts.Path is not null ? Scheduled(PromptDataset.Load(data.Prompts, seed), seed)
            : World is { } world ? position => world.TrainProblem(position).ToPrompt($"world/train:{position}") : null;
        _generalPrompt = data.General.Path is not null ? Scheduled(PromptDataset.Load(data.General with { AllowMissingAnswers = true }, seed), seed)
            : World is { } chatting ? position => chatting.Chats.Training(position).ToPrompt($"world/chat:{position}") : null;
        _generalExamples = () => data.GeneralExamples.Path is not null ? SftDataset.Load(data.GeneralExamples, seed)
            : World is { } world ? [.. Enumerable.Range(0, recipe.RejectionSft.GeneralExamples).Select(world.Chats.Example)] : [];
        Validation = Load(data.Validation, seed, World is null ? null : World.ValidationPrompts);
        Test = Load(data.Test, seed, World is null ? null : World.TestPrompts);
        Longer = data.Test.Path is null && World is not null ? World.LongerPrompts() : [];
        _coldStart = () => data.ColdStart.Path is not null ? SftDataset.Load(AskedAlike(data.ColdStart), seed)
            : World is { } world ? [.. Enumerable.Range(0, recipe.ColdStart.Examples).Select(world.ColdStart)]
            : throw new R1Exception("The cold start has no worked solutions: set data.coldStart.path, or pass --data FILE.");
    }

    /// <summary>The embedded world; null where the data is in files.</summary>
    public ChainWorld? World { get; }

    /// <summary>How prompts are put to the model.</summary>
    public DataConfig Asked { get; }

    /// <summary>Prompts on which every choice is made; empty: there are none.</summary>
    public IReadOnlyList<Prompt> Validation { get; }

    /// <summary>Prompts for reported tables only; empty: there are none.</summary>
    public IReadOnlyList<Prompt> Test { get; }

    /// <summary>Prompts harder than any in training, for reported tables only; empty: there are none.</summary>
    public IReadOnlyList<Prompt> Longer { get; }

    /// <summary>The prompt at each position of training, from 0; there is no end of positions.</summary>
    /// <exception cref="R1Exception">The recipe names no prompts.</exception>
    public Func<int, Prompt> TrainingPrompt =>
        _trainingPrompt ?? throw new R1Exception("Reinforcement learning has no prompts: set data.prompts.path, or pass --data FILE.");

    /// <summary>The general or safety prompt at each position, from 0; there is no end of positions.</summary>
    /// <exception cref="R1Exception">The recipe names none.</exception>
    public Func<int, Prompt> GeneralPrompt => _generalPrompt ?? throw new R1Exception("There are no general prompts: set data.general.path, or allScenarioRl.generalShare to 0.");

    /// <summary>True where there are general prompts.</summary>
    public bool HasGeneralPrompts => _generalPrompt is not null;

    /// <summary>Reads everything that the recipe names.</summary>
    /// <exception cref="R1Exception">A file, a line or a field is amiss.</exception>
    public static RunData Load(Recipe recipe) => new(recipe);

    /// <summary>Worked solutions for the cold start.</summary>
    /// <exception cref="R1Exception">There are none, or the file is amiss.</exception>
    public IReadOnlyList<SftExample> ColdStart() => _coldStart();

    /// <summary>General conversations that fine-tuning on curated samples is joined with; may be none.</summary>
    /// <exception cref="R1Exception">The file is amiss.</exception>
    public IReadOnlyList<SftExample> GeneralExamples() => _generalExamples();

    /// <summary>The turns before an answer.</summary>
    public IReadOnlyList<ChatMessage> Ask(Prompt prompt) => PromptDataset.Messages(prompt, Asked);

    private static Prompt[] Load(DataConfig config, ulong seed, Func<Prompt[]>? world) =>
        config.Path is not null ? PromptDataset.Load(config, seed) : world?.Invoke() ?? [];

    private static Func<int, Prompt> Scheduled(Prompt[] prompts, ulong seed)
    {
        var schedule = new PromptSchedule(prompts.Length, seed);
        return position => prompts[schedule.IndexAt(position)];
    }

    /// <summary>Examples are asked as prompts are, unless they say otherwise.</summary>
    private DataConfig AskedAlike(DataConfig examples) => examples with
    {
        SystemPrompt = examples.SystemPrompt ?? Asked.SystemPrompt,
        PromptTemplate = examples.PromptTemplate == new DataConfig().PromptTemplate ? Asked.PromptTemplate : examples.PromptTemplate,
    };
}
