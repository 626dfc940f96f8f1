namespace DeepSeekR1.Models;

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, section 2.1): keys and values of all heads are projections of one short latent per token,
/// and one rotary key is shared by all heads.
/// </summary>
public sealed record LatentAttentionConfig
{
    /// <summary>Width of the latent that queries are projected from (<c>q_lora_rank</c>); null projects them from the hidden state.</summary>
    public int? QueryRank { get; init; }

    /// <summary>Width of the latent that keys and values are projected from (<c>kv_lora_rank</c>).</summary>
    public required int KeyValueRank { get; init; }

    /// <summary>Part of a query or key without position (<c>qk_nope_head_dim</c>).</summary>
    public required int PlainHeadDim { get; init; }

    /// <summary>Part of a query or key that turns with its position (<c>qk_rope_head_dim</c>).</summary>
    public required int RotaryHeadDim { get; init; }

    /// <summary>Width of a value (<c>v_head_dim</c>).</summary>
    public required int ValueHeadDim { get; init; }

    /// <summary>Weights pair neighbouring elements for the rotation, not element i with i + width/2 (<c>rope_interleave</c>).</summary>
    public bool RotaryInterleaved { get; init; } = true;

    /// <summary>Width of a query or key.</summary>
    public int QueryHeadDim => PlainHeadDim + RotaryHeadDim;

    /// <exception cref="R1Exception">The numbers are those of no tensor.</exception>
    internal void Validate(string fileName, int heads)
    {
        foreach (var (name, value) in new[] { ("q_lora_rank", QueryRank ?? 1), ("kv_lora_rank", KeyValueRank), ("qk_nope_head_dim", PlainHeadDim), ("qk_rope_head_dim", RotaryHeadDim), ("v_head_dim", ValueHeadDim) })
            ModelConfig.CheckSize(fileName, name, value);
        ModelConfig.CheckSize(fileName, "num_attention_heads times qk_nope_head_dim + qk_rope_head_dim", (long)heads * QueryHeadDim);
        ModelConfig.CheckSize(fileName, "num_attention_heads times qk_nope_head_dim + v_head_dim", (long)heads * (PlainHeadDim + ValueHeadDim));
    }
}
