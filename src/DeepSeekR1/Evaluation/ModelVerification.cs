using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using static TorchSharp.torch;

namespace DeepSeekR1.Evaluation;

/// <summary>How far a computed quantity is from its reference.</summary>
/// <param name="Name">What it is: <c>logits</c>, or <c>grad.</c> and a parameter's name.</param>
/// <param name="Largest">The largest absolute difference; of a gradient, as a share of the reference's largest entry.</param>
/// <param name="Tolerance">What is tolerated.</param>
public sealed record Deviation(string Name, double Largest, double Tolerance)
{
    /// <summary>True up to the tolerance; a difference that is no number is beyond every one.</summary>
    public bool IsWithin => Largest <= Tolerance;
}

/// <summary>
/// Recomputes a reference file in float32: <c>input_ids</c> [rows, tokens], and of <c>attention_mask</c>, <c>labels</c>, <c>logits</c>,
/// <c>logprobs</c>, <c>loss</c> and <c>grad.NAME</c> those that are there; docs/verify.md has the script that makes one.
/// </summary>
public static class ModelVerification
{
    /// <summary>The reference file of a folder where none is named.</summary>
    public const string GoldenFile = "golden.safetensors";

    /// <summary>Differences of logits, log-probabilities and loss that another order of summation makes in float32.</summary>
    public const double DefaultTolerance = 2e-4;

    private const double GradientTolerance = 1e-4;
    private const string GradientPrefix = "grad.";

    /// <summary>A label where no loss is taken, as PyTorch has it.</summary>
    private const long IgnoredLabel = -100;

    /// <summary>Every quantity of the file with its largest difference, the worst first.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="goldenFile">The reference; null takes <see cref="GoldenFile"/> in the folder.</param>
    /// <param name="runtime">Where it is computed.</param>
    /// <param name="tolerance">For logits, log-probabilities and loss; a gradient may differ by 1e-4 of its largest entry, or half of this where that is more.</param>
    /// <exception cref="R1Exception">Model or file cannot be opened, or do not fit together.</exception>
    public static IReadOnlyList<Deviation> Run(string folder, string? goldenFile, TorchRuntime runtime, double tolerance = DefaultTolerance)
    {
        string path = goldenFile ?? Path.Combine(folder, GoldenFile);
        using var scope = NewDisposeScope();
        var golden = SafeTensors.Load(path, runtime.Device);
        if (!golden.TryGetValue("input_ids", out var ids) || ids.shape.Length != 2 || ids.dtype != ScalarType.Int64)
            throw new R1Exception($"{path}: input_ids [rows, tokens] of int64 is needed; docs/verify.md has the script that makes such a file.");
        using var model = HfCheckpoint.LoadModel(folder, runtime, ScalarType.Float32);
        Check(path, golden, model);
        using var grad = set_grad_enabled(golden.Keys.Any(IsGradient));
        var deviations = Compare(model, golden, ids, tolerance).OrderByDescending(deviation => double.IsNaN(deviation.Largest) ? double.PositiveInfinity : deviation.Largest / deviation.Tolerance).ToList();
        return deviations.Count > 0 ? deviations : throw new R1Exception($"{path}: holds none of logits, logprobs, loss and {GradientPrefix}NAME; there is nothing to compare.");
    }

    private static bool IsGradient(string name) => name.StartsWith(GradientPrefix, StringComparison.Ordinal);

    private static void Check(string path, Dictionary<string, Tensor> golden, CausalLM model)
    {
        long[] ids = golden["input_ids"].shape;
        if (ids.Contains(0)) throw new R1Exception($"{path}: input_ids has shape [{string.Join(", ", ids)}]; there is nothing to compute.");
        var expected = new Dictionary<string, (long[] Shape, bool IsInteger)>
        {
            ["attention_mask"] = (ids, true),
            ["labels"] = (ids, true),
            ["logits"] = ([.. ids, model.Config.VocabularySize], false),
            ["logprobs"] = ([ids[0], ids[1] - 1], false),
            ["loss"] = ([], false),
        };
        foreach (var (name, (shape, isInteger)) in expected)
        {
            if (!golden.TryGetValue(name, out var tensor)) continue;
            if (!tensor.shape.SequenceEqual(shape))
                throw new R1Exception($"{path}: {name} has shape [{string.Join(", ", tensor.shape)}], expected [{string.Join(", ", shape)}].");
            if (isInteger ? tensor.dtype != ScalarType.Int64 : !tensor.is_floating_point())
                throw new R1Exception($"{path}: {name} holds {tensor.dtype}, expected {(isInteger ? "int64" : "floating-point numbers")}.");
        }
        int size = model.Config.VocabularySize;
        CheckIds(path, "input_ids", golden["input_ids"], size);
        if (golden.TryGetValue("labels", out var labels)) CheckIds(path, "labels", labels.masked_select(labels.ne(IgnoredLabel)), size);
        if (golden.TryGetValue("attention_mask", out var mask) && mask.eq(0).all(-1).any().item<bool>())
            throw new R1Exception($"{path}: attention_mask has a row of nothing but padding.");
        foreach (string name in golden.Keys.Where(IsGradient))
            if (!model.Parameters.TryGetValue(name[GradientPrefix.Length..], out var parameter) || !parameter.shape.SequenceEqual(golden[name].shape))
                throw new R1Exception($"{path}: {name} fits no parameter of the model.");
        if (!golden.ContainsKey("labels") && (golden.ContainsKey("loss") || golden.Keys.Any(IsGradient)))
            throw new R1Exception($"{path}: loss and gradients are those of the labels, and labels is missing.");
    }

    private static void CheckIds(string path, string name, Tensor ids, int size)
    {
        var wrong = ids.masked_select(ids.lt(0).logical_or(ids.ge(size)));
        if (wrong.numel() > 0) throw new R1Exception($"{path}: {name} has id {wrong[0].item<long>()}, the model's are 0 to {size - 1}.");
    }

    private static IEnumerable<Deviation> Compare(CausalLM model, Dictionary<string, Tensor> golden, Tensor ids, double tolerance)
    {
        var seen = golden.TryGetValue("attention_mask", out var mask) ? mask.to(ScalarType.Bool) : ones_like(ids, ScalarType.Bool);
        var logits = model.Logits(Hidden(model, ids, seen));
        if (golden.TryGetValue("logits", out var expected)) yield return new("logits", Difference(logits.detach()[seen], expected[seen]), tolerance);
        if (golden.TryGetValue("logprobs", out expected))
        {
            var next = seen.narrow(1, 1, seen.shape[1] - 1).logical_and(seen.narrow(1, 0, seen.shape[1] - 1));
            yield return new("logprobs", Difference(NextTokenLogProbs(logits.detach(), ids)[next], expected[next]), tolerance);
        }
        if (!golden.TryGetValue("labels", out var labels)) yield break;
        var loss = Loss(logits, labels);
        if (golden.TryGetValue("loss", out expected)) yield return new("loss", Difference(loss.detach(), expected), tolerance);
        if (!golden.Keys.Any(IsGradient)) yield break;
        loss.backward();
        foreach (string name in golden.Keys.Where(IsGradient))
        {
            var parameter = model.Parameters[name[GradientPrefix.Length..]];
            double largest = golden[name].abs().max().item<float>();
            var gradient = parameter.grad ?? zeros_like(parameter);
            yield return new(name, Difference(gradient, golden[name]) / Math.Max(largest, float.Epsilon), Math.Max(GradientTolerance, tolerance / 2));
        }
    }

    /// <summary>Padding, on either side, is attended to by nobody and moves no position.</summary>
    private static Tensor Hidden(CausalLM model, Tensor ids, Tensor seen)
    {
        if (seen.all().item<bool>()) return model.Hidden(ids);
        long tokens = ids.shape[1];
        var causal = ones([tokens, tokens], ScalarType.Bool, device: ids.device).tril();
        var positions = (seen.to(ScalarType.Int64).cumsum(1) - 1).clamp(min: 0);
        return model.Hidden(ids, positions, causal.unsqueeze(0).unsqueeze(0).logical_and(seen.unsqueeze(1).unsqueeze(1)));
    }

    private static Tensor NextTokenLogProbs(Tensor logits, Tensor ids) =>
        nn.functional.log_softmax(logits.narrow(1, 0, logits.shape[1] - 1), -1).gather(-1, ids.narrow(1, 1, ids.shape[1] - 1).unsqueeze(-1)).squeeze(-1);

    private static Tensor Loss(Tensor logits, Tensor labels) => nn.functional.cross_entropy(
        logits.narrow(1, 0, logits.shape[1] - 1).reshape(-1, logits.shape[^1]), labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1), ignore_index: IgnoredLabel);

    private static double Difference(Tensor actual, Tensor expected)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return actual.numel() == 0 ? 0 : (actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>();
    }
}
