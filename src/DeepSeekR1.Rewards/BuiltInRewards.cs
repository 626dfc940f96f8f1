namespace DeepSeekR1.Rewards;

/// <summary>The rewards of this package by their config names.</summary>
internal static class BuiltInRewards
{
    public static IReadOnlyDictionary<string, Func<RewardOptions, IGroupReward>> Factories { get; } =
        new Dictionary<string, Func<RewardOptions, IGroupReward>>(StringComparer.OrdinalIgnoreCase)
        {
            ["accuracy"] = Accuracy,
            ["format"] = Format,
            ["language"] = Language,
            ["tag_count"] = options => new TagCountReward { OwnLines = options.Flag("own-lines", false) },
            ["reasoning_steps"] = ReasoningSteps,
            ["soft_overlong"] = SoftOverlong,
            ["cosine_length"] = CosineLength,
            ["group_length"] = options => new GroupLengthReward(Accuracy(options)) { Unit = options.Choice("unit", LengthUnit.Tokens) },
            ["repetition"] = Repetition,
            ["judge"] = Judge,
            ["code"] = Code,
        };

    private static AccuracyReward Accuracy(RewardOptions options)
    {
        var extractor = new AnswerExtractor();
        return new AccuracyReward
        {
            Extractor = extractor with
            {
                Strategies = options.Choices("strategies", extractor.Strategies),
                OnlyAfterThinking = options.Flag("only-after-thinking", extractor.OnlyAfterThinking),
                RequireThinking = options.Flag("require-thinking", extractor.RequireThinking),
            },
            ManyAnswers = options.Choice("many-answers", ManyAnswers.Wrong),
        };
    }

    private static IGroupReward Judge(RewardOptions options)
    {
        string address = options.Text("url") ?? throw new FormatException("reward 'judge': option 'url' is required, such as url=http://localhost:11434/v1");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new FormatException($"reward 'judge': option 'url' is '{address}', expected an address such as http://localhost:11434/v1");
        string model = options.Text("model") ?? throw new FormatException("reward 'judge': option 'model' is required");
        string? key = options.Text("key-env") is not { } variable ? null
            : Environment.GetEnvironmentVariable(variable) ?? throw new FormatException($"reward 'judge': the environment has no variable '{variable}' (option 'key-env')");
        var asked = new JudgeOptions
        {
            MaxConcurrency = options.Integer("concurrency", 4),
            RequestsPerMinute = options.Text("requests-per-minute") is null ? null : options.Integer("requests-per-minute", 0),
            CacheFolder = options.Text("cache"),
        };
        var rubric = options.Choice("rubric", JudgeRubric.Helpful) == JudgeRubric.Helpful ? Rubric.Helpful : Rubric.Harmless;
        var client = new OpenAICompatibleClient(url, model, key);
        return options.Flag("pairwise", false) ? new PairwiseJudgeReward(client, rubric, asked, options.Integer("opponents", 2)) : new JudgeReward(client, rubric, asked);
    }

    private enum JudgeRubric
    {
        Helpful,
        Harmless,
    }

    private static CodeReward Code(RewardOptions options)
    {
        var limits = new SandboxLimits();
        limits = limits with
        {
            Time = TimeSpan.FromSeconds(options.Number("seconds", limits.Time.TotalSeconds)),
            MemoryMebibytes = options.Integer("memory", limits.MemoryMebibytes),
        };
        var sandbox = new Sandbox(options.Integer("slots", 2), options.Choice("sandbox", SandboxLevel.Full));
        return new CodeReward(options.Choice("language", CodeLanguage.Python), sandbox, limits, options.Text("python") ?? "/usr/bin/python3") { Scoring = options.Choice("scoring", CodeScoring.AllOrNothing) };
    }

    private static FormatReward Format(RewardOptions options) => new()
    {
        Template = options.Choice("template", FormatTemplate.ThinkAnswer),
        PromptOpensThink = options.Flag("prompt-opens-think", false),
    };

    private static LanguageConsistencyReward Language(RewardOptions options) => new()
    {
        Language = options.Text("language") ?? LanguageConsistencyReward.Auto,
        WholeText = options.Flag("whole-text", false),
    };

    private static ReasoningStepsReward ReasoningSteps(RewardOptions options) => new()
    {
        WantedSteps = options.Integer("wanted-steps", 3),
        OpenR1 = options.Flag("open-r1", false),
    };

    private static SoftOverlongReward SoftOverlong(RewardOptions options)
    {
        int maxLength = options.RequiredInteger("max-length");
        return new SoftOverlongReward(maxLength, options.Integer("buffer", maxLength / 5));
    }

    private static CosineLengthReward CosineLength(RewardOptions options) => new(Accuracy(options))
    {
        MaxLength = options.Integer("max-length", 1000),
        Unit = options.Choice("unit", LengthUnit.Tokens),
        MinWrong = options.Number("min-wrong", -1),
        MaxWrong = options.Number("max-wrong", -0.5),
        MinCorrect = options.Number("min-correct", 0.5),
        MaxCorrect = options.Number("max-correct", 1),
    };

    private static RepetitionReward Repetition(RewardOptions options) =>
        new(options.Integer("size", 3), options.Number("max-penalty", -1)) { Unit = options.Choice("unit", RepetitionUnit.Tokens) };
}
