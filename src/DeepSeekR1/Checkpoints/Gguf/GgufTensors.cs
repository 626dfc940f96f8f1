using System.Text.RegularExpressions;
using DeepSeekR1.Models;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>The weights of a model as llama.cpp wants them: its names, its order of query and key rows, its rotary factors.</summary>
internal static partial class GgufTensors
{
    private const string RotaryFactors = "rope_freqs.weight";

    private static readonly Dictionary<string, string> _names = new(StringComparer.Ordinal)
    {
        [ParameterLayout.Embedding] = "token_embd.weight",
        [ParameterLayout.FinalNorm] = "output_norm.weight",
        [ParameterLayout.Head] = "output.weight",
    };

    private static readonly Dictionary<string, string> _layerNames = new(StringComparer.Ordinal)
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["post_attention_layernorm"] = "ffn_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    /// <summary>The GGUF name of a Hugging Face tensor.</summary>
    /// <exception cref="R1Exception">It has none.</exception>
    public static string NameOf(string tensor)
    {
        if (_names.TryGetValue(tensor, out string? name)) return name;
        var match = LayerTensor().Match(tensor);
        return match.Success && _layerNames.TryGetValue(match.Groups["part"].Value, out name)
            ? $"blk.{match.Groups["layer"].Value}.{name}.{match.Groups["kind"].Value}"
            : throw new R1Exception($"tensor {tensor} has no place in GGUF's architectures llama, qwen2 and qwen3.");
    }

    /// <summary>Every tensor of the model, in the order of the files it is read from.</summary>
    /// <param name="weights">The open files, checked against the configuration; they stay open until the tensors are written.</param>
    /// <param name="config">The model.</param>
    /// <param name="type">What matrices become.</param>
    /// <param name="permutesRotaryPairs">The two halves of a query or key head are interleaved (llama, not qwen).</param>
    public static IReadOnlyList<GgufTensor> Of(WeightFiles weights, ModelConfig config, GgufType type, bool permutesRotaryPairs)
    {
        var tensors = new List<GgufTensor>();
        if (config.RopeScaling is { Kind: RopeScalingKind.Llama3 }) tensors.Add(RotaryFactorsOf(config));
        foreach (var (file, entry) in weights.InFileOrder(config))
        {
            bool isPermuted = permutesRotaryPairs && RotaryTensor().IsMatch(entry.Name);
            int head = config.HeadDim;
            Action<long, Span<float>> readRow =
                !isPermuted ? (row, numbers) => file.ReadFloats(entry, row * numbers.Length, numbers)
                : entry.Shape.Count == 1 ? (_, numbers) => ReadPermutedVector(file, entry, head, numbers)
                : (row, numbers) => file.ReadFloats(entry, Permuted(row, head) * numbers.Length, numbers);
            tensors.Add(new GgufTensor(NameOf(entry.Name), TypeOf(entry, type), entry.Shape, readRow));
        }
        return tensors;
    }

    /// <summary>Which row of a Hugging Face projection becomes row i: heads stay, and (0, 1, …) within a head comes from (0, half, 1, half + 1, …).</summary>
    private static long Permuted(long row, int head)
    {
        long inHead = row % head;
        return row - inHead + inHead / 2 + inHead % 2 * (head / 2);
    }

    private static void ReadPermutedVector(SafeTensorsFile file, TensorEntry entry, int head, Span<float> numbers)
    {
        var plain = new float[numbers.Length];
        file.ReadFloats(entry, 0, plain);
        for (int i = 0; i < plain.Length; i++) numbers[i] = plain[Permuted(i, head)];
    }

    /// <summary>Vectors stay whole; a matrix whose rows cannot be cut into blocks takes half precision, as llama.cpp's converter has it.</summary>
    private static GgufType TypeOf(TensorEntry entry, GgufType type) =>
        entry.Shape.Count == 1 ? GgufType.F32
        : type == GgufType.Q8 && entry.Shape[^1] % GgufEncoding.BlockSize != 0 ? GgufType.F16
        : type;

    /// <summary>llama.cpp divides the rotary frequencies by these.</summary>
    private static GgufTensor RotaryFactorsOf(ModelConfig config)
    {
        float[] plain = RotaryEmbedding.Frequencies(config.HeadDim, config.RopeTheta, scaling: null);
        float[] stretched = RotaryEmbedding.Frequencies(config.HeadDim, config.RopeTheta, config.RopeScaling);
        return new GgufTensor(RotaryFactors, GgufType.F32, [plain.Length], (_, numbers) =>
        {
            for (int i = 0; i < plain.Length; i++) numbers[i] = plain[i] / stretched[i];
        });
    }

    [GeneratedRegex(@"^model\.layers\.(?<layer>\d+)\.(?<part>.+)\.(?<kind>weight|bias)$")]
    private static partial Regex LayerTensor();

    [GeneratedRegex(@"\.self_attn\.[qk]_proj\.(weight|bias)$")]
    private static partial Regex RotaryTensor();
}
