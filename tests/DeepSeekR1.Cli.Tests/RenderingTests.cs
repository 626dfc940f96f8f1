using DeepSeekR1.Cli.Rendering;
using DeepSeekR1.Telemetry;
using Spectre.Console.Testing;

namespace DeepSeekR1.Cli.Tests;

public class RenderingTests
{
    private static StepMetrics Step(int step) => new("zero", step, new Dictionary<string, double>
    {
        ["loss"] = 2.5e-5,
        ["reward"] = 0.5,
        ["rewards/accuracy/mean"] = 0.25,
        ["completions/mean_length"] = 38.04,
        ["step_time"] = 1,
    });

    private static ResultRow Row(string name, double accuracy) => new(name, new Dictionary<string, double> { ["accuracy"] = accuracy, ["length"] = 41 });

    [Fact]
    public async Task Plain_lines_tell_the_run()
    {
        var run = new CliRun();
        run.Training = (observer, _) =>
        {
            observer.StageStarted(new StageStart("zero", 0, 4, "GRPO on the world"));
            for (int step = 1; step <= 4; step++)
            {
                run.Time.Advance(2);
                observer.StepDone(Step(step));
            }
            observer.Said(new RunMessage(MessageLevel.Warning, "two groups had no signal"));
            observer.RowMeasured(Row("base", 0.2));
            observer.RowMeasured(Row("zero", 0.9));
            observer.StageEnded(new StageEnd("zero", TimeSpan.FromSeconds(3725), "runs/zero-1/model"));
            return Task.CompletedTask;
        };
        Assert.Equal(0, await run.RunAsync("train", "--stage", "zero"));
        // Steps 2 and 3 came within five seconds of the line before; the last one always has its line.
        Assert.Equal("""
            zero: GRPO on the world
            zero 1/4  reward 0.500  accuracy 25.0 %  length 38.0  loss 2.5e-5  2.0 s/step, 0:06 left
            zero 4/4  reward 0.500  accuracy 25.0 %  length 38.0  loss 2.5e-5  2.0 s/step
            warning: two groups had no signal
            base: accuracy 20.0 %  length 41
            zero: accuracy 90.0 %  length 41
            zero: done in 1:02:05, model in runs/zero-1/model

                  accuracy  length
            base    20.0 %      41
            zero    90.0 %      41

            """.ReplaceLineEndings("\n"), run.Out);
    }

    [Fact]
    public async Task A_resumed_stage_counts_its_own_steps_for_the_time_left()
    {
        var run = new CliRun();
        run.Training = (observer, _) =>
        {
            observer.StageStarted(new StageStart("zero", 90, 100, "GRPO"));
            run.Time.Advance(7);
            observer.StepDone(new StepMetrics("zero", 91, new Dictionary<string, double>()));
            return Task.CompletedTask;
        };
        Assert.Equal(0, await run.RunAsync("train", "--stage", "zero"));
        Assert.Contains("(goes on after step 90)", run.Out, StringComparison.Ordinal);
        Assert.Contains("zero 91/100    7.0 s/step, 1:03 left", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_shows_bars_messages_and_the_table()
    {
        var console = new TestConsole().Width(120).Interactive();
        var run = new CliRun { Terminal = console };
        run.Training = (observer, _) =>
        {
            observer.StageStarted(new StageStart("zero", 0, 4, "GRPO [on] the world"));
            run.Time.Advance(2);
            observer.StepDone(Step(1));
            observer.WorkDone(new WorkProgress("evaluating [zero]", 1, 2));
            observer.WorkDone(new WorkProgress("evaluating [zero]", 2, 2));
            observer.Said(new RunMessage(MessageLevel.Warning, "odd \u001b[31m text"));
            observer.RowMeasured(Row("zero", 0.9));
            observer.StageEnded(new StageEnd("zero", TimeSpan.FromSeconds(75), "runs/[x]"));
            return Task.CompletedTask;
        };
        Assert.Equal(0, await run.RunAsync("train", "--stage", "zero"));
        Assert.Equal("", run.Out);
        Assert.Contains("GRPO [on] the world", console.Output, StringComparison.Ordinal);
        Assert.Contains("1/4  reward 0.500  accuracy 25.0 %  length 38.0", console.Output, StringComparison.Ordinal);
        Assert.Contains("warning: odd \uFFFD[31m text", console.Output, StringComparison.Ordinal);
        Assert.Contains("zero done in 1:15, model in runs/[x]", console.Output, StringComparison.Ordinal);
        Assert.Matches(@"zero +90\.0 % +41", console.Lines[^2]);
    }

    [Fact]
    public async Task A_failure_under_live_progress_is_one_line_too()
    {
        var run = new CliRun { Terminal = new TestConsole(), Training = (_, _) => throw new R1Exception("no [such] thing.") };
        Assert.Equal(1, await run.RunAsync("train", "--stage", "zero"));
        Assert.Equal("error: no [such] thing.\n", run.Error);
    }

    [Theory]
    [InlineData(0.02, "50 steps/s, 0:01 left")]
    [InlineData(140, "140.0 s/step, 1:56:40 left")]
    public void Speed_is_shown_in_the_unit_that_reads_best(double seconds, string expected)
    {
        var time = new ManualTime();
        var clock = new StepClock(time, 0, 51);
        time.Advance(seconds);
        Assert.Equal(expected, clock.Describe(1));
    }
}
