using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Evaluation;

namespace DeepSeekR1.Cli.Tests;

/// <summary>The commands that look at checkpoints and write them: inspect, verify, export.</summary>
public class CheckpointCommandTests
{
    [Fact]
    public async Task Inspect_tells_what_is_there_and_one_line_for_tensors_alike()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("inspect", "dir"));
        Assert.Equal("dir", run.Request);
        Assert.Equal("""
            path           dir
            architecture   LlamaForCausalLM
            parameters     1,234,567, 234,567 active
            dtype          F32 (2 tensors), BF16 (1 tensors)
            stop tokens    2 <|im_end|>

            a.*.w      2 × F32 [2, 3]
            a.*.b      1 × BF16 [2]

            """.ReplaceLineEndings("\n"), run.Out);
    }

    [Fact]
    public async Task Verify_prints_the_largest_differences_and_succeeds_within_the_tolerance()
    {
        var run = new CliRun { Deviations = [new("logits", 1.5e-4, 2e-4), new("loss", 1e-6, 2e-4)] };
        Assert.Equal(0, await run.RunAsync("verify", "--model", "m", "--golden", "g", "--tolerance", "3e-4"));
        Assert.Equal(new VerifyRequest { Model = "m", Golden = "g", Tolerance = 3e-4 }, run.Request);
        Assert.Equal("logits  1.5e-4  within 2.0e-4\nloss    1.0e-6  within 2.0e-4\n", run.Out);
    }

    [Theory]
    [InlineData(2.1e-4)]
    [InlineData(double.NaN)]
    public async Task Verify_fails_beyond_the_tolerance(double difference)
    {
        var run = new CliRun { Deviations = [new("logits", difference, 2e-4), new("loss", 1e-6, 2e-4)] };
        Assert.Equal(1, await run.RunAsync("verify", "--model", "m"));
        Assert.Contains("BEYOND 2.0e-4", run.Out, StringComparison.Ordinal);
        Assert.Equal("error: 1 of 2 quantities differ from the reference by more than is tolerated.\n", run.Error);
    }

    [Fact]
    public async Task Verify_of_a_tokenizer_counts_rows_and_fails_on_any_difference()
    {
        var good = new CliRun { TokenizerReport = new(453, []) };
        Assert.Equal(0, await good.RunAsync("verify", "--tokenizer", "t", "--cases", "c", "--chat", "d"));
        Assert.Equal("453 rows compared, 0 differences\n", good.Out);
        Assert.Equal(new VerifyRequest { Tokenizer = "t", Cases = "c", Chat = "d" }, good.Request);

        var bad = new CliRun { TokenizerReport = new(2, ["c, line 1: ids differ"]) };
        Assert.Equal(1, await bad.RunAsync("verify", "--tokenizer", "t", "--cases", "c"));
        Assert.Equal("c, line 1: ids differ\n2 rows compared, 1 differences\n", bad.Out);
        Assert.Equal(1, await new CliRun { TokenizerReport = new(0, []) }.RunAsync("verify", "--tokenizer", "t", "--cases", "c"));
    }

    [Theory]
    [InlineData("f32", GgufType.F32)]
    [InlineData("f16", GgufType.F16)]
    [InlineData("bf16", GgufType.Bf16)]
    [InlineData("q8_0", GgufType.Q8)]
    public async Task Export_knows_the_types_by_their_names_in_GGUF(string name, GgufType type)
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("export", "--model", "m", "--format", "gguf", "--type", name, "--output", "o.gguf"));
        Assert.Equal(new ExportRequest("m", ExportFormat.Gguf, type, "o.gguf", null), run.Request);
        Assert.Equal("written: o.gguf\nnote: beyond 32 tokens it differs\n", run.Out);
    }

    [Fact]
    public async Task Export_merges_an_adapter_into_a_folder()
    {
        var run = new CliRun();
        Assert.Equal(0, await run.RunAsync("export", "--model", "m", "--format", "safetensors", "--merge-adapter", "a", "--output", "o"));
        Assert.Equal(new ExportRequest("m", ExportFormat.SafeTensors, GgufType.F16, "o", "a"), run.Request);
    }

    [Theory]
    [InlineData("inspect", "path")]
    [InlineData("verify", "what is verified?")]
    [InlineData("verify --model m --tokenizer t --cases c", "what is verified?")]
    [InlineData("verify --tokenizer t", "--tokenizer goes with --cases or --chat")]
    [InlineData("verify --tokenizer t --cases c --golden g", "--golden goes with --model")]
    [InlineData("verify --model m --cases c", "--tokenizer goes with --cases or --chat")]
    [InlineData("verify --model m --tolerance 0", "--tolerance: expected a number above 0")]
    [InlineData("export --model m --format gguf", "'--output' is required")]
    [InlineData("export --model m --format onnx --output o", "unknown format 'onnx'")]
    [InlineData("export --model m --format gguf --type q4 --output o", "unknown type 'q4'")]
    [InlineData("export --model m --format gguf --merge-adapter a --output o", "--merge-adapter goes with --format safetensors")]
    [InlineData("export --model m --format safetensors --type f16 --output o", "--type goes with --format gguf")]
    public async Task Wrong_usage_is_told_with_exit_code_2(string line, string expected)
    {
        var run = new CliRun();
        Assert.Equal(2, await run.RunAsync(line.Split(' ')));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Null(run.Request);
    }
}
