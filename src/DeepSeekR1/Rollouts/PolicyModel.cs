using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;
using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts;

/// <summary>The policy: a decoder with its tokenizer, chat template and stop tokens; what a Hugging Face folder holds. Not thread-safe.</summary>
public sealed class PolicyModel : IModelFolder
{
    private const string AdapterFolder = "adapter";

    private readonly PolicyText _text;
    private IDecoder? _decoder;
    private bool _isDecoderStale;

    private PolicyModel(string folder, CausalLM model, PolicyText text, TorchRuntime runtime)
    {
        (Folder, Model, _text, Runtime) = (folder, model, text, runtime);
        RolloutMemory = new RolloutMemory(canHalve: model.Device.type != TorchSharp.DeviceType.CPU);
    }

    /// <summary>The folder that it was opened from.</summary>
    public string Folder { get; }

    /// <summary>The decoder whose weights are trained.</summary>
    public CausalLM Model { get; }

    /// <summary>Text to ids and back.</summary>
    public HfTokenizer Tokenizer => _text.Tokenizer;

    /// <summary>How a conversation becomes text; null: questions are given to the model as they are.</summary>
    public ChatTemplate? Template => _text.Template;

    /// <summary>Tokens that end a completion, ascending.</summary>
    public IReadOnlyList<int> StopIds => _text.StopIds;

    /// <summary>Where it computes.</summary>
    public TorchRuntime Runtime { get; }

    /// <summary>How many sequences memory holds, which all engines learn together.</summary>
    internal RolloutMemory RolloutMemory { get; }

    /// <summary>How a prompt is put to the model: the turns before its answer.</summary>
    public Func<Prompt, IReadOnlyList<ChatMessage>> Ask { get; set; } = prompt => PromptDataset.Messages(prompt, new DataConfig());

    /// <summary>Opens a Hugging Face folder, or that of an adapter in PEFT's layout, which is added to the weights of its base.</summary>
    /// <exception cref="R1Exception">The folder is no model that can be opened; names the file and what was expected.</exception>
    public static PolicyModel Load(string folder, TorchRuntime runtime, ScalarType? dtype = null) => Load(folder, () => runtime, dtype);

    /// <summary>The same where LibTorch is not loaded yet: tokenizer and weights do not wait for one another.</summary>
    internal static PolicyModel Load(string folder, Func<TorchRuntime> createRuntime, ScalarType? dtype = null)
    {
        if (PeftAdapter.IsAdapter(folder)) return LoadWithAdapter(folder, createRuntime(), dtype);
        HfCheckpoint.LoadConfig(folder);
        var text = new Aside<PolicyText>(() => PolicyText.Load(folder));
        var runtime = createRuntime();
        CausalLM? model = null;
        try
        {
            model = HfCheckpoint.LoadModel(folder, runtime, dtype);
            return new PolicyModel(folder, model, text.Join(), runtime);
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }

    /// <summary>Trains a fresh adapter from here on, in place of the weights.</summary>
    /// <exception cref="R1Exception">An impossible setting, a target that the model does not have, or an adapter that is there already.</exception>
    public void AttachAdapter(LoraConfig config, AddressedRandom init)
    {
        LoraAdapter.Attach(Model, config, init);
        WeightsChanged();
    }

    /// <summary>Goes on training a saved adapter, in place of the weights.</summary>
    /// <exception cref="R1Exception">The folder is missing or damaged, or does not fit the model.</exception>
    public void LoadAdapter(string folder)
    {
        PeftAdapter.Load(Model, folder);
        WeightsChanged();
    }

    /// <summary>What the model reads before it answers: asked, chat template applied, tokenised once.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="index">Its place in the run or data set; part of the address of every draw.</param>
    /// <exception cref="R1Exception">The chat template refuses the conversation.</exception>
    public EncodedPrompt Encode(Prompt prompt, int index)
    {
        var turns = Ask(prompt);
        int[] ids = Template is null
            ? Tokenizer.Encode(string.Join("\n\n", turns.Select(turn => turn.Content)))
            : Template.Encode(Tokenizer, turns, addGenerationPrompt: true);
        return new EncodedPrompt(prompt, ids, index);
    }

    /// <summary>An engine that samples from the weights as they are now.</summary>
    public RolloutEngine Engine(RolloutLimits limits) => new(Decoder(), Tokenizer, StopIds, limits, Runtime.Threads) { Memory = RolloutMemory };

    /// <summary>The decoder that samples, with the weights as they are now.</summary>
    internal IDecoder Decoder()
    {
        _decoder ??= Decoders.For(Model, Runtime);
        if (_isDecoderStale) _decoder.Refresh();
        _isDecoderStale = false;
        return _decoder;
    }

    /// <summary>Tells that the weights were updated: the next engine takes them over.</summary>
    public void WeightsChanged() => _isDecoderStale = _decoder is not null;

    /// <summary>Writes a folder that transformers, vLLM and <see cref="Load(string, TorchRuntime, ScalarType?)"/> open; where an adapter is trained, one that PEFT opens.</summary>
    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        if (Model.Adapter is { } adapter) PeftAdapter.Save(adapter, folder, Path.GetFullPath(Folder), _text.Save);
        else HfCheckpoint.SaveModel(Model, folder, saveBeside: _text.Save);
    }

    /// <inheritdoc/>
    public void SaveWhole(string folder)
    {
        if (Model.Adapter is not { } adapter)
        {
            Save(folder);
            return;
        }
        PeftAdapter.Save(adapter, Path.Combine(folder, AdapterFolder), Path.GetFullPath(Folder));
        adapter.Merge();
        HfCheckpoint.SaveModel(Model, folder, saveBeside: _text.Save);
        adapter.Unmerge();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _decoder?.Dispose();
        Model.Dispose();
    }

    private static PolicyModel LoadWithAdapter(string folder, TorchRuntime runtime, ScalarType? dtype)
    {
        var policy = Load(PeftAdapter.BaseOf(folder), runtime, dtype);
        try
        {
            using var adapter = PeftAdapter.Load(policy.Model, folder, ScalarType.Float32);
            adapter.Merge();
            return policy;
        }
        catch
        {
            policy.Dispose();
            throw;
        }
    }
}
