using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Rollouts.Cpu;

/// <summary>A real pretrained model: eight chat prompts and 64 greedy tokens of each, against transformers. Slow: 135 million parameters.</summary>
[Trait("Category", "Slow")]
public class CpuDecoderSmolLm2Tests(ITestOutputHelper output)
{
    private const string Folder = "smollm2-135m-instruct";

    [Fact]
    public void Float32_equals_the_reference()
    {
        using var scope = NewDisposeScope();
        var golden = GoldenTensors(Folder);
        string[] names = [.. Prompts.Select(prompt => (string)prompt["name"]!)];
        float[][] afterPrompt = new float[names.Length][];
        var (ids, logProbs) = Decode(ScalarType.Float32, (batch, expected) =>
        {
            for (int i = 0; i < names.Length; i++) afterPrompt[i] ??= batch.Logits(i).ToArray();
            return [.. expected.Select((_, i) => System.Numerics.Tensors.TensorPrimitives.IndexOfMax(batch.Logits(i)))];
        });
        Assert.Equal(Prompts.Select(prompt => Integers(prompt["greedy_ids"])), ids.Select(row => row.Select(id => (long)id).ToArray()));

        double worst = Worst(logProbs);
        for (int i = 0; i < names.Length; i++)
        {
            long[] top = golden[names[i] + ".top_ids"].data<long>().ToArray();
            float[] topLogits = golden[names[i] + ".top_logits"].data<float>().ToArray();
            worst = Math.Max(worst, top.Zip(topLogits).Max(pair => Math.Abs((double)afterPrompt[i][pair.First] - pair.Second)));
        }
        output.WriteLine($"logits and log-probabilities differ by at most {worst:E1}");
        Assert.InRange(worst, 0, 2e-4);
    }

    [Fact]
    public void Bfloat16_stays_near_the_reference()
    {
        // The reference's own tokens are fed, so that every log-probability is of the same context.
        var (_, logProbs) = Decode(ScalarType.BFloat16, (_, expected) => expected);
        double mean = logProbs.Average(row => row.Average(pair => Math.Abs(pair.Actual - pair.Expected)));
        output.WriteLine($"log-probabilities differ by {mean:E1} on average, at most {Worst(logProbs):E1}");
        // The checkpoint's weights are bfloat16 themselves: what differs is the rounding of keys and values to 8 bits.
        Assert.InRange(mean, 0, 0.01);
        Assert.InRange(Worst(logProbs), 0, 0.25);
    }

    private static JsonNode[] Prompts => [.. GoldenJson(Folder)["prompts"]!.AsArray().Select(prompt => prompt!)];

    private static double Worst((double Actual, double Expected)[][] logProbs) => logProbs.Max(row => row.Max(pair => Math.Abs(pair.Actual - pair.Expected)));

    /// <summary>Decodes all prompts in one batch; each step appends what <paramref name="choose"/> makes of the batch and the reference's next tokens.</summary>
    /// <returns>The tokens, and the log-probability of each beside the reference's.</returns>
    private static (int[][] Ids, (double Actual, double Expected)[][] LogProbs) Decode(ScalarType dtype, Func<IDecodeBatch, int[], int[]> choose)
    {
        using var model = HfCheckpoint.LoadModel(Reference.SmolLm2(), ModelFixtures.Runtime, dtype);
        using var decoder = new CpuDecoder(model, threads: 2);
        int[][] prompts = [.. Prompts.Select(prompt => Integers(prompt["input_ids"]).Select(id => (int)id).ToArray())];
        int[][] expected = [.. Prompts.Select(prompt => Integers(prompt["greedy_ids"]).Select(id => (int)id).ToArray())];
        double[][] expectedLogProbs = [.. Prompts.Select(prompt => prompt["greedy_logprobs"]!.AsArray().Select(value => (double)value!).ToArray())];
        int[][] ids = [.. expected.Select(row => new int[row.Length])];
        (double, double)[][] logProbs = [.. expected.Select(row => new (double, double)[row.Length])];
        using var batch = decoder.Start([.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], [.. prompts.Select(_ => 1)], expected[0].Length);
        for (int step = 0; ; step++)
        {
            int[] chosen = choose(batch, [.. expected.Select(row => row[step])]);
            for (int i = 0; i < chosen.Length; i++)
            {
                ids[i][step] = chosen[i];
                logProbs[i][step] = (LogProbability(batch.Logits(i), chosen[i]), expectedLogProbs[i][step]);
            }
            if (step + 1 == expected[0].Length) return (ids, logProbs);
            batch.Advance([.. Enumerable.Range(0, chosen.Length)], chosen);
        }
    }

    private static double LogProbability(ReadOnlySpan<float> logits, int id)
    {
        float highest = System.Numerics.Tensors.TensorPrimitives.Max(logits);
        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp((double)logit - highest);
        return logits[id] - highest - Math.Log(sum);
    }
}
