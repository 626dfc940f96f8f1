using System.Text;

namespace DeepSeekR1.Rewards;

/// <summary>Whole runs of a program: what it reads, what it must write. Expected output never enters the box.</summary>
internal static class StreamRunner
{
    /// <summary>[case] what became of it.</summary>
    public static async Task<IReadOnlyList<TestOutcome>> TestAsync(Sandbox sandbox, SandboxLimits limits, BoxedProgram program, CodeTests.Streams streams, CancellationToken cancellationToken)
    {
        var outcomes = new List<TestOutcome>();
        foreach (var (input, expected) in streams.Cases)
            outcomes.Add(await RunAsync(sandbox, limits, program, input, cancellationToken).ConfigureAwait(false) is not { } output
                ? new TestOutcome(false, "failed, wrote too much or ran out of time")
                : new TestOutcome(Lines(Encoding.UTF8.GetString(output)).SequenceEqual(Lines(expected)), "other output"));
        return outcomes;
    }

    /// <summary>What the program writes when it reads this; null where it failed, wrote too much or ran out of time.</summary>
    public static async Task<byte[]?> RunAsync(Sandbox sandbox, SandboxLimits limits, BoxedProgram program, string input, CancellationToken cancellationToken)
    {
        using var slot = await sandbox.EnterAsync(cancellationToken).ConfigureAwait(false);
        await using var process = await sandbox.StartAsync(program, limits, cancellationToken).ConfigureAwait(false);
        await process.StartedAsync(cancellationToken).ConfigureAwait(false);
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        clock.CancelAfter(limits.Time);
        try
        {
            var feeding = process.WriteAllAsync(input, clock.Token);
            byte[]? output = await process.ReadAllAsync(clock.Token).ConfigureAwait(false);
            await feeding.ConfigureAwait(false);
            return output is not null && await process.ExitCodeAsync(clock.Token).ConfigureAwait(false) == 0 ? output : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Lines without blanks at their ends and without empty lines at the end of all; extra and missing lines count.</summary>
    private static IEnumerable<string> Lines(string text) => text.TrimEnd().Split('\n').Select(line => line.TrimEnd());
}
