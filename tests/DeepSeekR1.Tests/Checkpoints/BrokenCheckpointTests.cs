using System.Text.RegularExpressions;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Testing;
using DeepSeekR1.Tests.Models;

namespace DeepSeekR1.Tests.Checkpoints;

/// <summary>Each folder of golden/models/broken has one defect; its expected.txt says what the error names.</summary>
public partial class BrokenCheckpointTests(ITestOutputHelper output)
{
    // A word of expected.txt in another form: the number that the text leaves open, or the same thing said otherwise.
    private static readonly Dictionary<string, string[]> _alsoNamed = new()
    {
        ["config-not-json"] = ["line 2", "position"],
        ["dtype-unknown"] = ["F32", "BF16"],
        ["config-unknown-architecture"] = ["LlamaForCausalLM", "Qwen2ForCausalLM"],
        ["config-unknown-rope"] = ["rope_type spiral", "default", "linear", "llama3", "yarn"],
        ["config-unknown-activation"] = ["silu"],
        ["truncated"] = ["26944", "26844", "the file ends inside the tensor data"],
        ["truncated-header"] = ["2080", "200", "the file ends inside the header"],
        ["only-pickle"] = ["safe_serialization"],
        ["offsets-overlap"] = ["[0, 4096]", "[4032, 8128]"],
    };

    public static TheoryData<string> Cases
    {
        get
        {
            string root = Reference.Repository("..", "shared", "golden", "models", "broken");
            return Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root).Select(folder => Path.GetFileName(folder)).Where(name => name != "intact")] : ["absent"];
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_error_names_what_is_wrong(string name)
    {
        string folder = Reference.Golden("models", "broken", name);
        string expected = File.ReadAllText(Path.Combine(folder, "expected.txt"));

        var error = Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(folder, ModelFixtures.Runtime));

        output.WriteLine(expected.Trim());
        output.WriteLine(error.Message);
        string message = error.Message.Replace(folder, "", StringComparison.Ordinal);
        foreach (string word in Things(expected).Concat(_alsoNamed.GetValueOrDefault(name, []))) Assert.Contains(word, message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void The_intact_folder_loads()
    {
        using var model = HfCheckpoint.LoadModel(Reference.Golden("models", "broken", "intact"), ModelFixtures.Runtime);
        Assert.All(model.Parameters.Values, parameter => Assert.True(parameter.requires_grad && parameter.is_leaf));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        var error = Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel("/nowhere/at/all", ModelFixtures.Runtime));
        Assert.Contains("/nowhere/at/all", error.Message);
    }

    [Fact]
    public void An_adapter_that_is_taken_for_a_model_is_told() =>
        Assert.Contains("holds an adapter, not a model", Assert.Throws<R1Exception>(() => HfCheckpoint.LoadModel(Reference.Golden("models", "lora-llama"), ModelFixtures.Runtime)).Message, StringComparison.Ordinal);

    /// <summary>File names, tensor names, field names, numbers and quoted words of an expectation; remarks in brackets aside.</summary>
    private static IEnumerable<string> Things(string expected) =>
        Thing().Matches(Remark().Replace(expected, "")).Select(match => match.Value.TrimEnd('.', ',', ':'))
            .Where(word => word.Length > 1 && (word.Any(char.IsDigit) || word.Contains('.') || word.Contains('_') || word.Contains('"') || char.IsUpper(word[^1])));

    [GeneratedRegex(@"\((?!hidden_size)[^)]*\)")]
    private static partial Regex Remark();

    [GeneratedRegex(@"[\w.""/-]+")]
    private static partial Regex Thing();
}
