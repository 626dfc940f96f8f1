using DeepSeekR1.Runtime;
using TorchSharp;

namespace DeepSeekR1.Training;

/// <summary>
/// How much goes through the model at once: what the config says, and half of it each time a GPU's memory runs out. The pass is then
/// made again from its beginning, so that nothing of the failed one stays. On the CPU the system's memory is shared with everything else
/// and what it says comes late: there the run ends with advice.
/// </summary>
/// <param name="batching">What the config says.</param>
/// <param name="canHalve">True on a GPU.</param>
internal sealed class MemoryBudget(BatchConfig batching, bool canHalve)
{
    /// <summary>A micro-batch of fewer tokens saves nothing worth having.</summary>
    private const int FewestTokens = 64;

    /// <summary>The budget of a model that lives on a device.</summary>
    public MemoryBudget(BatchConfig batching, torch.Device device) : this(batching, canHalve: device.type != DeviceType.CPU) { }

    /// <summary>How work is cut now.</summary>
    public BatchConfig Batching { get; private set; } = batching;

    /// <summary>How often it was halved.</summary>
    public int Halvings { get; private set; }

    /// <summary>Makes a pass; where memory runs out, makes it again with half as much at once.</summary>
    /// <param name="pass">Repeatable: begins by undoing what an earlier try left.</param>
    /// <exception cref="R1Exception">Memory ran out and halving does not help; says what to lower.</exception>
    public T Run<T>(Func<BatchConfig, T> pass)
    {
        while (true)
            try
            {
                return pass(Batching);
            }
            catch (Exception failure) when (OutOfMemory.IsCauseOf(failure))
            {
                if (!canHalve || Batching.TokensPerMicroBatch < 2 * FewestTokens) throw new R1Exception(Advice(), failure);
                Halve();
            }
    }

    private void Halve()
    {
        int tokens = Batching.TokensPerMicroBatch / 2;
        Batching = Batching with
        {
            TokensPerMicroBatch = tokens,
            PackedRowLength = Math.Min(Batching.PackedRowLength, tokens),
            MillionLogitsPerChunk = Math.Max(1, Batching.MillionLogitsPerChunk / 2),
        };
        Halvings++;
        OutOfMemory.Collect();
    }

    private string Advice() =>
        $"Memory ran out in a micro-batch of at most {Batching.TokensPerMicroBatch} tokens. Lower batching.tokensPerMicroBatch (a sequence that is longer runs alone: then lower the length of " +
        "completions or examples) or batching.millionLogitsPerChunk; or set model.gradientCheckpointing to true, or train an adapter (model.lora). The last checkpoint is sound; a run goes on with --resume.";
}
