using System.Text.Json.Nodes;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;
using static DeepSeekR1.Tests.Models.ModelFixtures;
using static TorchSharp.torch;

namespace DeepSeekR1.Tests.Models;

public class SequenceClassifierTests
{
    private static readonly AddressedRandom _init = new(3, RandomPurpose.Weights);

    [Fact]
    public void The_score_is_read_at_the_last_token_whatever_the_padding()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Load("qwen2");
        using var classifier = SequenceClassifier.From(model, _init);
        var ids = GoldenTensors("qwen2")["input_ids"];
        var scores = classifier.Score(ids, tensor(new long[] { 5, 1, ids.shape[1] }));
        foreach (var (row, length) in new[] { (0, 5L), (1, 1L), (2, ids.shape[1]) })
        {
            var hidden = model.Hidden(ids[row].narrow(0, 0, length).unsqueeze(0))[0, -1];
            Assert.Equal(hidden.dot(classifier.Parameters["score.weight"][0]).item<float>(), scores[row].item<float>(), 1e-4);
        }
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2-tied")]
    public void A_saved_classifier_has_transformers_layout_and_loads_again(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = Load(name);
        using var classifier = SequenceClassifier.From(model, _init);
        HfCheckpoint.SaveModel(classifier, folder.Path);

        var json = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        Assert.Equal(model.Config.Architecture.Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal), (string?)json["architectures"]![0]);
        Assert.Single(json["id2label"]!.AsObject());
        var saved = SafeTensors.Load(folder.File("model.safetensors"));
        Assert.Equal([1, model.Config.HiddenSize], saved["score.weight"].shape);
        Assert.DoesNotContain("lm_head.weight", saved.Keys);

        using var again = HfCheckpoint.LoadClassifier(folder.Path, ModelFixtures.Runtime);
        var ids = GoldenTensors(name)["input_ids"];
        var lengths = full([ids.shape[0]], ids.shape[1], ScalarType.Int64);
        Assert.Equal(0, Difference(again.Score(ids, lengths), classifier.Score(ids, lengths)));
        Assert.Contains("is a classifier", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder.Path, ModelFixtures.Runtime)).Message);
    }

    [Fact]
    public void A_language_model_is_no_classifier_and_two_labels_are_one_too_many()
    {
        Assert.Contains("is no classifier", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadClassifier(Reference.Golden("models", "llama"), ModelFixtures.Runtime)).Message);
        string json = File.ReadAllText(Reference.Golden("models", "llama", "config.json")).Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal);
        Assert.Contains("1 label", Assert.Throws<R1Exception>(() => ModelConfig.Parse(json)).Message);
    }
}
