namespace DeepSeekR1.Rewards;

/// <summary>How passed tests become a score.</summary>
public enum CodeScoring
{
    /// <summary>1 where all tests pass, else 0.</summary>
    AllOrNothing,
    /// <summary>The share of tests that pass.</summary>
    Share,
}

/// <summary>The language of programs.</summary>
public enum CodeLanguage
{
    /// <summary>Python 3.</summary>
    Python,
    /// <summary>C# on .NET.</summary>
    CSharp,
}

/// <summary>
/// Runs the last fenced block of a completion against the prompt's tests, in a sandbox. Tests are fields of the row: function calls
/// (<c>calls</c>), <c>inputs</c> and <c>outputs</c> of whole runs, assertions as MBPP has them (<c>test_list</c>; in C#
/// <c>Debug.Assert(F(1) == 2);</c>); for Python also HumanEval's (<c>test</c>, <c>entry_point</c>). Expected values never enter the program's box. No program is wrong; a machine without a sandbox makes the
/// reward fail, naming what to install.
/// </summary>
public sealed class CodeReward : IReward
{
    private readonly IProgramRunner _runner;
    private readonly Lazy<Task> _checked;

    /// <summary>A reward that runs programs.</summary>
    /// <param name="language">The language of the programs.</param>
    /// <param name="sandbox">Where they run; null: a sandbox of its own with two slots.</param>
    /// <param name="limits">What a run may use; null: the defaults.</param>
    /// <param name="python">Python's path inside the box.</param>
    public CodeReward(CodeLanguage language = CodeLanguage.Python, Sandbox? sandbox = null, SandboxLimits? limits = null, string python = "/usr/bin/python3")
    {
        var box = sandbox ?? new Sandbox();
        var bounds = limits ?? new SandboxLimits();
        _runner = language == CodeLanguage.Python ? new PythonRunner(box, bounds, python) : new CSharpRunner(box, bounds);
        _checked = new Lazy<Task>(() => box.CheckAsync());
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
        if (CodeTests.Of(prompt) is not { Count: > 0 } tests) return RewardScore.Abstain("the row has no tests");
        if (FencedCode.Last(JudgedPart.Answer.Of(completion), _runner.Languages) is not { } program) return new RewardScore(0, "no fenced program");
        await _checked.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        var outcomes = await _runner.TestAsync(program, tests, cancellationToken).ConfigureAwait(false);

        int passed = outcomes.Count(outcome => outcome.Passed);
        string reason = $"{passed} of {outcomes.Count} tests passed";
        if (outcomes.FirstOrDefault(outcome => !outcome.Passed) is { } failed) reason += $"; {failed.Reason}";
        return new RewardScore(Scoring == CodeScoring.Share ? (double)passed / outcomes.Count : passed == outcomes.Count ? 1 : 0, reason);
    }
}
