using System.Text.Json.Nodes;
using DeepSeekR1.Data;
using DeepSeekR1.Data.World;
using DeepSeekR1.Runtime;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>
/// The reward models (DeepSeek-R1, section 2.3.4): helpfulness from pairs of replies, safety from verdicts on single ones. Both
/// begin as the model whose replies they will judge.
/// </summary>
internal static class RewardModelStage
{
    public const string Helpful = "reward-model-helpful", Safety = "reward-model-safety";

    private const string DataName = "preferences", Pairs = "preferences.jsonl", HeldOutPairs = "preferences-heldout.jsonl", Verdicts = "verdicts.jsonl", HeldOutVerdicts = "verdicts-heldout.jsonl";

    /// <summary>Of the rows of a file, every so many is kept for the measurement.</summary>
    private const int HeldOutEvery = 10;

    /// <summary>The judge of helpfulness.</summary>
    public static StagePlan<RewardModel> PlanHelpful(RunContext run, string modelFolder, CancellationToken cancellationToken)
    {
        var (config, data) = (run.Recipe.RewardModel, run.Recipe.Data);
        var (examples, heldOut) = data.Preferences.Path is not null ? Split(Conversations(run, "data.preferences", PreferenceDataset.Pairs(data.Preferences, run.Recipe.Seed), pair => pair.Chosen))
            : Made(run, modelFolder, file => PreferenceDataset.Pairs(new DataConfig { Path = file }, run.Recipe.Seed), Pairs, HeldOutPairs, cancellationToken);
        return Plan(run, Helpful, $"pairwise on {examples.Length} pairs", modelFolder,
            model => Warned(run, "rewardModel.helpful", RewardModelTrainer.OnPairs(examples, model, config.Helpful, run.Recipe.Seed, run.Time)), model => RewardModelTrainer.Accuracy(model, heldOut), heldOut.Length);
    }

    /// <summary>The judge of safety.</summary>
    public static StagePlan<RewardModel> PlanSafety(RunContext run, string modelFolder, CancellationToken cancellationToken)
    {
        var (config, data) = (run.Recipe.RewardModel, run.Recipe.Data);
        var (examples, heldOut) = data.Verdicts.Path is not null ? Split(Conversations(run, "data.verdicts", PreferenceDataset.Verdicts(data.Verdicts, run.Recipe.Seed), verdict => verdict.Reply))
            : Made(run, modelFolder, file => PreferenceDataset.Verdicts(new DataConfig { Path = file }, run.Recipe.Seed), Verdicts, HeldOutVerdicts, cancellationToken);
        return Plan(run, Safety, $"pointwise on {examples.Length} replies", modelFolder,
            model => Warned(run, "rewardModel.safety", RewardModelTrainer.OnVerdicts(examples, model, config.Safety, run.Recipe.Seed, run.Time)), model => RewardModelTrainer.Accuracy(model, heldOut), heldOut.Length);
    }

    private static StagePlan<RewardModel> Plan(
        RunContext run, string name, string summary, string modelFolder, Func<RewardModel, ITrainer> createTrainer, Func<RewardModel, double> accuracy, int heldOut) =>
        new(name, summary, modelFolder, run.OpenJudge, createTrainer)
        {
            EvaluateEvery = heldOut > 0 ? int.MaxValue : 0,
            Evaluate = (model, step) =>
            {
                double share = accuracy(model);
                if (step > 0) run.Say($"{name}: right on {share:P1} of {heldOut} held-out examples");
                return Task.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double> { ["eval_heldout_accuracy"] = share });
            },
        };

    /// <summary>The examples, with a word of warning where they are not written as they will be judged.</summary>
    private static T[] Conversations<T>(RunContext run, string field, T[] examples, Func<T, SftExample> reply)
    {
        if (examples.Count(example => reply(example) is TextExample) is > 0 and var texts)
            run.Warn($"{texts} of {examples.Length} examples of {field} are plain text, which no chat template touches, while the judge will be shown conversations; write prompt and replies as messages.");
        return examples;
    }

    /// <summary>The trainer, with a word of warning where examples are too long for it.</summary>
    private static RewardModelTrainer Warned(RunContext run, string section, RewardModelTrainer trainer)
    {
        if (trainer.TooLong > 0) run.Warn($"{trainer.TooLong} examples have more than {trainer.Config.MaxLength} tokens and are left out; {section}.maxLength raises the limit.");
        return trainer;
    }

    private static (T[] Examples, T[] HeldOut) Split<T>(T[] rows) =>
        ([.. rows.Where((_, i) => i % HeldOutEvery != HeldOutEvery - 1)], [.. rows.Where((_, i) => i % HeldOutEvery == HeldOutEvery - 1)]);

    private static (T[] Examples, T[] HeldOut) Made<T>(RunContext run, string modelFolder, Func<string, T[]> load, string file, string heldOutFile, CancellationToken cancellationToken)
    {
        var data = new CuratedDataset(run, DataName);
        if (!data.IsMade) Make(run, data, modelFolder, cancellationToken);
        return (load(run.DataFile(file)), load(run.DataFile(heldOutFile)));
    }

    /// <summary>Lets the world's annotators judge written replies and the model's own.</summary>
    private static void Make(RunContext run, CuratedDataset data, string modelFolder, CancellationToken cancellationToken)
    {
        var world = run.Data.World ?? throw new R1Exception("Reward models have nothing to learn from: set data.preferences.path and data.verdicts.path.");
        var config = run.Recipe.RewardModel;
        long start = run.Time.GetTimestamp();
        using var policy = run.Open(modelFolder);
        var training = Replies(SampledSet.Preferences, config.Chats, world.Chats.Training, "preferences");
        var heldOut = Replies(SampledSet.HeldOutPreferences, config.HeldOutChats, world.Chats.Validation, "preferences-heldout");
        var order = new AddressedRandom(run.Recipe.Seed, RandomPurpose.Curation);
        data.Write(new Dictionary<string, IEnumerable<JsonObject>>
        {
            [Pairs] = Some(training.SelectMany(chat => ChatAnnotator.Pairs(chat.Task, chat.Id, chat.Replies)).Select(ToJson)),
            [HeldOutPairs] = heldOut.SelectMany(chat => ChatAnnotator.Pairs(chat.Task, chat.Id, chat.Replies)).Select(ToJson),
            [Verdicts] = training.SelectMany(chat => ChatAnnotator.Verdicts(chat.Task, chat.Id, chat.Replies)).Select(ToJson),
            [HeldOutVerdicts] = heldOut.SelectMany(chat => ChatAnnotator.Verdicts(chat.Task, chat.Id, chat.Replies)).Select(ToJson),
        }, run.Time.GetElapsedTime(start).TotalSeconds);

        (ChatTask Task, string Id, IEnumerable<string> Replies)[] Replies(SampledSet set, int count, Func<int, ChatTask> draw, string name)
        {
            ChatTask[] tasks = [.. Enumerable.Range(0, count).Select(draw)];
            var sampled = new SamplingPass(run, set, name).Run(policy, [.. tasks.Select((task, i) => task.ToPrompt($"world/{name}:{i}"))], config.Samples, config.Sampling, cancellationToken);
            return [.. tasks.Zip(sampled, (task, own) => (task, own.Prompt.Id, ChatAnnotator.WrittenReplies(task).Concat(own.Completions.Select(completion => completion.Text))))];
        }

        IEnumerable<JsonObject> Some(IEnumerable<JsonObject> rows)
        {
            JsonObject[] all = [.. rows];
            return order.Permutation(all.Length, (int)SampledSet.Preferences).Take(config.MaxPairs).Select(i => all[i]);
        }
    }

    private static JsonObject ToJson(PreferenceExample pair) =>
        new() { ["id"] = pair.Id, ["prompt"] = Prompt(pair.Chosen), ["chosen"] = pair.Chosen.Answer, ["rejected"] = pair.Rejected.Answer };

    private static JsonObject ToJson(VerdictExample verdict) =>
        new() { ["id"] = verdict.Reply.Id, ["prompt"] = Prompt(verdict.Reply), ["completion"] = verdict.Reply.Answer, ["label"] = verdict.IsGood };

    private static JsonArray Prompt(SftExample chat) => CuratedDataset.Messages(((ChatExample)chat).Prompt);
}
