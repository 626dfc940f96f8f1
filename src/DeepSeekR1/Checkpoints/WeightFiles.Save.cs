using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <content>Writing.</content>
internal sealed partial class WeightFiles
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    public static void Save(DecoderModel model, string folder, long maxShardBytes, Action<string>? saveBeside)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        var shards = Split(model, maxShardBytes);
        try
        {
            Directory.CreateDirectory(folder);
            DeleteFiles(folder, LeftOverName());
            var names = Enumerable.Range(1, shards.Count).Select(number => shards.Count == 1 ? SingleFile : $"model-{number:D5}-of-{shards.Count:D5}.safetensors").ToList();
            foreach (var (name, shard) in names.Zip(shards)) SafeTensors.Save(Path.Combine(folder, name + Pending), shard);

            // From here to the last line the folder has no config.json and loads as nothing.
            File.Delete(Path.Combine(folder, HfCheckpoint.ConfigFile));
            File.Delete(Path.Combine(folder, IndexFile));
            DeleteFiles(folder, WeightFileName());
            foreach (string name in names) File.Move(Path.Combine(folder, name + Pending), Path.Combine(folder, name));
            if (shards.Count > 1) AtomicFile.WriteText(Path.Combine(folder, IndexFile), Index(names, shards));
            saveBeside?.Invoke(folder);
            AtomicFile.WriteText(Path.Combine(folder, HfCheckpoint.ConfigFile), model.Config.ToJson(TorchName(model.Dtype)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{folder}: the model cannot be saved: {error.Message}", error);
        }
    }

    /// <summary>The ending of finished weights that wait for their turn.</summary>
    private const string Pending = ".new";

    private static List<Dictionary<string, Tensor>> Split(DecoderModel model, long maxShardBytes)
    {
        var shards = new List<Dictionary<string, Tensor>> { new(StringComparer.Ordinal) };
        long bytes = 0;
        foreach (var (name, parameter) in model.Parameters)
        {
            long size = parameter.numel() * SafeTensorsDtype.Size(parameter.dtype);
            if (bytes > 0 && bytes + size > maxShardBytes)
            {
                shards.Add(new(StringComparer.Ordinal));
                bytes = 0;
            }
            shards[^1][name] = parameter;
            bytes += size;
        }
        return shards;
    }

    private static void DeleteFiles(string folder, Regex name)
    {
        foreach (string path in Directory.EnumerateFiles(folder))
            if (name.IsMatch(Path.GetFileName(path))) File.Delete(path);
    }

    private static string Index(List<string> names, List<Dictionary<string, Tensor>> shards)
    {
        var map = new JsonObject();
        foreach (var (name, shard) in names.Zip(shards))
            foreach (string tensor in shard.Keys) map[tensor] = name;
        long total = shards.Sum(shard => shard.Values.Sum(tensor => tensor.numel() * SafeTensorsDtype.Size(tensor.dtype)));
        return new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map }.ToJsonString(_indented) + "\n";
    }

    private static string TorchName(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        ScalarType.Float64 => "float64",
        _ => "float32",
    };

    [GeneratedRegex(@"^model(-\d+-of-\d+)?\.safetensors$")]
    private static partial Regex WeightFileName();

    /// <summary>What a save that was killed left.</summary>
    [GeneratedRegex(@"^model(-\d+-of-\d+)?\.safetensors\.new(\.partial)?$")]
    private static partial Regex LeftOverName();
}
