using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>What all stages of one run share.</summary>
internal sealed record RunContext(Recipe Recipe, RunData Data, RunFolder Folder, IRunObserver Observer, TorchRuntime Runtime, TimeProvider Time, bool IsProfiled = false)
{
    /// <summary>Opens a model that is asked as this run asks.</summary>
    public PolicyModel Open(string modelFolder)
    {
        var policy = PolicyModel.Load(modelFolder, Runtime);
        policy.Ask = Data.Ask;
        policy.Model.GradientCheckpointing = Recipe.Model.GradientCheckpointing;
        return policy;
    }

    /// <summary>
    /// How a stage opens what it trains, its model or its own checkpoint: where the recipe has an adapter, the model stays as it is and
    /// a checkpoint holds the adapter.
    /// </summary>
    /// <param name="modelFolder">The model that the stage starts from.</param>
    public Func<string, PolicyModel> OpensToTrain(string modelFolder) => folder =>
    {
        var lora = Recipe.Model.Lora;
        var policy = Open(lora is null ? folder : modelFolder);
        try
        {
            if (lora is not null && folder == modelFolder) policy.AttachAdapter(lora, new AddressedRandom(Recipe.Seed, RandomPurpose.Weights));
            else if (lora is not null) policy.LoadAdapter(folder);
            return policy;
        }
        catch
        {
            policy.Dispose();
            throw;
        }
    };

    /// <summary>Opens a reward model, or a policy to be made one.</summary>
    public RewardModel OpenJudge(string modelFolder)
    {
        var judge = RewardModel.Open(modelFolder, Runtime, new AddressedRandom(Recipe.Seed, RandomPurpose.Weights));
        judge.Model.GradientCheckpointing = Recipe.Model.GradientCheckpointing;
        return judge;
    }

    /// <summary>Where a data set that the run makes for itself is kept.</summary>
    public string DataFile(string name)
    {
        string folder = Path.Combine(Folder.FolderPath, "data");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, name);
    }

    public void Warn(string text) => Observer.Said(new RunMessage(MessageLevel.Warning, text));

    public void Say(string text) => Observer.Said(new RunMessage(MessageLevel.Information, text));
}
