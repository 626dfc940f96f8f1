using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The kernels at one vector width.</summary>
internal unsafe class CpuKernels<TSimd, TVector> : CpuKernels
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    public override int Width => TSimd.Width;

    public override void Multiply(Rows left, in Panels right, int firstPanel, int endPanel, Rows result, Epilogue epilogue = default)
    {
        if (right.Type == PanelType.Float32)
            MatrixKernel<TSimd, TVector, Float32Element<TSimd, TVector>>.Multiply(left, right, firstPanel, endPanel, result, epilogue);
        else
            MatrixKernel<TSimd, TVector, Bfloat16Element<TSimd, TVector>>.Multiply(left, right, firstPanel, endPanel, result, epilogue);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void RmsNorm(float* input, float* weight, float epsilon, float* normalised, int count)
    {
        int whole = count - count % TSimd.Width;
        TVector squares = TSimd.Create(0);
        for (int i = 0; i < whole; i += TSimd.Width)
        {
            var value = TSimd.Load(input + i);
            squares = TSimd.FusedMultiplyAdd(value, value, squares);
        }
        float sum = TSimd.Sum(squares);
        for (int i = whole; i < count; i++) sum += input[i] * input[i];

        float scale = 1 / MathF.Sqrt(sum / count + epsilon);
        var scales = TSimd.Create(scale);
        for (int i = 0; i < whole; i += TSimd.Width)
            TSimd.Store(TSimd.Multiply(TSimd.Multiply(TSimd.Load(input + i), scales), TSimd.Load(weight + i)), normalised + i);
        for (int i = whole; i < count; i++) normalised[i] = input[i] * scale * weight[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Softmax(float* scores, float scale, int count)
    {
        TVector maxima = TSimd.Load(scores);
        for (int i = TSimd.Width; i < count; i += TSimd.Width) maxima = TSimd.Max(maxima, TSimd.Load(scores + i));

        var scales = TSimd.Create(scale);
        var shift = TSimd.Create(-scale * TSimd.MaxLane(maxima));
        TVector sums = TSimd.Create(0);
        for (int i = 0; i < count; i += TSimd.Width)
        {
            var exponential = VectorMath<TSimd, TVector>.Exp(TSimd.FusedMultiplyAdd(TSimd.Load(scores + i), scales, shift));
            sums = TSimd.Add(sums, exponential);
            TSimd.Store(exponential, scores + i);
        }

        var normaliser = TSimd.Create(1 / TSimd.Sum(sums));
        for (int i = 0; i < count; i += TSimd.Width) TSimd.Store(TSimd.Multiply(TSimd.Load(scores + i), normaliser), scores + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void SwiGlu(float* gateUp, float* gated, int count)
    {
        TVector one = TSimd.Create(1), zero = TSimd.Create(0);
        for (int i = 0; i < count; i += TSimd.Width)
        {
            var gate = TSimd.Load(gateUp + 2 * i);
            var silu = TSimd.Divide(gate, TSimd.Add(one, VectorMath<TSimd, TVector>.Exp(TSimd.Subtract(zero, gate))));
            TSimd.Store(TSimd.Multiply(silu, TSimd.Load(gateUp + 2 * i + TSimd.Width)), gated + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Rotate(float* head, float* cosines, float* sines, int half)
    {
        // Heads are often narrower than the widest vectors.
        int i = Rotation<TSimd, TVector>.Turn(head, cosines, sines, half, 0);
        i = Rotation<Simd256, Vector256<float>>.Turn(head, cosines, sines, half, i);
        i = Rotation<Simd128, Vector128<float>>.Turn(head, cosines, sines, half, i);
        for (; i < half; i++)
        {
            float low = head[i], high = head[half + i];
            head[i] = low * cosines[i] - high * sines[i];
            head[half + i] = low * sines[i] + high * cosines[i];
        }
    }
}

/// <summary>The rotary embedding at one vector width.</summary>
internal static unsafe class Rotation<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    /// <summary>Turns pairs from i on as far as whole vectors go; where the next one has to begin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Turn(float* head, float* cosines, float* sines, int half, int i)
    {
        for (; i + TSimd.Width <= half; i += TSimd.Width)
        {
            TVector low = TSimd.Load(head + i), high = TSimd.Load(head + half + i), cosine = TSimd.Load(cosines + i), sine = TSimd.Load(sines + i);
            TSimd.Store(TSimd.Subtract(TSimd.Multiply(low, cosine), TSimd.Multiply(high, sine)), head + i);
            TSimd.Store(TSimd.FusedMultiplyAdd(low, sine, TSimd.Multiply(high, cosine)), head + half + i);
        }
        return i;
    }
}
