using System.Text.Json;
using DeepSeekR1.Data;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>What a model answered to a prompt, several times.</summary>
internal sealed record SampledPrompt(Prompt Prompt, IReadOnlyList<Completion> Completions);

/// <summary>Data sets that are sampled from a model; part of the address of the draws.</summary>
internal enum SampledSet
{
    RejectionSampling = 1,
    Preferences = 2,
    HeldOutPreferences = 3,
    Teacher = 4,
    TeacherChats = 5,
}

/// <summary>
/// Samples completions of many prompts into a file of the run folder, one line a prompt. A run that goes on takes the lines that are
/// there and samples the rest; the draws are the same as if it had never stopped.
/// </summary>
internal sealed class SamplingPass(RunContext run, SampledSet set, string name)
{
    /// <summary>Prompts that are sampled together, and lost together when the run is killed.</summary>
    private const int PromptsAtOnce = 64;

    private readonly string _file = run.DataFile($"{name}.samples.jsonl");

    /// <summary>All prompts with their samples, in order.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; what was sampled is in the file.</exception>
    public IReadOnlyList<SampledPrompt> Run(PolicyModel policy, IReadOnlyList<Prompt> prompts, int samples, SamplingConfig sampling, CancellationToken cancellationToken)
    {
        var done = Known(prompts, samples);
        using var log = new JsonLinesLog(_file);
        var engine = policy.Engine(run.Recipe.Evaluation.Limits);
        var address = new RolloutAddress(new AddressedRandom(run.Recipe.Seed, RandomPurpose.Curation), (int)set);
        while (done.Count < prompts.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            EncodedPrompt[] chunk = [.. prompts.Skip(done.Count).Take(PromptsAtOnce).Select((prompt, i) => policy.Encode(prompt, done.Count + i))];
            foreach (var group in engine.Generate(chunk, samples, sampling, address, cancellationToken: CancellationToken.None))
            {
                var sampled = new SampledPrompt(group.Prompt.Prompt, [.. group.Rollouts.Select(rollout => rollout.Completion with { TokenIds = default })]);
                Append(log, sampled);
                done.Add(sampled);
            }
            run.Observer.WorkDone(new WorkProgress($"sampling for {name}", done.Count, prompts.Count));
        }
        return done;
    }

    /// <summary>The samples that are in the file; a line that a kill cut short is cut off, a file of other samples begun anew.</summary>
    private List<SampledPrompt> Known(IReadOnlyList<Prompt> prompts, int samples)
    {
        if (!File.Exists(_file)) return [];
        byte[] bytes = File.ReadAllBytes(_file);
        int whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        using (var file = File.OpenWrite(_file)) file.SetLength(whole);
        SampledPrompt[] known = [.. JsonlReader.Read(_file).Zip(prompts, Read)];
        if (known.Length > prompts.Count || known.Any(line => line.Completions.Count != samples))
            throw new R1Exception($"{_file} was sampled with other settings; delete it, or begin anew in another --output.");
        return [.. known];
    }

    private static SampledPrompt Read(DataRow row, Prompt prompt)
    {
        if (row.RequireText("prompt_id") != prompt.Id) throw row.Error($"the samples are of prompt '{row.RequireText("prompt_id")}'", $"Expected '{prompt.Id}'; delete the file, or begin anew in another --output.");
        return new SampledPrompt(prompt, [.. row.Require("completions").EnumerateArray().Select(completion => new Completion
        {
            Text = completion.GetProperty("text").GetString()!,
            TokenCount = completion.GetProperty("tokens").GetInt32(),
            IsTruncated = completion.GetProperty("truncated").GetBoolean(),
        })]);
    }

    private static void Append(JsonLinesLog log, SampledPrompt sampled) => log.Append(writer =>
    {
        writer.WriteString("prompt_id", sampled.Prompt.Id);
        writer.WriteString("prompt", sampled.Prompt.Text);
        writer.WriteStartArray("completions");
        foreach (var completion in sampled.Completions) Write(writer, completion);
        writer.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter writer, Completion completion)
    {
        writer.WriteStartObject();
        writer.WriteString("text", completion.Text);
        writer.WriteNumber("tokens", completion.TokenCount);
        writer.WriteBoolean("truncated", completion.IsTruncated);
        writer.WriteEndObject();
    }
}
