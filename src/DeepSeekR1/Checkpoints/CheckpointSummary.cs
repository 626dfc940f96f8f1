using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Models;
using DeepSeekR1.Text;

namespace DeepSeekR1.Checkpoints;

/// <summary>A tensor as its file's header describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dtype">What numbers it holds, as the format calls them.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
public sealed record TensorSummary(string Name, string Dtype, IReadOnlyList<long> Shape)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, dimension) => product * dimension);
}

/// <summary>A token and what it is spelled like.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its spelling in the vocabulary.</param>
public sealed record TokenSummary(int Id, string Text);

/// <summary>What can be told of a checkpoint without loading its weights: only headers and small files are read.</summary>
public sealed record CheckpointSummary
{
    /// <summary>Where it stands.</summary>
    public required string Path { get; init; }

    /// <summary>Its class in transformers, its architecture in GGUF, or LoRA with its settings; null where a file does not say.</summary>
    public string? Architecture { get; init; }

    /// <summary>Layers, widths, heads and positions in one line; null where nothing is known of them.</summary>
    public string? Shape { get; init; }

    /// <summary>All parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Parameters that one token is computed with: all but the experts it does not go to.</summary>
    public required long ActiveParameters { get; init; }

    /// <summary>Every tensor in the order of the files.</summary>
    public required IReadOnlyList<TensorSummary> Tensors { get; init; }

    /// <summary>The tokenizer in one line; null without one.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>The chat template's text; null without one.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>Tokens that end an answer.</summary>
    public IReadOnlyList<TokenSummary> StopTokens { get; init; } = [];

    /// <summary>What a user should know; mostly empty.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Reads a model folder, an adapter folder, a SafeTensors file or a GGUF file.</summary>
    /// <exception cref="R1Exception">There is nothing of that path, or it is damaged: names the file, and the tensor or field.</exception>
    public static CheckpointSummary Of(string path) =>
        Directory.Exists(path) ? PeftAdapter.IsAdapter(path) ? OfAdapter(path) : OfFolder(path)
        : !File.Exists(path) ? throw new R1Exception($"{path}: no such folder or file. Give a model folder, an adapter folder, a .safetensors or a .gguf file.")
        : System.IO.Path.GetExtension(path) == ".gguf" ? OfGguf(path)
        : OfTensors(path);

    private static CheckpointSummary OfFolder(string folder)
    {
        var config = HfCheckpoint.LoadConfig(folder);
        using var weights = WeightFiles.Open(folder);
        weights.Check(config);
        var tokenizer = File.Exists(System.IO.Path.Combine(folder, HfTokenizer.TokenizerFile)) ? HfTokenizer.Load(folder) : null;
        return new CheckpointSummary
        {
            Path = folder,
            Architecture = config.Architecture,
            Shape = Describe(config),
            Parameters = config.ParameterCount,
            ActiveParameters = config.ActiveParameterCount,
            Tensors = [.. weights.InFileOrder(config).Select(tensor => Summarize(tensor.Entry))],
            Tokenizer = tokenizer is null ? null : $"{tokenizer.VocabularySize:N0} tokens, {tokenizer.SpecialTokens.Count:N0} of them special",
            ChatTemplate = Text.ChatTemplate.TryLoad(folder)?.Source,
            StopTokens = tokenizer is null ? [] : [.. Text.StopTokens.Load(folder, tokenizer).Select(id => new TokenSummary(id, tokenizer.TokenOf(id) ?? ""))],
            Notes = weights.Notes(config),
        };
    }

    private static CheckpointSummary OfAdapter(string folder)
    {
        var (config, baseModel) = PeftAdapter.LoadConfig(folder);
        using var file = PeftAdapter.OpenWeights(folder);
        string stabilized = config.RankStabilized ? ", rank-stabilized" : "";
        return OfTensors(file) with
        {
            Path = folder,
            Architecture = $"LoRA adapter, rank {config.Rank}, alpha {config.Alpha}{stabilized}, targets {string.Join(", ", config.TargetModules)}",
            Notes = [$"an adapter of {(baseModel.Length > 0 ? baseModel : "a base model that it does not name")}"],
        };
    }

    private static CheckpointSummary OfTensors(string path)
    {
        using var file = SafeTensors.Open(path);
        return OfTensors(file);
    }

    private static CheckpointSummary OfTensors(SafeTensorsFile file)
    {
        TensorSummary[] tensors = [.. file.Tensors.Values.OrderBy(entry => entry.Offset).Select(Summarize)];
        long parameters = tensors.Sum(tensor => tensor.Elements);
        return new CheckpointSummary { Path = file.Path, Parameters = parameters, ActiveParameters = parameters, Tensors = tensors };
    }

    private static CheckpointSummary OfGguf(string path)
    {
        var file = GgufFile.Read(path);
        string? architecture = file.Metadata.GetValueOrDefault("general.architecture") as string;
        long parameters = file.Tensors.Sum(tensor => tensor.Elements);
        var tokens = file.Metadata.GetValueOrDefault("tokenizer.ggml.tokens") as object[];
        int[] stops = [.. from role in new[] { "eos", "eot" } let id = file.Metadata.GetValueOrDefault($"tokenizer.ggml.{role}_token_id") where id is uint select (int)(uint)id];
        return new CheckpointSummary
        {
            Path = path,
            Architecture = architecture,
            Parameters = parameters,
            ActiveParameters = parameters,
            Tensors = [.. file.Tensors.Select(tensor => new TensorSummary(tensor.Name, tensor.Type, tensor.Shape))],
            Tokenizer = tokens is null ? null : $"{file.Metadata.GetValueOrDefault("tokenizer.ggml.model")}, pre-tokenizer {file.Metadata.GetValueOrDefault("tokenizer.ggml.pre") ?? "default"}, {tokens.Length:N0} tokens",
            ChatTemplate = file.Metadata.GetValueOrDefault("tokenizer.chat_template") as string,
            StopTokens = [.. stops.Distinct().Select(id => new TokenSummary(id, tokens is not null && (uint)id < (uint)tokens.Length ? tokens[id] as string ?? "" : ""))],
        };
    }

    private static TensorSummary Summarize(TensorEntry entry) => new(entry.Name, SafeTensorsDtype.NameOf(entry.Dtype), entry.Shape);

    private static string Describe(ModelConfig config)
    {
        string attention = config.LatentAttention is { } latent ? $"latent attention of rank {latent.KeyValueRank}" : $"{config.KeyValueHeads} of keys and values, {config.HeadDim} wide";
        string experts = config.Experts is { } mixture ? $", {mixture.Count} experts, {mixture.PerToken} a token" : "";
        string head = config.TieWordEmbeddings ? ", tied head" : "";
        return $"{config.Layers} layers, hidden {config.HiddenSize}, {config.Heads} heads ({attention}){experts}, vocabulary {config.VocabularySize}, {config.MaxPositions} positions{head}";
    }
}
