using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Models.Cpu;

/// <summary>Numbers of one distribution a row of logits [row, vocabulary], and their gradient, in float32 whatever the logits are.</summary>
/// <typeparam name="T">What the logits are.</typeparam>
internal static unsafe class LogitKernel<T> where T : unmanaged, ILane<T>
{
    /// <summary>
    /// Log-probability of each target under softmax(logits / temperature), entropy in nats, and whether no other id is more likely; and what the
    /// gradient needs to know: the largest logit, and the logarithm of the sum of exp((logit - largest) / temperature).
    /// </summary>
    public static void Score(T* logits, long* targets, int rows, int vocabulary, float temperature, float* logProbs, float* entropies, bool* isMostLikely, float* normalizers) => TorchParallel.For(rows, row =>
        ScoreRow(logits + (long)row * vocabulary, (int)targets[row], vocabulary, temperature, logProbs + row, entropies + row, isMostLikely + row, normalizers + 2 * row));

    /// <summary>
    /// Overwrites the logits with their gradient (∂L/∂log p[target] · ∂log p[target]/∂logit + ∂L/∂H · ∂H/∂logit).
    /// </summary>
    /// <param name="logits">[row, vocabulary].</param>
    /// <param name="targets">[row].</param>
    /// <param name="rows">How many.</param>
    /// <param name="vocabulary">How many.</param>
    /// <param name="temperature">Divides the logits.</param>
    /// <param name="logProbs">[row] as <see cref="Score"/> wrote them.</param>
    /// <param name="entropies">[row] as <see cref="Score"/> wrote them.</param>
    /// <param name="normalizers">[row, 2] as <see cref="Score"/> wrote them.</param>
    /// <param name="dLogProbs">[row].</param>
    /// <param name="dEntropies">[row], or null.</param>
    public static void Gradient(T* logits, long* targets, int rows, int vocabulary, float temperature, float* logProbs, float* entropies, float* normalizers, float* dLogProbs, float* dEntropies) => TorchParallel.For(rows, row =>
        GradientRow(logits + (long)row * vocabulary, (int)targets[row], vocabulary, 1 / temperature, logProbs[row], entropies[row], normalizers[2 * row], normalizers[2 * row + 1], dLogProbs[row], dEntropies is null ? 0 : dEntropies[row]));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoreRow(T* logits, int target, int vocabulary, float temperature, float* logProb, float* entropy, bool* isMostLikely, float* normalizer)
    {
        int whole = vocabulary / Lanes.Width * Lanes.Width;
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int i = 0; i < whole; i += Lanes.Width) largest = Vector512.Max(largest, T.Load(logits + i));
        float max = Lanes.Max(largest);
        for (int i = whole; i < vocabulary; i++) max = MathF.Max(max, At(logits, i));

        // Two chains each, so that one addition need not wait for the one before.
        Vector512<float> sum0 = default, sum1 = default, mean0 = default, mean1 = default;
        float scale = 1 / temperature;
        var (most, factor) = (Vector512.Create(max), Vector512.Create(scale));
        int column = 0;
        for (; column + 2 * Lanes.Width <= whole; column += 2 * Lanes.Width)
        {
            var z0 = (T.Load(logits + column) - most) * factor;
            var z1 = (T.Load(logits + column + Lanes.Width) - most) * factor;
            var (p0, p1) = (Lanes.Exp(z0), Lanes.Exp(z1));
            sum0 += p0;
            sum1 += p1;
            mean0 = Vector512.FusedMultiplyAdd(p0, z0, mean0);
            mean1 = Vector512.FusedMultiplyAdd(p1, z1, mean1);
        }
        double sum = Vector512.Sum(sum0 + sum1), mean = Vector512.Sum(mean0 + mean1);
        for (; column < vocabulary; column++)
        {
            double z = (At(logits, column) - max) * scale, p = Math.Exp(z);
            sum += p;
            mean += p * z;
        }
        double logSum = Math.Log(sum);
        *logProb = At(logits, target) / temperature - max / temperature - (float)logSum;
        *entropy = (float)(logSum - mean / sum);
        *isMostLikely = At(logits, target) == max;
        (normalizer[0], normalizer[1]) = (max, (float)logSum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GradientRow(T* logits, int target, int vocabulary, float scale, float logProb, float entropy, float max, float logSum, float dLogProb, float dEntropy)
    {
        float pull = dLogProb * scale, entropyPull = dEntropy * scale;
        float targetGradient = MathF.Exp(logProb) * (-pull - entropyPull * (logProb + entropy)) + pull;
        var (largest, factor, shift) = (Vector512.Create(max), Vector512.Create(scale), Vector512.Create(-logSum));
        var (slope, offset) = (Vector512.Create(-entropyPull), Vector512.Create(-pull - entropyPull * entropy));
        for (int i = 0; i < vocabulary; i += Lanes.Width)
        {
            var z = Vector512.FusedMultiplyAdd(Lanes.Load(logits + i, vocabulary - i) - largest, factor, shift);
            Lanes.Store(Lanes.Exp(z) * Vector512.FusedMultiplyAdd(z, slope, offset), logits + i, vocabulary - i);
        }
        Lanes.Store(Vector512.CreateScalar(targetGradient), logits + target, 1);
    }

    private static float At(T* logits, int index) => Lanes.Load(logits + index, 1)[0];
}
