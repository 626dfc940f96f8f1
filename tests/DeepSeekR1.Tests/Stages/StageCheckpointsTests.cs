using DeepSeekR1.Configuration;
using DeepSeekR1.Stages;

namespace DeepSeekR1.Tests.Stages;

/// <summary>Only the newest checkpoints stay.</summary>
public sealed class StageCheckpointsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-keep-");

    [Theory]
    [InlineData(1, new[] { 11 })]
    [InlineData(3, new[] { 9, 10, 11 })]
    [InlineData(100, new[] { 2, 8, 9, 10, 11 })]
    public void The_oldest_are_deleted_by_their_steps_and_not_by_their_names(int keep, int[] kept)
    {
        var checkpoints = new StageCheckpoints(_folder.FullName, keep);
        foreach (int step in new[] { 2, 8, 9, 10, 11 })
        {
            checkpoints.Save(new StageMark(step, 0, default, new Dictionary<string, string>()), aside => File.WriteAllText(Path.Combine(aside, "weights"), $"{step}"));
            Assert.Equal(step, checkpoints.Newest(Assert.Fail)!.Value.Mark.Step);
        }
        Assert.Equal(kept.Select(step => $"checkpoint-{step}").Order(StringComparer.Ordinal), Names(_folder.FullName));
    }

    [Fact]
    public async Task A_run_keeps_as_many_as_its_config_says_until_the_stage_ends()
    {
        using var run = new MiniRun();
        using var source = new CancellationTokenSource();
        string[] config = ["zero.grpo.steps=6", "zero.evaluateEvery=0", "checkpoints.every=1", "checkpoints.keep=2"];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.TrainAsync(TrainStage.Zero, new CancelAfter(5, source), overrides: config, cancellationToken: source.Token));
        Assert.Equal(["checkpoint-4", "checkpoint-5"], Names(run.Path("checkpoints", "zero")));
        await run.TrainAsync(TrainStage.Zero, resume: true, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["model"], Names(run.Path("checkpoints", "zero")));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static IEnumerable<string?> Names(string folder) => Directory.GetDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
