using DeepSeekR1.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = DeepSeekR1.Models.Linear;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>Weights of one decoder layer. Queries and keys have norms in some families only.</summary>
internal sealed record PackedLayer(
    NativeBuffer AttentionNorm, PackedMatrix QueryKeyValue, NativeBuffer? QueryNorm, NativeBuffer? KeyNorm, PackedMatrix AttentionOutput,
    NativeBuffer MlpNorm, PackedMatrix GateUp, PackedMatrix Down) : IDisposable
{
    public void Dispose()
    {
        AttentionNorm.Dispose();
        QueryKeyValue.Dispose();
        QueryNorm?.Dispose();
        KeyNorm?.Dispose();
        AttentionOutput.Dispose();
        MlpNorm.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}

/// <summary>The weights of a model in the form that the kernels read. The embedding is read in place.</summary>
internal sealed unsafe class PackedModel : IDisposable
{
    private readonly IReadOnlyDictionary<string, Parameter> _parameters;
    private readonly IReadOnlyDictionary<string, Linear> _projections;
    private readonly PackedMatrix[] _matrices;
    private NativeBuffer _panels;
    private bool _isPacked, _isOnHugePages;
    private readonly List<(NativeBuffer Packed, Tensor Source)> _norms = [];

    public PackedModel(CausalLM model, CpuKernels kernels)
    {
        (_parameters, _projections) = (model.Parameters, model.Linears);
        Config = model.Config;
        Type = model.Dtype == ScalarType.BFloat16 ? PanelType.Bfloat16 : PanelType.Float32;
        Layers = [.. Enumerable.Range(0, Config.Layers).Select(layer => CreateLayer(ParameterLayout.Layer(layer), kernels.Width))];
        FinalNorm = Norm(ParameterLayout.FinalNorm);
        Head = PackedMatrix.Stack(Type, kernels.Width, new Linear(_parameters[Config.TieWordEmbeddings ? ParameterLayout.Embedding : ParameterLayout.Head], null));
        // The largest first, so that it is not the last one that others wait for.
        _matrices = [Head, .. Layers.SelectMany(layer => new[] { layer.QueryKeyValue, layer.AttentionOutput, layer.GateUp, layer.Down })];
        LayerWeights = _matrices.Where(matrix => matrix != Head).Sum(matrix => matrix.Bytes) / Panel.ElementBytes(Type);
        _panels = PlacePanels(onHugePages: false);
    }

    public ModelConfig Config { get; }

    /// <summary>What the weights are.</summary>
    public PanelType Type { get; }

    public PackedLayer[] Layers { get; }

    public NativeBuffer FinalNorm { get; }

    public PackedMatrix Head { get; }

    /// <summary>Weights of all layers' products.</summary>
    public long LayerWeights { get; }

    /// <summary>[vocabulary, hidden].</summary>
    public TensorMemory Embedding { get; private set; }

    /// <summary>
    /// Takes the weights over from the tensors. Huge pages take time to be had, which pays when weights change, that is in training; a program
    /// that samples once begins without.
    /// </summary>
    public void Pack(WorkerPool pool)
    {
        if (_isPacked && !_isOnHugePages)
        {
            _panels.Dispose();
            _panels = PlacePanels(onHugePages: true);
            _isOnHugePages = true;
        }
        _isPacked = true;
        pool.RunParts(_matrices.Length, (_, part) => _matrices[part].Pack());
        foreach (var (packed, source) in _norms) TensorMemory.Of(source).CopyTo(0, (int)source.shape[0], packed.Floats);
        Embedding = TensorMemory.Of(_parameters[ParameterLayout.Embedding]);
    }

    public void Dispose()
    {
        foreach (var layer in Layers) layer.Dispose();
        FinalNorm.Dispose();
        Head.Dispose();
        _panels.Dispose();
    }

    private NativeBuffer PlacePanels(bool onHugePages)
    {
        var panels = new NativeBuffer(_matrices.Sum(matrix => matrix.Bytes), onHugePages);
        byte* place = panels.Pointer;
        foreach (var matrix in _matrices)
        {
            matrix.Place(place);
            place += matrix.Bytes;
        }
        return panels;
    }

    private PackedLayer CreateLayer(string prefix, int width) => new(
        Norm(prefix + "input_layernorm.weight"),
        PackedMatrix.Stack(Type, width, _projections[prefix + "self_attn.q_proj"], _projections[prefix + "self_attn.k_proj"], _projections[prefix + "self_attn.v_proj"]),
        Config.QueryKeyNorm ? Norm(prefix + "self_attn.q_norm.weight") : null,
        Config.QueryKeyNorm ? Norm(prefix + "self_attn.k_norm.weight") : null,
        PackedMatrix.Stack(Type, width, _projections[prefix + "self_attn.o_proj"]),
        Norm(prefix + "post_attention_layernorm.weight"),
        PackedMatrix.Interleave(Type, width, _projections[prefix + "mlp.gate_proj"], _projections[prefix + "mlp.up_proj"]),
        PackedMatrix.Stack(Type, width, _projections[prefix + "mlp.down_proj"]));

    private NativeBuffer Norm(string name)
    {
        Tensor source = _parameters[name];
        var packed = NativeBuffer.OfFloats(source.shape[0]);
        _norms.Add((packed, source));
        return packed;
    }
}
