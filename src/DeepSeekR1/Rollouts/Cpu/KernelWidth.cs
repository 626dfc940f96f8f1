namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Which vectors the decoder's kernels use.</summary>
public enum KernelWidth
{
    /// <summary>The fastest that this processor has: its own bfloat16 products where the weights are bfloat16, else the widest.</summary>
    Auto = 0,
    /// <summary>128 bits: what every processor has, NEON of ARM included.</summary>
    Portable = 128,
    /// <summary>256 bits: AVX2 with fused multiply-add.</summary>
    Avx2 = 256,
    /// <summary>512 bits: AVX-512.</summary>
    Avx512 = 512,
}
