using DeepSeekR1.Models;
using TorchSharp;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

public class KvCacheTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("deepseek-v3")]
    public void A_prompt_read_once_serves_its_whole_group_and_finished_rows_leave(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load(name);
        var ids = GoldenTensors(name)["input_ids"];
        long half = ids.shape[1] / 2;
        var prompts = ids.narrow(0, 0, 2).narrow(1, 0, half);
        using var cache = KvCache.Create(model, 2, (int)half + 2);
        model.Hidden(prompts, cache: cache);

        cache.ExpandRows(2);
        Assert.Equal(4, cache.Rows);
        // Rows 0, 1 continue prompt 0, rows 2, 3 prompt 1, each its own way.
        var next = tensor(new long[] { 5, 6, 7, 8 }).unsqueeze(1);
        var grown = model.Hidden(next, cache: cache);
        var whole = model.Hidden(cat([prompts.index_select(0, tensor(new long[] { 0, 0, 1, 1 })), next], 1)).narrow(1, half, 1);
        Assert.InRange(Difference(grown, whole), 0, 1e-4);

        cache.SelectRows([3, 1]);
        var last = tensor(new long[] { 9, 10 }).unsqueeze(1);
        var kept = model.Hidden(last, cache: cache);
        var expected = model.Hidden(cat([prompts.index_select(0, tensor(new long[] { 1, 0 })), next.index_select(0, tensor(new long[] { 3, 1 })), last], 1)).narrow(1, half + 1, 1);
        Assert.InRange(Difference(kept, expected), 0, 1e-4);
        Assert.Equal(cache.Capacity, cache.Length);
    }

    [Fact]
    public void Grouped_heads_store_keys_and_values()
    {
        using var model = Load("llama");
        using var cache = KvCache.Create(model, 3, 7);
        Assert.Equal(model.Config.Layers * 2 * model.Config.KeyValueHeads * model.Config.HeadDim * sizeof(float), cache.BytesPerToken);
    }

    [Fact]
    public void Latent_attention_stores_the_latent_and_one_rotary_key_and_no_heads()
    {
        using var model = Load("deepseek-v3");
        using var cache = KvCache.Create(model, 3, 7);
        var latent = model.Config.LatentAttention!;
        Assert.Equal(model.Config.Layers * (latent.KeyValueRank + latent.RotaryHeadDim) * sizeof(float), cache.BytesPerToken);
    }

    [Fact]
    public void Misuse_is_refused_before_it_reaches_the_kernels()
    {
        using var scope = NewDisposeScope();
        using var model = Load("llama");
        using var cache = KvCache.Create(model, 1, 3);
        var ids = tensor(new long[] { 1, 2, 3, 4 }).unsqueeze(0);
        Assert.Throws<InvalidOperationException>(() => model.Hidden(ids.narrow(1, 0, 2), cache: cache));
        using var noGrad = no_grad();
        Assert.Contains("room for 3", Assert.Throws<ArgumentException>(() => model.Hidden(ids, cache: cache)).Message);
        Assert.Throws<ArgumentException>(() => model.Hidden(cat([ids, ids]), cache: cache));
        Assert.Throws<ArgumentException>(() => model.Hidden(ids.to(ScalarType.Int32)));
        Assert.Throws<ArgumentException>(() => model.Hidden(ids.squeeze(0)));
        Assert.Throws<ArgumentException>(() => model.Hidden(ids, mask: ones([1, 1, 4, 3], ScalarType.Bool)));
        Assert.Throws<ArgumentException>(() => model.Hidden(ids, positions: ids.narrow(1, 0, 3)));
        foreach (long id in new[] { -1L, model.Config.VocabularySize })
            Assert.Contains($"Token id {id} is outside the model's vocabulary", Assert.Throws<R1Exception>(() => model.Hidden(full_like(ids, id))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.SelectRows([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.SelectRows([]));
    }

    [Fact]
    public void Forward_passes_leave_no_tensor_behind()
    {
        using var model = Load("qwen3-moe");
        using var ids = arange(12, ScalarType.Int64).unsqueeze(0);
        using var noGrad = no_grad();
        using (NewDisposeScope()) model.Logits(model.Hidden(ids));
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 5; i++)
            using (NewDisposeScope()) model.Logits(model.Hidden(ids));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
