using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Cosines and sines of the model's rotary embedding, float32, for the positions met so far.</summary>
internal sealed unsafe class RotaryTable(ModelConfig config) : IDisposable
{
    private readonly int _half = config.HeadDim / 2;
    private NativeBuffer _cosines = NativeBuffer.OfFloats(0), _sines = NativeBuffer.OfFloats(0);
    private int _positions;

    public float* Cosines(int position) => _cosines.Floats + (nint)position * _half;

    public float* Sines(int position) => _sines.Floats + (nint)position * _half;

    /// <summary>Makes the positions 0 … <paramref name="positions"/>-1 known.</summary>
    public void Extend(int positions)
    {
        if (positions <= _positions) return;
        _positions = Math.Max(positions, Math.Min(2 * _positions, config.MaxPositions));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var rotary = new RotaryEmbedding(config.HeadDim, config.RopeTheta, config.RopeScaling, CPU);
        var rotation = rotary.At(arange(_positions, ScalarType.Int64).unsqueeze(0), ScalarType.Float32);
        // The model's sines are signed for both halves of a head, (-s, s); the second half is the plain one.
        (_cosines, _sines) = (Copy(rotation.Cos, 0, _cosines), Copy(rotation.SignedSin, _half, _sines));
    }

    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }

    private NativeBuffer Copy(Tensor table, int firstColumn, NativeBuffer old)
    {
        old.Dispose();
        var buffer = NativeBuffer.OfFloats((long)_positions * _half);
        var columns = table.view(_positions, 2 * _half).narrow(1, firstColumn, _half).contiguous();
        TensorMemory.Of(columns).CopyTo(0, _positions * _half, buffer.Floats);
        return buffer;
    }
}
