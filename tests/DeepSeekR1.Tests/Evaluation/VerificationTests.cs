using DeepSeekR1.Checkpoints;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;
using DeepSeekR1.Tests.Text;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Evaluation;

public sealed class VerificationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen3-moe")]
    [InlineData("deepseek-v3")]
    public void A_model_meets_its_reference(string model)
    {
        ModelFixtures.Runtime.BindThread();
        var deviations = ModelVerification.Run(Reference.Golden("models", model), null, ModelFixtures.Runtime);
        Assert.All(deviations, deviation => Assert.True(deviation.IsWithin, deviation.ToString()));
        Assert.Superset(new HashSet<string> { "logits", "logprobs", "loss", "grad.model.norm.weight" }, deviations.Select(deviation => deviation.Name).ToHashSet());
    }

    [Fact]
    public void Another_models_reference_is_not_met_and_the_worst_comes_first()
    {
        ModelFixtures.Runtime.BindThread();
        var deviations = ModelVerification.Run(Reference.Golden("models", "llama"), Reference.Golden("models", "llama-bf16", "golden.safetensors"), ModelFixtures.Runtime);
        Assert.False(deviations[0].IsWithin);
        Assert.Equal(deviations.OrderByDescending(deviation => deviation.Largest / deviation.Tolerance), deviations);
    }

    [Fact]
    public void A_changed_number_is_found()
    {
        var golden = ModelFixtures.GoldenTensors("llama");
        golden["grad.model.norm.weight"].view(-1)[3].add_(golden["grad.model.norm.weight"].abs().max() * 0.01);
        golden["logprobs"][0, 4].add_(float.NaN);
        var deviations = Verify(golden);
        Assert.Equal(["logprobs", "grad.model.norm.weight"], deviations.Where(deviation => !deviation.IsWithin).Select(deviation => deviation.Name));
        Assert.Equal(0.01, deviations[1].Largest, 1e-4);
    }

    [Fact]
    public void Padding_on_the_left_is_attended_to_by_nobody()
    {
        using var scope = NewDisposeScope();
        var golden = ModelFixtures.GoldenTensors("llama");
        var ids = golden["input_ids"].narrow(0, 0, 1);
        var logits = golden["logits"].narrow(0, 0, 1);
        var padding = zeros([1, 5], ScalarType.Int64);
        Assert.All(Verify(new()
        {
            ["input_ids"] = cat([padding, ids], 1),
            ["attention_mask"] = cat([padding, ones_like(ids)], 1),
            ["logits"] = cat([zeros([1, 5, logits.shape[2]]), logits], 1),
        }), deviation => Assert.True(deviation.IsWithin, deviation.ToString()));
    }

    [Fact]
    public void A_file_that_does_not_fit_is_an_error()
    {
        var ids = ModelFixtures.GoldenTensors("llama")["input_ids"];
        Assert.Contains("nothing to compare", Refused(new() { ["input_ids"] = ids }), StringComparison.Ordinal);
        Assert.Contains("input_ids [rows, tokens] of int64 is needed", Refused(new() { ["logits"] = zeros(3) }), StringComparison.Ordinal);
        Assert.Contains("logits has shape [3]", Refused(new() { ["input_ids"] = ids, ["logits"] = zeros(3) }), StringComparison.Ordinal);
        Assert.Contains("there is nothing to compute", Refused(new() { ["input_ids"] = zeros([0, 4], ScalarType.Int64), ["logprobs"] = zeros(0, 3) }), StringComparison.Ordinal);
        foreach (long wrong in new[] { -1L, 384L })
        {
            Assert.Contains($"input_ids has id {wrong}, the model's are 0 to 383", Refused(new() { ["input_ids"] = full_like(ids, wrong), ["loss"] = tensor(0f) }), StringComparison.Ordinal);
            Assert.Contains($"labels has id {wrong}", Refused(new() { ["input_ids"] = ids, ["labels"] = full_like(ids, wrong), ["loss"] = tensor(0f) }), StringComparison.Ordinal);
        }
        Assert.Contains("labels holds Float32, expected int64", Refused(new() { ["input_ids"] = ids, ["labels"] = ids.to(ScalarType.Float32), ["loss"] = tensor(0f) }), StringComparison.Ordinal);
        Assert.Contains("loss has shape [1], expected []", Refused(new() { ["input_ids"] = ids, ["labels"] = ids, ["loss"] = zeros(1) }), StringComparison.Ordinal);
        Assert.Contains("labels is missing", Refused(new() { ["input_ids"] = ids, ["loss"] = tensor(0f) }), StringComparison.Ordinal);
        Assert.Contains("nothing but padding", Refused(new() { ["input_ids"] = ids, ["attention_mask"] = zeros_like(ids) }), StringComparison.Ordinal);
        Assert.Contains("grad.no.such fits no parameter", Refused(new() { ["input_ids"] = ids, ["labels"] = ids, ["grad.no.such"] = zeros(1) }), StringComparison.Ordinal);
        Assert.Contains("labels is missing", Refused(new() { ["input_ids"] = ids, ["grad.model.norm.weight"] = zeros(64) }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3")]
    [InlineData("mistral")]
    public void A_tokenizer_meets_its_reference(string name)
    {
        string? chat = name == "mistral" ? null : Reference.Golden("tokenizers", name, "chat.jsonl");
        var report = TokenizerVerification.Run(Tokenizers.Folder(name), Reference.Golden("tokenizers", name, "cases.jsonl"), chat);
        Assert.Empty(report.Differences);
        Assert.Equal(chat is null ? 453 : 490, report.Rows);
    }

    [Fact]
    public void Differences_of_a_tokenizer_are_told_with_their_line()
    {
        string cases = _folder.File("cases.jsonl"), chat = _folder.File("chat.jsonl");
        File.WriteAllText(cases, """
            {"text": "Hi", "ids": [13048], "decoded": "Ho"}
            {"text": "Hi", "ids": [1]}

            """);
        File.WriteAllText(chat, """
            {"messages": [{"role": "user", "content": "Hi"}], "rendered": "<|im_start|>user\nHo"}
            {"messages": [{"role": "user", "content": "Hi"}], "error": "no"}
            {"messages": [], "rendered": ""}

            """);
        var report = TokenizerVerification.Run(Tokenizers.Folder("qwen3"), cases, chat);
        Assert.Equal(5, report.Rows);
        Assert.Collection(report.Differences,
            difference => Assert.Equal($"{cases}, line 1: decoded differs from character 1 on: expected \"o\", found \"i\"", difference),
            difference => Assert.Equal($"{cases}, line 2: ids differ from position 0 on: expected \"1\", found \"13048\"", difference),
            difference => Assert.StartsWith($"{chat}, line 1: rendered differs from character 18 on", difference, StringComparison.Ordinal),
            difference => Assert.StartsWith($"{chat}, line 2: error: expected one", difference, StringComparison.Ordinal),
            difference => Assert.StartsWith($"{chat}, line 3: rendered: expected a text, found the error", difference, StringComparison.Ordinal));
        File.WriteAllText(chat, """{"error": "no"}""");
        Assert.Contains("line 1: the field 'messages' is missing", Assert.Throws<R1Exception>(() => TokenizerVerification.Run(Tokenizers.Folder("qwen3"), null, chat)).Message, StringComparison.Ordinal);
        File.WriteAllText(cases, """{"text": 5}""");
        Assert.Contains("line 1, field text: expected a string", Assert.Throws<R1Exception>(() => TokenizerVerification.Run(Tokenizers.Folder("qwen3"), cases, null)).Message, StringComparison.Ordinal);
    }

    private IReadOnlyList<Deviation> Verify(Dictionary<string, Tensor> golden)
    {
        ModelFixtures.Runtime.BindThread();
        string path = _folder.File("golden.safetensors");
        SafeTensors.Save(path, golden);
        return ModelVerification.Run(Reference.Golden("models", "llama"), path, ModelFixtures.Runtime);
    }

    private string Refused(Dictionary<string, Tensor> golden) => Assert.Throws<R1Exception>(() => Verify(golden)).Message;
}
