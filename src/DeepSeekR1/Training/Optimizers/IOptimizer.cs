using DeepSeekR1.Models;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// Owner of the gradient and of everything that turns it into new weights. One step is: <see cref="ZeroGradient"/>; for each
/// micro-batch a backward pass and <see cref="CollectGradient"/>; <see cref="Step"/>.
/// </summary>
public interface IOptimizer : IDisposable
{
    /// <summary>Steps applied so far.</summary>
    long Steps { get; }

    /// <summary>
    /// All state beside the weights, as <c>exp_avg.NAME</c>, <c>exp_avg_sq.NAME</c> (Muon: <c>momentum.NAME</c>) and, where the weights
    /// are not single precision, <c>master.NAME</c>, in the shape of the parameter NAME; moments of 8 bits as <c>exp_avg_8bit.NAME</c> and
    /// <c>exp_avg_sq_root_8bit.NAME</c> with a scale a block. Views of the live state, owned by the optimizer.
    /// </summary>
    IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Sets the gradient to zero and prepares the parameters to accumulate it.</summary>
    void ZeroGradient();

    /// <summary>Takes up the gradient of a micro-batch after its backward pass.</summary>
    void CollectGradient();

    /// <summary>
    /// Clips the gradient to <see cref="OptimizerConfig.MaxGradNorm"/> and applies it. Where it is not finite, weights and state stay
    /// as they are.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <returns>Norm of the gradient before clipping; not finite means that the step was not applied.</returns>
    double Step(double learningRate);

    /// <summary>Takes up a saved state, to continue as if never interrupted.</summary>
    /// <exception cref="R1Exception">A tensor is missing or has another shape.</exception>
    void Restore(IReadOnlyDictionary<string, Tensor> state, long steps);
}

/// <summary>Chooses the optimizer that a configuration names.</summary>
public static class Optimizer
{
    /// <summary>An optimizer of those parameters of a model that are trained.</summary>
    /// <exception cref="R1Exception">None is.</exception>
    public static IOptimizer For(DecoderModel model, OptimizerConfig config) => config.Kind == OptimizerKind.Muon ? Muon.For(model, config) : AdamW.For(model, config);
}
