using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DeepSeekR1.Vectors;
using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The numbers of a contiguous tensor on the CPU, read in place. Valid while the tensor lives and keeps its storage.</summary>
/// <param name="Data">The first number.</param>
/// <param name="Type">What the numbers are.</param>
internal readonly unsafe record struct TensorMemory(nint Data, PanelType Type)
{
    public float this[long index] => Type == PanelType.Float32 ? ((float*)Data)[index] : Bfloat16.ToSingle(((ushort*)Data)[index]);

    /// <exception cref="ArgumentException">The tensor is not what this can read.</exception>
    public static TensorMemory Of(Tensor tensor)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU || !tensor.is_contiguous() || !TryPanelType(tensor.dtype, out var type))
            throw new ArgumentException($"a contiguous float32 or bfloat16 tensor on the CPU is needed, found {tensor.dtype} on {tensor.device_type}", nameof(tensor));
        // The span covers one number only, because that of a whole embedding can be longer than a span may be.
        // The scope keeps what lies between alive: what nothing refers to may be finalized while LibTorch still reads it.
        using var scope = NewDisposeScope();
        var first = tensor.detach().view(-1).narrow(0, 0, 1);
        return new((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes)), type);
    }

    public static bool TryPanelType(ScalarType dtype, out PanelType type)
    {
        type = dtype == ScalarType.BFloat16 ? PanelType.Bfloat16 : PanelType.Float32;
        return dtype is ScalarType.Float32 or ScalarType.BFloat16;
    }

    /// <summary>Address of a row of a matrix with rows of so many numbers.</summary>
    public nint Row(long row, int length) => Data + (nint)(row * length * Panel.ElementBytes(Type));

    /// <summary>Copies numbers as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void CopyTo(long first, int count, float* destination)
    {
        if (Type == PanelType.Float32)
        {
            new ReadOnlySpan<float>((float*)Data + first, count).CopyTo(new Span<float>(destination, count));
            return;
        }
        ushort* source = (ushort*)Data + first;
        for (int i = 0; i < count; i++) destination[i] = Bfloat16.ToSingle(source[i]);
    }
}
