namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Which vectors the decoder's kernels use.</summary>
public enum KernelWidth
{
    /// <summary>The widest that this processor has.</summary>
    Auto = 0,
    /// <summary>128 bits: what every processor has, NEON of ARM included.</summary>
    Portable = 128,
    /// <summary>256 bits: AVX2 with fused multiply-add.</summary>
    Avx2 = 256,
    /// <summary>512 bits: AVX-512.</summary>
    Avx512 = 512,
}
