using System.Text.Json.Serialization;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>What numbers the matrices of a GGUF file hold. Vectors (norms, biases) are always float32.</summary>
public enum GgufType
{
    /// <summary>IEEE single precision.</summary>
    F32,
    /// <summary>IEEE half precision.</summary>
    F16,
    /// <summary>The upper half of a float32.</summary>
    Bf16,
    /// <summary>Blocks of 32 whole numbers of 8 bits with one scale in half precision: 8.5 bits a weight.</summary>
    [JsonStringEnumMemberName("q8_0")]
    Q8,
}
