using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

/// <summary>Opens golden models and compares with their reference outputs.</summary>
internal static class ModelFixtures
{
    /// <summary>One thread: tiny models gain nothing from more, and tests run beside each other.</summary>
    public static TorchRuntime Runtime { get; } = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Dtype = DtypeChoice.Float32, Threads = 1 });

    /// <summary>A golden model in float32, with one of its two configuration files.</summary>
    public static CausalLM Load(string name, string configFile = "config.json")
    {
        string folder = Reference.Golden("models", name);
        Runtime.BindThread();
        if (configFile == "config.json") return HfCheckpoint.LoadModel(folder, Runtime, ScalarType.Float32);
        using var copy = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(folder, "model*")) File.CreateSymbolicLink(copy.File(Path.GetFileName(file)), file);
        File.Copy(Path.Combine(folder, configFile), copy.File("config.json"));
        return HfCheckpoint.LoadModel(copy.Path, Runtime, ScalarType.Float32);
    }

    public static Dictionary<string, Tensor> GoldenTensors(string name) => SafeTensors.Load(Reference.Golden("models", name, "golden.safetensors"));

    public static JsonNode GoldenJson(string name) => JsonNode.Parse(File.ReadAllText(Reference.Golden("models", name, "golden.json")))!;

    public static long[] Integers(JsonNode? node) => [.. node!.AsArray().Select(value => (long)value!)];

    public static Tensor Row(IEnumerable<long> ids) => tensor(ids.ToArray()).unsqueeze(0);

    /// <summary>Largest absolute difference.</summary>
    public static double Difference(Tensor actual, Tensor expected)
    {
        Assert.Equal(expected.shape, actual.shape);
        return actual.numel() == 0 ? 0 : (actual.to(ScalarType.Float64) - expected.to(ScalarType.Float64)).abs().max().item<double>();
    }

    /// <summary>Log-probability of each next id, [batch, sequence - 1].</summary>
    public static Tensor NextTokenLogProbs(Tensor logits, Tensor ids) =>
        nn.functional.log_softmax(logits.narrow(1, 0, logits.shape[1] - 1), -1).gather(-1, ids.narrow(1, 1, ids.shape[1] - 1).unsqueeze(-1)).squeeze(-1);

    /// <summary>Mean cross-entropy of the next id over labels that are not -100.</summary>
    public static Tensor Loss(Tensor logits, Tensor labels) =>
        nn.functional.cross_entropy(logits.narrow(1, 0, logits.shape[1] - 1).reshape(-1, logits.shape[^1]),
            labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1), ignore_index: -100);

    /// <summary>True where the last queries of rows with so many padding tokens [batch] before them may attend: [batch, 1, queries, keys].</summary>
    public static Tensor LeftPaddingMask(Tensor padding, long queries, long keys)
    {
        var real = arange(keys, ScalarType.Int64).unsqueeze(0).ge(padding.unsqueeze(1));
        var causal = ones([queries, keys], ScalarType.Bool).tril(keys - queries);
        return causal.unsqueeze(0).unsqueeze(0).logical_and(real.unsqueeze(1).unsqueeze(1));
    }

    /// <summary>Greedy continuation through the cache, with the log-probability of each id.</summary>
    public static (long[] Ids, double[] LogProbs) Greedy(CausalLM model, long[] prompt, int count)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var cache = KvCache.Create(model, 1, prompt.Length + count);
        var ids = new List<long>();
        var logProbs = new List<double>();
        var next = prompt;
        while (ids.Count < count)
        {
            using var step = NewDisposeScope();
            var hidden = model.Hidden(Row(next), cache: cache);
            var last = nn.functional.log_softmax(model.Logits(hidden.narrow(1, hidden.shape[1] - 1, 1)).view(-1), -1);
            long id = last.argmax().item<long>();
            ids.Add(id);
            logProbs.Add(last[id].item<float>());
            next = [id];
        }
        return ([.. ids], [.. logProbs]);
    }
}
