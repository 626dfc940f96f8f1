using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DeepSeekR1.Runtime;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// The arithmetic of the decoder. Every result is one chain of operations in a fixed order that depends neither on how many rows are
/// computed together nor on who computes them: the same row gives the same bits in any batch and on any number of threads.
/// </summary>
internal abstract unsafe class CpuKernels
{
    /// <summary>The fastest kernels of this machine.</summary>
    public static CpuKernels Best { get; } =
        NativeProduct.IsSupported ? new NativeBfloat16Kernels() :
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? new CpuKernels<Simd512, Vector512<float>>() :
        Vector256.IsHardwareAccelerated && Fma.IsSupported ? new CpuKernels<Simd256, Vector256<float>>() :
        Portable;

    /// <summary>Kernels that run anywhere.</summary>
    public static CpuKernels Portable => new CpuKernels<Simd128, Vector128<float>>();

    /// <summary>Kernels of a given width: 0 the fastest of this machine, 512, 256 or 128 bits.</summary>
    public static CpuKernels OfWidth(int bits) => bits switch
    {
        0 => Best,
        512 => new CpuKernels<Simd512, Vector512<float>>(),
        256 => new CpuKernels<Simd256, Vector256<float>>(),
        128 => Portable,
        _ => throw new ArgumentOutOfRangeException(nameof(bits), bits, "kernels are 512, 256 or 128 bits wide, or 0 for the widest"),
    };

    /// <summary>Lanes of a vector: the columns of a panel.</summary>
    public abstract int Width { get; }

    /// <summary>
    /// result[r, c] = sum over k of left[r, k] * right[k, c] for the columns of panels [firstPanel, endPanel). Rows of
    /// <paramref name="left"/> hold the inner dimension rounded up to even; where it is odd, their last number must be finite.
    /// </summary>
    public abstract void Multiply(Rows left, in Panels right, int firstPanel, int endPanel, Rows result, Epilogue epilogue = default);

    /// <summary>
    /// As <see cref="Multiply"/>, for panels that go in pairs, from an even one to an even one. The columns of a result up to the end of the
    /// last pair are written.
    /// </summary>
    public virtual void MultiplyWeights(Rows left, in Panels right, int firstPanel, int endPanel, Rows result, Epilogue epilogue = default) =>
        Multiply(left, right, firstPanel, endPanel, result, epilogue);

    /// <summary>Whether <see cref="MultiplyCache"/> wants keys of several tokens, and all of a value, side by side.</summary>
    public virtual bool TakeCacheTogether(PanelType type) => false;

    /// <summary>
    /// As <see cref="Multiply"/> of all panels, for cached keys or values in a layout as <see cref="TakeCacheTogether"/> says. The columns of a result up to the
    /// end of the last panel are written.
    /// </summary>
    public virtual void MultiplyCache(Rows left, in Panels right, Rows result, bool add = false) =>
        Multiply(left, right, 0, Panel.Count(right.Columns, Width), result, new Epilogue(add));

    /// <summary>normalised[i] = input[i] / sqrt(mean(input^2) + epsilon) * weight[i]; may be in place.</summary>
    public abstract void RmsNorm(float* input, float* weight, float epsilon, float* normalised, int count);

    /// <summary>
    /// Softmax of scale * scores over <paramref name="count"/> numbers, a multiple of the width, in place; entries of minus infinity
    /// become 0, and at least one is finite.
    /// </summary>
    public abstract void Softmax(float* scores, float scale, int count);

    /// <summary>
    /// gated[i] = silu(gate[i]) * up[i], where the input holds a vector of gate, then a vector of up, and so on;
    /// <paramref name="count"/> outputs, a multiple of the width.
    /// </summary>
    public abstract void SwiGlu(float* gateUp, float* gated, int count);

    /// <summary>Turns each pair (i, i + half) of a head by its angle: the rotary embedding of one position.</summary>
    public abstract void Rotate(float* head, float* cosines, float* sines, int half);
}
