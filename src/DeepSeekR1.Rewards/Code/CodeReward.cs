namespace DeepSeekR1.Rewards;

/// <summary>How passed tests become a score.</summary>
public enum CodeScoring
{
    /// <summary>1 where all tests pass, else 0.</summary>
    AllOrNothing,
    /// <summary>The share of tests that pass.</summary>
    Share,
}

/// <summary>
/// Runs the last fenced Python block of a completion against the prompt's tests, in a sandbox. Tests are fields of the row: HumanEval's
/// (<c>test</c>, <c>entry_point</c>), MBPP's (<c>test_list</c>), function calls (<c>calls</c>), or <c>inputs</c> and <c>outputs</c> of whole runs. Expected
/// values never enter the program's box. No program is wrong; a machine without a sandbox makes the reward fail, naming what to install.
/// </summary>
public sealed class CodeReward : IReward
{
    private static readonly string[] _python = ["python", "py", "python3"];

    private readonly Sandbox _sandbox;
    private readonly PythonRunner _runner;
    private readonly Lazy<Task> _checked;

    /// <summary>A reward that runs programs.</summary>
    /// <param name="sandbox">Where they run; null: a sandbox of its own with two slots.</param>
    /// <param name="limits">What a run may use; null: the defaults.</param>
    /// <param name="interpreter">Python's path inside the box.</param>
    public CodeReward(Sandbox? sandbox = null, SandboxLimits? limits = null, string interpreter = "/usr/bin/python3")
    {
        _sandbox = sandbox ?? new Sandbox();
        _runner = new PythonRunner(_sandbox, limits ?? new SandboxLimits(), interpreter);
        _checked = new Lazy<Task>(() => _sandbox.CheckAsync());
    }

    /// <inheritdoc/>
    public string Name => "code";

    /// <summary>How passed tests become a score.</summary>
    public CodeScoring Scoring { get; init; } = CodeScoring.AllOrNothing;

    /// <inheritdoc/>
    /// <exception cref="SandboxException">There is no sandbox on this machine, or the tests are broken.</exception>
    /// <exception cref="FormatException">The row's tests cannot be read.</exception>
    public async ValueTask<RewardScore> ScoreAsync(Prompt prompt, Completion completion, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(completion);
        if (CodeTests.Of(prompt) is not { } tests) return RewardScore.Abstain("the row has no tests");
        if (FencedCode.Last(JudgedPart.Answer.Of(completion), _python) is not { } program) return new RewardScore(0, "no fenced program");
        await _checked.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        var outcomes = tests switch
        {
            CodeTests.Assertions assertions => await _runner.TestAsync($"{assertions.Preamble}\n{program}", assertions.Setup, assertions.Tests, cancellationToken).ConfigureAwait(false),
            CodeTests.Streams streams => await RunCasesAsync(program, streams, cancellationToken).ConfigureAwait(false),
            _ => throw new InvalidOperationException($"unknown tests {tests.GetType()}"),
        };
        return ScoreOf(outcomes);
    }

    private async Task<IReadOnlyList<TestOutcome>> RunCasesAsync(string program, CodeTests.Streams streams, CancellationToken cancellationToken)
    {
        var outcomes = new List<TestOutcome>();
        foreach (var (input, expected) in streams.Cases)
        {
            string? output = await _runner.RunAsync(program, input, cancellationToken).ConfigureAwait(false);
            outcomes.Add(output is null ? new TestOutcome(false, "failed, wrote too much or ran out of time")
                : new TestOutcome(Lines(output).SequenceEqual(Lines(expected)), "other output"));
            if (!outcomes[^1].Passed && Scoring == CodeScoring.AllOrNothing) break;
        }
        return outcomes;
    }

    private RewardScore ScoreOf(IReadOnlyList<TestOutcome> outcomes)
    {
        int passed = outcomes.Count(outcome => outcome.Passed);
        string reason = $"{passed} of {outcomes.Count} tests passed";
        if (outcomes.FirstOrDefault(outcome => !outcome.Passed) is { } failed) reason += $"; {failed.Reason}";
        return new RewardScore(Scoring == CodeScoring.Share ? (double)passed / outcomes.Count : passed == outcomes.Count ? 1 : 0, reason);
    }

    /// <summary>Lines without blanks at their ends and without empty lines at the end of all; extra and missing lines count.</summary>
    private static IEnumerable<string> Lines(string text) => text.TrimEnd().Split('\n').Select(line => line.TrimEnd());
}
