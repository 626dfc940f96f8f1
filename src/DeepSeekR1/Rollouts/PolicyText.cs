using DeepSeekR1.Runtime;
using DeepSeekR1.Text;

namespace DeepSeekR1.Rollouts;

/// <summary>What of a policy's folder is about text.</summary>
/// <param name="Tokenizer">Text to ids and back.</param>
/// <param name="Template">How a conversation becomes text; null where the folder has none.</param>
/// <param name="StopIds">Tokens that end a completion, ascending.</param>
internal sealed record PolicyText(HfTokenizer Tokenizer, ChatTemplate? Template, IReadOnlyList<int> StopIds)
{
    private const string GenerationConfigFile = "generation_config.json";

    private byte[]? GenerationConfig { get; init; }

    /// <summary>Reads a folder.</summary>
    /// <exception cref="R1Exception">A file is missing or broken, or no token ends an answer.</exception>
    public static PolicyText Load(string folder)
    {
        var tokenizer = HfTokenizer.Load(folder);
        var stopIds = StopTokens.Load(folder, tokenizer);
        if (stopIds.Count == 0)
            throw new R1Exception($"{folder}: no token ends an answer. Name it as eos_token_id in {GenerationConfigFile}, or as eos_token in tokenizer_config.json.");
        string generationConfig = Path.Combine(folder, GenerationConfigFile);
        return new PolicyText(tokenizer, ChatTemplate.TryLoad(folder), stopIds) { GenerationConfig = File.Exists(generationConfig) ? File.ReadAllBytes(generationConfig) : null };
    }

    /// <summary>Writes the same files.</summary>
    public void Save(string folder)
    {
        Tokenizer.Save(folder);
        string path = Path.Combine(folder, GenerationConfigFile);
        if (GenerationConfig is { } settings) AtomicFile.Write(path, stream => stream.Write(settings));
        else File.Delete(path);
    }
}
