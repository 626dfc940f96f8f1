using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>Writes whole Hugging Face folders from other ones.</summary>
public static class HfExport
{
    private static readonly string[] _filesBeside =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "added_tokens.json", "tokenizer.model",
        "vocab.json", "merges.txt", "generation_config.json",
    ];

    /// <summary>
    /// Writes a folder's model, be it a language model or a classifier, with an adapter added to its weights where one is given, together with its tokenizer and generation
    /// settings. Numbers keep the dtype that they have in the folder; the sum with an adapter is computed in float32 and rounded once.
    /// </summary>
    /// <param name="folder">The model, or the base of the adapter.</param>
    /// <param name="output">Where; made if it is absent. It loads as nothing until everything is in it.</param>
    /// <param name="adapter">A folder in PEFT's layout; null writes the model as it is.</param>
    /// <param name="runtime">Where the sum is computed.</param>
    /// <param name="maxShardBytes">Most bytes of tensors in one file.</param>
    /// <returns>What a user should know of the folder; mostly empty.</returns>
    /// <exception cref="R1Exception">A folder is missing, damaged, or does not fit the other one; or the output cannot be written.</exception>
    public static IReadOnlyList<string> Write(string folder, string output, string? adapter, TorchRuntime runtime, long maxShardBytes = 5_000_000_000)
    {
        if (IsSame(folder, output) || (adapter is not null && IsSame(adapter, output)))
            throw new R1Exception($"{output} is what is read; choose another folder for what is written.");
        using var model = HfCheckpoint.LoadDecoder(folder, runtime, DtypeOf(folder));
        using var delta = adapter is null ? null : PeftAdapter.Load(model, adapter, ScalarType.Float32);
        delta?.Merge();
        HfCheckpoint.SaveModel(model, output, maxShardBytes, saveBeside: _ => CopyFilesBeside(folder, output));
        return model.Notes;
    }

    /// <summary>True for two paths of one folder, be they spelled differently or links.</summary>
    internal static bool IsSame(string one, string other) => Real(one) == Real(other);

    private static string Real(string folder)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return Directory.Exists(path) && Directory.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? Path.TrimEndingDirectorySeparator(target.FullName) : path;
    }

    private static ScalarType DtypeOf(string folder)
    {
        var config = HfCheckpoint.LoadConfig(folder);
        using var weights = WeightFiles.Open(folder);
        return weights.InFileOrder(config).Select(tensor => tensor.Entry).MaxBy(entry => entry.Elements)!.Dtype;
    }

    private static void CopyFilesBeside(string folder, string output)
    {
        foreach (string name in _filesBeside)
        {
            string from = Path.Combine(folder, name), to = Path.Combine(output, name);
            if (File.Exists(from)) AtomicFile.Write(to, stream => stream.Write(File.ReadAllBytes(from)));
            // What an earlier model left would be read with this one.
            else File.Delete(to);
        }
    }
}
