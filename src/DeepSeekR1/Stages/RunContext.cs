using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>What all stages of one run share.</summary>
internal sealed record RunContext(Recipe Recipe, RunData Data, RunFolder Folder, IRunObserver Observer, TorchRuntime Runtime, TimeProvider Time)
{
    /// <summary>Opens a model that is asked as this run asks.</summary>
    public PolicyModel Open(string modelFolder)
    {
        var policy = PolicyModel.Load(modelFolder, Runtime);
        policy.Ask = Data.Ask;
        return policy;
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
