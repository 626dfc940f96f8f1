using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Configuration;
using DeepSeekR1.Evaluation;
using DeepSeekR1.Rewards;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli;

/// <summary>The commands' way into the library.</summary>
internal sealed class Operations : IOperations
{
    private static readonly string[] _defaultRewards = ["accuracy", "format"];

    public Task TrainAsync(TrainRequest request, IRunObserver observer, CancellationToken cancellationToken) =>
        TrainingRun.RunAsync(request, observer, cancellationToken: cancellationToken);

    public Task<IReadOnlyList<Figure>> EvaluateAsync(EvalRequest request, IRunObserver observer, CancellationToken cancellationToken) =>
        EvaluationRun.RunAsync(request, observer, cancellationToken);

    public async IAsyncEnumerable<SampledPiece> SampleAsync(SampleRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pieces = Channel.CreateUnbounded<SampledPiece>();
        var work = ComputeThread.RunAsync(null, () =>
        {
            try
            {
                using var session = ChatSession.Open(request);
                session.Answers(request.Prompt!, (answer, text) => pieces.Writer.TryWrite(new SampledPiece(answer, text)), cancellationToken);
                pieces.Writer.Complete();
            }
            catch (Exception failure)
            {
                pieces.Writer.Complete(failure);
            }
            return Task.FromResult(true);
        });
        await foreach (var piece in pieces.Reader.ReadAllAsync(CancellationToken.None)) yield return piece;
        await work;
    }

    public IConversation Converse(SampleRequest request) => new Conversation(ChatSession.Open(request));

    public async Task<IReadOnlyList<Figure>> ScoreAsync(ScoreRequest request, IRunObserver observer, CancellationToken cancellationToken)
    {
        var rewards = CompletionScoring.Rewards(request.Rewards.Count > 0 ? request.Rewards : _defaultRewards);
        string[] names = [.. rewards.Items.Select(item => item.Reward.Name)];
        var scores = new List<CompletionScore>();
        if (request.Output is not null && Path.GetFullPath(request.Output) == Path.GetFullPath(request.Data))
            throw new R1Exception($"{request.Output} is what is read; choose another --output.");
        await using var output = request.Output is null ? null : OpenOutput(request.Output);
        await foreach (var (row, score) in CompletionScoring.ScoreAsync(request.Data, rewards, cancellationToken))
        {
            scores.Add(score);
            if (output is not null) await output.WriteLineAsync(Line(row.Id, names, score));
        }
        if (scores.Count == 0) throw new R1Exception($"{request.Data} has no rows to score.");
        RewardStatistics.ThrowIfTooManyFailed(rewards, scores);
        return FiguresOf(rewards, scores);
    }

    public CheckpointSummary Inspect(string path) => CheckpointSummary.Of(path);

    public Task<IReadOnlyList<Deviation>> VerifyModelAsync(VerifyRequest request)
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = request.Device ?? DeviceChoice.Auto });
        return ComputeThread.RunAsync(runtime, () => Task.FromResult(ModelVerification.Run(request.Model!, request.Golden, runtime, request.Tolerance)));
    }

    public TokenizerReport VerifyTokenizer(VerifyRequest request) => TokenizerVerification.Run(request.Tokenizer!, request.Cases, request.Chat);

    public Task<IReadOnlyList<string>> ExportAsync(ExportRequest request)
    {
        if (request.Format == ExportFormat.Gguf) return Task.FromResult(GgufExport.Write(request.Model, request.Output, request.Type));
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu });
        return ComputeThread.RunAsync(runtime, () => Task.FromResult(HfExport.Write(request.Model, request.Output, request.Adapter, runtime)));
    }

    public string ResolveConfig(string? config, IReadOnlyList<string> overrides) =>
        ConfigWriter.Write(ConfigReader.Load<Recipe>(config ?? TrainingRun.DefaultRecipe, overrides));

    public string ConfigSchema() => Configuration.ConfigSchema.Generate<Recipe>();

    private static StreamWriter OpenOutput(string path)
    {
        try
        {
            return new StreamWriter(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path} cannot be written: {failure.Message} Choose another --output.", failure);
        }
    }

    private static string Line(string id, string[] names, CompletionScore score) => JsonSerializer.Serialize(new
    {
        id,
        reward = score.Total,
        rewards = names.Zip(score.ByReward).ToDictionary(pair => pair.First, pair => pair.Second.Value),
        reasons = names.Zip(score.ByReward).Where(pair => pair.Second.Reason is not null).ToDictionary(pair => pair.First, pair => pair.Second.Reason),
    });

    private static List<Figure> FiguresOf(WeightedRewards rewards, List<CompletionScore> scores)
    {
        var statistics = RewardStatistics.Measure(rewards, scores);
        var figures = new List<Figure> { new("completions", scores.Count, IsShare: false) };
        foreach (var (reward, _) in rewards.Items)
        {
            if (statistics.TryGetValue($"rewards/{reward.Name}/mean", out double mean)) figures.Add(new(reward.Name, mean, IsShare: false));
            foreach (string count in (string[])["abstained", "failed"])
                if (statistics[$"rewards/{reward.Name}/{count}"] is > 0 and var share) figures.Add(new($"{reward.Name} {count}", share));
        }
        double[] totals = [.. scores.Select(score => score.Total).OfType<double>()];
        figures.Add(new(Figures.MeanReward, totals.Length > 0 ? totals.Average() : double.NaN, IsShare: false));
        return figures;
    }

    private sealed class Conversation(ChatSession session) : IConversation
    {
        public void Answer(string message, Action<string> onText, CancellationToken cancellationToken) => session.Answer(message, onText, cancellationToken);

        public void Dispose() => session.Dispose();
    }
}
