using DeepSeekR1.Models.Cpu;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>
/// The gradient of all parameters in one flat buffer of single precision (double where the weights are double). Weights of that
/// precision accumulate into it directly, their <c>grad</c> being a view; those of lower precision are added after each micro-batch,
/// so that accumulation loses nothing.
/// </summary>
internal sealed class GradientBuffer : IDisposable
{
    /// <summary>The norm is summed in rows of this length, so that it does not depend on the number of threads.</summary>
    private const int NormBlock = 4096;

    // Held here: a number made for the call could be collected during it, while LibTorch still reads it.
    private static readonly Scalar _one = 1;

    private readonly Tensor _flat;
    private readonly bool _isDirect;

    public GradientBuffer(IReadOnlyList<Tensor> parameters)
    {
        Parameters = parameters;
        Dtype = parameters[0].dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        _isDirect = parameters[0].dtype == Dtype;
        long total = parameters.Sum(parameter => parameter.numel());
        _flat = zeros((total + NormBlock - 1) / NormBlock * NormBlock, dtype: Dtype, device: parameters[0].device).DetachFromDisposeScope();
        Views = Slice(_flat, parameters);
    }

    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The gradient of each parameter, in its shape.</summary>
    public Tensor[] Views { get; }

    public ScalarType Dtype { get; }

    /// <summary>Views of consecutive parts of a flat buffer in the shapes of the parameters.</summary>
    public static Tensor[] Slice(Tensor flat, IReadOnlyList<Tensor> parameters)
    {
        using var scope = NewDisposeScope();
        var views = new Tensor[parameters.Count];
        long offset = 0;
        for (int i = 0; i < views.Length; i++)
        {
            views[i] = flat.narrow(0, offset, parameters[i].numel()).view(parameters[i].shape).DetachFromDisposeScope();
            offset += parameters[i].numel();
        }
        return views;
    }

    /// <summary>Sets the gradient to zero and makes the parameters accumulate into it.</summary>
    public void Zero()
    {
        using var scope = NewDisposeScope();
        _flat.zero_();
        for (int i = 0; i < Views.Length; i++) Parameters[i].grad = _isDirect ? Views[i] : null;
    }

    /// <summary>To be called after each micro-batch: takes up gradients of lower precision.</summary>
    public void Collect()
    {
        if (_isDirect) return;
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        for (int i = 0; i < Views.Length; i++)
        {
            if (Parameters[i].grad is not { } gradient) continue;
            Add(gradient, Views[i]);
            Parameters[i].grad = null;
        }
    }

    /// <summary>LibTorch's operator first makes a copy of single precision.</summary>
    private static unsafe void Add(Tensor gradient, Tensor sum)
    {
        if (gradient.dtype == ScalarType.BFloat16 && gradient.device_type == DeviceType.CPU && sum.dtype == ScalarType.Float32 && gradient.is_contiguous())
            RowKernels<Bfloat16Lane>.Accumulate(CpuTensors.Pointer<Bfloat16Lane>(gradient), CpuTensors.Pointer<float>(sum), gradient.numel());
        else
            sum.add_(gradient, _one);
    }

    /// <summary>Euclidean length of the whole gradient; not finite where one element is not.</summary>
    public double Norm()
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        double sum = 0;
        foreach (double block in _flat.view(-1, NormBlock).norm(1).to(ScalarType.Float64).cpu().data<double>()) sum += block * block;
        return Math.Sqrt(sum);
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters) parameter.grad = null;
        foreach (var view in Views) view.Dispose();
        _flat.Dispose();
    }
}
