using System.Text.RegularExpressions;
using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>The weights of a folder, in one file or in shards with an index.</summary>
internal sealed partial class WeightFiles : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    private readonly List<SafeTensorsFile> _files = [];
    private readonly Dictionary<string, SafeTensorsFile> _fileOf = new(StringComparer.Ordinal);
    private readonly string _folder;

    private WeightFiles(string folder) => _folder = folder;

    /// <exception cref="R1Exception">No weights, or not valid ones.</exception>
    public static WeightFiles Open(string folder)
    {
        var weights = new WeightFiles(folder);
        try
        {
            if (File.Exists(Path.Combine(folder, SingleFile))) weights.AddWhole(SingleFile);
            else if (File.Exists(Path.Combine(folder, IndexFile))) weights.AddIndexed();
            else throw new R1Exception(weights.ExplainAbsence());
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Compares names, shapes and dtypes with what the architecture asks for, before any weight is read.</summary>
    /// <returns>What the architecture asks for.</returns>
    /// <exception cref="R1Exception">A tensor is missing, left over, of the wrong shape, or not floating-point.</exception>
    public IReadOnlyList<ParameterSpec> Check(ModelConfig config)
    {
        // Name by name: a configuration that asks for millions of tensors ends at the first that is missing.
        var layout = new List<ParameterSpec>();
        foreach (var spec in ParameterLayout.Of(config))
        {
            if (!_fileOf.TryGetValue(spec.Name, out var file)) throw new R1Exception(ExplainMissing(spec.Name, config));
            var entry = file.Tensors[spec.Name];
            if (!entry.Shape.SequenceEqual(spec.Shape))
                throw new R1Exception($"{file.Path}: tensor {spec.Name} has shape [{string.Join(", ", entry.Shape)}], config.json (hidden_size {config.HiddenSize}) asks for [{string.Join(", ", spec.Shape)}].");
            if (!SafeTensorsDtype.IsFloatingPoint(entry.Dtype))
                throw new R1Exception($"{file.Path}: tensor {spec.Name} holds {SafeTensorsDtype.NameOf(entry.Dtype)}, a floating-point dtype is needed.");
            layout.Add(spec);
        }
        var known = layout.Select(spec => spec.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (name, file) in _fileOf)
            if (!known.Contains(name) && !IsIgnored(name, config))
                throw new R1Exception($"tensor {name} is in {Path.GetFileName(file.Path)} but not in the architecture {config.Architecture}; config.json and weights do not belong together ({_folder}).");
        return layout;
    }

    public Tensor Read(string name, ScalarType dtype, Device device) => _fileOf[name].Read(name, dtype, device, requireFinite: true);

    /// <summary>Every tensor that the model uses, in the order of its bytes: reading them so is reading on.</summary>
    public IEnumerable<(SafeTensorsFile File, TensorEntry Entry)> InFileOrder(ModelConfig config) =>
        from file in _files
        from entry in file.Tensors.Values.OrderBy(entry => entry.Offset)
        where _fileOf.GetValueOrDefault(entry.Name) == file && !IsIgnored(entry.Name, config)
        select (file, entry);

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    /// <summary>What of the weights is left out and may be missed.</summary>
    public IReadOnlyList<string> Notes(ModelConfig config)
    {
        int ignored = _fileOf.Keys.Count(name => IsMultiTokenPrediction(name, config));
        return ignored == 0 ? [] : [$"{ignored} tensors of {config.MultiTokenPredictionLayers} multi-token prediction layers are not loaded, nor will they be saved."];
    }

    /// <summary>Tensors that follow from others, as older exports carry them, and layers that are not used.</summary>
    private static bool IsIgnored(string name, ModelConfig config) =>
        (config.TieWordEmbeddings && name == ParameterLayout.Head)
        || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
        || IsMultiTokenPrediction(name, config);

    private static bool IsMultiTokenPrediction(string name, ModelConfig config) =>
        LayerOf(name) is var layer && layer >= config.Layers && layer < config.Layers + config.MultiTokenPredictionLayers;

    private void AddWhole(string name)
    {
        var file = Track(name);
        foreach (string tensor in file.Tensors.Keys) _fileOf[tensor] = file;
    }

    private void AddIndexed()
    {
        string indexPath = Path.Combine(_folder, IndexFile);
        var map = JsonFields.ParseFile(indexPath).OptionalObject("weight_map")
            ?? throw new R1Exception($"{indexPath}: weight_map is missing.");
        var shards = new Dictionary<string, SafeTensorsFile>(StringComparer.Ordinal);
        foreach (string tensor in map.Json.Select(entry => entry.Key))
        {
            string shard = map.OptionalText(tensor) ?? throw new R1Exception($"{indexPath}: weight_map names no file for tensor {tensor}.");
            if (!shards.TryGetValue(shard, out var file)) shards[shard] = file = OpenShard(shard);
            if (!file.Tensors.ContainsKey(tensor)) throw new R1Exception($"{file.Path} lacks tensor {tensor} that the index {IndexFile} places there.");
            _fileOf[tensor] = file;
        }
    }

    private SafeTensorsFile OpenShard(string name)
    {
        if (name != Path.GetFileName(name) || name is "" or "." or "..") throw new R1Exception($"{Path.Combine(_folder, IndexFile)} names {name}, outside the folder.");
        if (!File.Exists(Path.Combine(_folder, name)))
            throw new R1Exception($"{Path.Combine(_folder, name)}, named by {IndexFile}, does not exist; the download is not complete.");
        return Track(name);
    }

    private SafeTensorsFile Track(string name)
    {
        var file = SafeTensorsFile.Open(Path.Combine(_folder, name));
        _files.Add(file);
        return file;
    }

    private string ExplainAbsence()
    {
        string? pickle = Directory.EnumerateFiles(_folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
            .FirstOrDefault(name => name.EndsWith(".bin", StringComparison.Ordinal) || name.EndsWith(".pt", StringComparison.Ordinal) || name.EndsWith(".pth", StringComparison.Ordinal));
        return pickle is null
            ? $"neither {SingleFile} nor {IndexFile} in the folder {_folder}."
            : $"{Path.Combine(_folder, pickle)} is a pickle, which can run code when opened, and is not read; convert it to safetensors: in Python, " +
              "AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder, safe_serialization=True).";
    }

    private string ExplainMissing(string name, ModelConfig config)
    {
        int layersInFile = 1 + _fileOf.Keys.Select(LayerOf).DefaultIfEmpty(-1).Max();
        return LayerOf(name) >= layersInFile
            ? $"tensor {name} is missing: config.json says {config.Layers} layers, the file holds {layersInFile} ({_folder})."
            : $"tensor {name} is missing from {(_files is [var only] ? Path.GetFileName(only.Path) : IndexFile)} ({_folder}).";
    }

    private static int LayerOf(string name) => LayerName().Match(name) is { Success: true } match && int.TryParse(match.Groups[1].ValueSpan, out int layer) ? layer : -1;

    [GeneratedRegex(@"^model\.layers\.(\d+)\.")]
    private static partial Regex LayerName();
}
