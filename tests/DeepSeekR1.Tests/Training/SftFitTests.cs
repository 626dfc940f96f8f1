using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Text;
using DeepSeekR1.Training;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Training;

/// <summary>Examples that are too long, made to fit as TRL's packing strategies make them.</summary>
public class SftFitTests
{
    [Theory]
    [InlineData("bfd_split", SftFit.Split, 8)]
    [InlineData("bfd_split", SftFit.Split, 12)]
    [InlineData("bfd_split", SftFit.Split, 16)]
    [InlineData("wrapped", SftFit.Wrapped, 8)]
    [InlineData("wrapped", SftFit.Wrapped, 12)]
    [InlineData("wrapped", SftFit.Wrapped, 16)]
    public void Examples_are_cut_as_TRL_cuts_them(string strategy, SftFit fit, int length)
    {
        var golden = GoldenFile.Json("data", "packing.json");
        var packed = golden.GetProperty("cases").EnumerateArray().Single(item => item.GetProperty("strategy").GetString() == strategy && item.GetProperty("length").GetInt32() == length).GetProperty("packed");
        // A piece of one token, in which nothing can be learned, is left out.
        IEnumerable<string> expected = PiecesOf(packed).Where(piece => piece.Length > 1).Select(piece => Show(piece)).Order(StringComparer.Ordinal);
        EncodedExample[] documents = [.. golden.GetProperty("input_ids").EnumerateArray().Select(ids => new EncodedExample(Ints(ids), 0))];
        EncodedExample[] pieces = [.. EncodedExamples.Fitted(documents, length, fit)];
        Assert.Equal(expected, pieces.Select(piece => Show(piece.Ids.ToArray())).Order(StringComparer.Ordinal));
        Assert.All(pieces, piece => Assert.DoesNotContain(false, piece.IsLearned.ToArray()));
    }

    /// <summary>The rows that TRL's SFTTrainer trained on, and their labels.</summary>
    [Fact]
    public void Wrapped_rows_are_those_that_TRL_trains_on()
    {
        using var scope = NewDisposeScope();
        var run = GoldenFile.Json("sft", "packed_wrapped", "run.json");
        int length = run.GetProperty("config").GetProperty("max_length").GetInt32();
        SftExample[] rows = [.. run.GetProperty("rows").EnumerateArray().Select((row, i) => new TextExample($"{i}", "", row.GetProperty("text").GetString()!))];
        var encoder = new SftEncoder(HfTokenizer.Load(Testing.Reference.Golden(["sft", .. run.GetProperty("model").GetString()!.Split('/')])), "<eos>");
        var examples = EncodedExamples.Of(rows, encoder, length, SftFit.Wrapped);
        var wrapped = Enumerable.Range(0, examples.Count!.Value).Select(i => Show(examples[i].Ids.ToArray())).ToHashSet();
        var batches = GoldenFile.Tensors("sft", "packed_wrapped", "batches.safetensors");
        int compared = 0;
        for (int micro = 0; batches.TryGetValue($"micro{micro}.input_ids", out var ids); micro++)
            for (int row = 0; row < ids.shape[0]; row++, compared++)
            {
                int tokens = (int)batches[$"micro{micro}.attention_mask"][row].sum().item<long>();
                Assert.Contains(Show(Row(ids)), wrapped);
                Assert.Equal(Row(ids), Row(batches[$"micro{micro}.labels"]));

                int[] Row(Tensor table) => [.. table[row].data<long>().ToArray().Take(tokens).Select(id => (int)id)];
            }
        Assert.Equal(20, compared);
    }

    [Fact]
    public void What_carries_no_loss_keeps_carrying_none()
    {
        EncodedExample[] examples = [new(new[] { 1, 2, 3, 4, 5, 6, 7 }, 5), new(new[] { 8, 9 }, 1)];
        // The first four tokens are all prompt, and nothing predicts a 9 that is alone.
        Assert.Equal(["5 -6 -7", "8 -9"], EncodedExamples.Fitted(examples, 4, SftFit.Split).Select(piece => Learned(piece)));
        Assert.Equal("5 -6 -7 8", Learned(Assert.Single(EncodedExamples.Fitted(examples, 4, SftFit.Wrapped))));

        // Tokens to be learned have a minus.
        static string Learned(EncodedExample example) => Show(example.Ids.ToArray().Zip(example.IsLearned.ToArray(), (id, isLearned) => isLearned ? -id : id));
    }

    [Fact]
    public void A_stream_of_documents_is_not_cut()
    {
        using var folder = new TemporaryFolder();
        using var policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", folder.Path), TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }));
        var failure = Assert.Throws<R1Exception>(() => SftTrainer.OnStream(i => new TextExample($"{i}", "", "tom has 1 ."), policy, new SftConfig { Steps = 1, Fit = SftFit.Wrapped }));
        Assert.Equal("sft.fit is wrapped, but documents of an endless stream are read one by one: leave it at whole.", failure.Message);
    }

    private static IEnumerable<int[]> PiecesOf(JsonElement packed)
    {
        JsonElement[] rows = [.. packed.GetProperty("input_ids").EnumerateArray()];
        if (!packed.TryGetProperty("seq_lengths", out var lengths)) return rows.Select(Ints);
        return rows.Zip(lengths.EnumerateArray(), (row, cuts) =>
        {
            int start = 0;
            return Ints(cuts).Select(length => Ints(row)[start..(start += length)]).ToArray();
        }).SelectMany(pieces => pieces);
    }

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetInt32())];

    private static string Show(IEnumerable<int> ids) => string.Join(' ', ids);
}
