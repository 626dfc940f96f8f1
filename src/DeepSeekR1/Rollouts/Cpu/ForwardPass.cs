using DeepSeekR1.Models;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>
/// Runs tokens through the decoder. Each worker runs the same function: either all of them on all rows, each computing its share of
/// every product's columns and meeting the others after each stage, or, where rows are many and independent, each on rows of its own.
/// What is too little to share, the calling thread does alone. The results are the same bits.
/// </summary>
internal sealed unsafe class ForwardPass : IDisposable
{
    /// <summary>Rows a worker needs of its own, to make up for reading all weights alone; few where its cache holds them.</summary>
    private const int RowsOfOwn = 64, RowsOfOwnInCache = 8, WeightsInCache = 1 << 18;

    /// <summary>Independent parts dealt out for each worker, so that the faster ones take more.</summary>
    private const int PartsOfMember = 4;

    /// <summary>Blocks of attention for each worker from which one more or less does not count.</summary>
    private const int ItemsOfMember = 8;

    /// <summary>Where workers meet in a layer, at most.</summary>
    private const int StagesOfLayer = 8;

    /// <summary>Multiply-adds of a stage below which meeting takes longer than what is saved; about 5 microseconds of one core.</summary>
    public const long SmallestSharedStage = 1 << 18;

    /// <summary>One row costs as much as so many: the weights have to be read.</summary>
    private const int RowsOfOneRead = 8;

    /// <summary>Rows of one share of a product: few enough to stay in the second cache, many enough to reuse the weights.</summary>
    public const int ChunkRows = 64;

    private readonly long _smallestSharedStage;
    private readonly PackedModel _model;
    private readonly CpuKernels _kernels;
    private readonly WorkerPool _pool;
    private readonly KvLayout _layout;
    private readonly RotaryTable _rotary;
    private readonly AttentionPass[] _attention;
    private readonly RowBuffer _residual, _normed, _projected, _attended, _gateUp, _gated;
    private DecoderRow[] _rows = [];
    private bool _areIndependent;
    private int _workers;

    public ForwardPass(PackedModel model, CpuKernels kernels, WorkerPool pool, KvLayout layout, long smallestSharedStage)
    {
        _smallestSharedStage = smallestSharedStage;
        (_model, _kernels, _pool, _layout) = (model, kernels, pool, layout);
        var config = model.Config;
        _rotary = new RotaryTable(config);
        _attention = [.. Enumerable.Range(0, pool.Size).Select(_ => new AttentionPass(kernels, config.Heads, layout))];
        (_residual, _normed) = (new(config.HiddenSize), new(config.HiddenSize));
        (_projected, _attended) = (new((config.Heads + 2 * config.KeyValueHeads) * config.HeadDim), new(config.Heads * config.HeadDim));
        int paddedIntermediate = Panel.Count(config.IntermediateSize, kernels.Width) * kernels.Width;
        (_gateUp, _gated) = (new(2 * paddedIntermediate), new(paddedIntermediate));
    }

    private ModelConfig Config => _model.Config;

    /// <summary>
    /// Runs the layers, storing keys and values. Rows of one prompt follow one another; those of the prompt itself, and of one sequence,
    /// in the order of their positions.
    /// </summary>
    public void Run(DecoderRow[] rows)
    {
        _rows = rows;
        foreach (var buffer in new[] { _residual, _normed, _projected, _attended, _gateUp, _gated }) buffer.Reserve(rows.Length);
        _rotary.Extend(rows.Max(row => row.Position) + 1);
        int promptTokens = rows.Max(row => row.VisiblePrompt), ownTokens = rows.Max(row => row.VisibleOwn);
        foreach (var attention in _attention) attention.Reserve(promptTokens, ownTokens);

        _areIndependent = rows.All(row => row.IsNewest);
        bool isCached = _model.LayerWeights <= WeightsInCache;
        int parts = Math.Min(rows.Length / (isCached ? RowsOfOwnInCache : RowsOfOwn), _pool.Size * (isCached ? PartsOfMember : 1));
        bool isAlone = _pool.Size == 1 || IsTooLittle(_model.LayerWeights / (StagesOfLayer * Config.Layers), rows.Length);
        _workers = isAlone ? 1 : _pool.Size;
        if (isAlone) RunLayers(Team.Alone, _attention[0], 0, rows.Length);
        else if (_areIndependent && parts >= _pool.Size)
        {
            _pool.RunParts(parts, (member, part) =>
            {
                var (first, end) = new Team(part, parts, null).Share(rows.Length);
                RunLayers(Team.Alone, _attention[member], first, end);
            });
        }
        else _pool.RunTogether(team => RunLayers(team, _attention[team.Member], 0, rows.Length));
    }

    /// <summary>Copies the last layer's output of a row of the latest run; [hidden], the final norm not applied.</summary>
    public void CopyHidden(int row, float* destination) =>
        new ReadOnlySpan<float>(_residual[row], Config.HiddenSize).CopyTo(new Span<float>(destination, Config.HiddenSize));

    /// <summary>Logits of the latest run's rows.</summary>
    public void Logits(int rows, RowBuffer logits) => Logits(_residual, rows, logits);

    /// <summary>Logits of rows of last-layer outputs, after those that are there.</summary>
    public void Logits(RowBuffer hidden, int rows, RowBuffer logits, int after = 0)
    {
        _normed.Reserve(rows);
        logits.Reserve(after + rows, kept: after);
        Norm(Team.Alone, hidden, _model.FinalNorm, 0, rows);
        int parts = IsTooLittle((long)Config.VocabularySize * Config.HiddenSize, rows) ? 1 : PartsOfMember * _pool.Size;
        _workers = parts == 1 ? 1 : _pool.Size;
        _pool.RunParts(parts, (_, part) => MultiplyAndMeet(new Team(part, parts, null), _normed[0, rows], _model.Head, logits[after, after + rows]));
    }

    public void Dispose()
    {
        _rotary.Dispose();
        foreach (var attention in _attention) attention.Dispose();
        foreach (var buffer in new[] { _residual, _normed, _projected, _attended, _gateUp, _gated }) buffer.Dispose();
    }

    private bool IsTooLittle(long weightsOfStage, int rows) => weightsOfStage * Math.Max(rows, RowsOfOneRead) < _smallestSharedStage;

    private void RunLayers(Team team, AttentionPass attention, int first, int end)
    {
        int blockRows = BlockRows(team, first, end);
        Embed(team, first, end);
        team.Meet();
        for (int i = 0; i < Config.Layers; i++)
        {
            var layer = _model.Layers[i];
            Norm(team, _residual, layer.AttentionNorm, first, end);
            team.Meet();
            MultiplyAndMeet(team, _normed[first, end], layer.QueryKeyValue, _projected[first, end]);
            StoreAndMeet(team, i, first, end);
            AttendAndMeet(team, attention, i, first, end, blockRows);
            MultiplyAndMeet(team, _attended[first, end], layer.AttentionOutput, _residual[first, end], add: true);
            Norm(team, _residual, layer.MlpNorm, first, end);
            team.Meet();
            Gate(team, layer.GateUp, first, end);
            team.Meet();
            MultiplyAndMeet(team, _gated[first, end], layer.Down, _residual[first, end], add: true);
        }
    }

    private void Embed(Team team, int first, int end)
    {
        var (firstOfMember, endOfMember) = team.Share(end - first);
        for (int row = first + firstOfMember; row < first + endOfMember; row++)
            _model.Embedding.CopyTo((long)_rows[row].Token * Config.HiddenSize, Config.HiddenSize, _residual[row]);
    }

    private void Norm(Team team, RowBuffer input, NativeBuffer weight, int first, int end)
    {
        var (firstOfMember, endOfMember) = team.Share(end - first);
        for (int row = first + firstOfMember; row < first + endOfMember; row++)
            _kernels.RmsNorm(input[row], weight.Floats, (float)Config.RmsNormEpsilon, _normed[row], Config.HiddenSize);
    }

    private void MultiplyAndMeet(Team team, Rows left, PackedMatrix right, Rows result, bool add = false)
    {
        long start = OperationClock.Start();
        foreach (var share in ProductShare.Of(team, left.Count, right.PanelCount, ChunkRows)) Multiply(share, left, right, result, add);
        team.Meet();
        OperationClock.Stop(Operation.Products, start, _workers);
    }

    private void Multiply(ProductShare share, Rows left, PackedMatrix right, Rows result, bool add = false) =>
        _kernels.MultiplyWeights(share.Slice(left), right.Panels, share.FirstPanel, share.EndPanel, share.Slice(result), new Epilogue(add, right.Bias));

    /// <summary>The gated half of the feed-forward block: panels of gate and up alternate, so that a worker finds both in its share.</summary>
    private void Gate(Team team, PackedMatrix gateUp, int first, int end)
    {
        foreach (var share in ProductShare.Of(team, end - first, gateUp.PanelCount, ChunkRows))
        {
            var product = share.Slice(_gateUp[first, end]);
            long start = OperationClock.Start();
            Multiply(share, _normed[first, end], gateUp, _gateUp[first, end]);
            OperationClock.Stop(Operation.Products, start, _workers);
            int column = share.FirstPanel * _kernels.Width, columns = (share.EndPanel - share.FirstPanel) * _kernels.Width;
            var gated = share.Slice(_gated[first, end]);
            for (int row = 0; row < gated.Count; row++) _kernels.SwiGlu(product[row] + column, gated[row] + column / 2, columns / 2);
        }
    }

    /// <summary>Stores all keys and values, where rows attend to one another's.</summary>
    private void StoreAndMeet(Team team, int layer, int first, int end)
    {
        if (_areIndependent) return;
        long start = OperationClock.Start();
        var (firstOfMember, endOfMember) = team.Share(end - first);
        for (int row = first + firstOfMember; row < first + endOfMember; row++)
            for (int head = 0; head < Config.KeyValueHeads; head++) Store(layer, head, row);
        team.Meet();
        OperationClock.Stop(Operation.Attention, start, _workers);
    }

    /// <summary>Stores the key of a row, normed where the model does and in its position, and its value.</summary>
    private void Store(int layer, int head, int rowIndex)
    {
        ref readonly var row = ref _rows[rowIndex];
        float* key = _projected[rowIndex] + (Config.Heads + head) * Config.HeadDim, value = key + Config.KeyValueHeads * Config.HeadDim;
        Turn(key, 1, _model.Layers[layer].KeyNorm, row.Position);
        var (block, token) = row.Sequence is { } sequence ? sequence.PlaceOf(row.VisibleOwn - 1) : (row.Prompt.Cache, row.Position);
        block.Store(layer, head, token, key, value, clearRest: row.IsNewest && (!_areIndependent || token % _layout.ValueRun == 0));
    }

    /// <summary>Norms heads where the model does, and gives them their position.</summary>
    private void Turn(float* heads, int count, NativeBuffer? norm, int position)
    {
        for (int head = 0; head < count; head++, heads += Config.HeadDim)
        {
            if (norm is not null) _kernels.RmsNorm(heads, norm.Floats, (float)Config.RmsNormEpsilon, heads, Config.HeadDim);
            _kernels.Rotate(heads, _rotary.Cosines(position), _rotary.Sines(position), Config.HeadDim / 2);
        }
    }

    private void AttendAndMeet(Team team, AttentionPass attention, int layer, int first, int end, int blockRows)
    {
        long start = OperationClock.Start();
        int item = 0, queries = Config.Heads / _layout.Heads;
        for (int block = first, endOfBlock; block < end; block = endOfBlock)
        {
            endOfBlock = EndOfBlock(block, end, blockRows);
            for (int head = 0; head < _layout.Heads; head++)
            {
                // Dealt out in turn, because later tokens of a prompt attend to more.
                if (item++ % team.Size != team.Member) continue;
                for (int row = block; row < endOfBlock; row++)
                {
                    Turn(_projected[row] + head * queries * Config.HeadDim, queries, _model.Layers[layer].QueryNorm, _rows[row].Position);
                    if (_areIndependent) Store(layer, head, row);
                }
                attention.Attend(_rows.AsSpan(block, endOfBlock - block), layer, head, _projected[block, endOfBlock], _attended[block, endOfBlock]);
            }
        }
        team.Meet();
        OperationClock.Stop(Operation.Attention, start, _workers);
    }

    /// <summary>Rows that attend together: so many that the prompt is read seldom, and few enough that every worker gets the same share where there are few blocks.</summary>
    private int BlockRows(Team team, int first, int end)
    {
        int rows = AttentionPass.BlockRows;
        for (; rows > 1; rows /= 2)
        {
            int items = 0;
            for (int block = first; block < end; block = EndOfBlock(block, end, rows)) items += _layout.Heads;
            if (items % team.Size == 0 || items >= ItemsOfMember * team.Size) break;
        }
        return rows;
    }

    private int EndOfBlock(int block, int end, int rows)
    {
        int endOfBlock = block + 1;
        while (endOfBlock < end && endOfBlock - block < rows && _rows[endOfBlock].Prompt == _rows[block].Prompt) endOfBlock++;
        return endOfBlock;
    }
}
