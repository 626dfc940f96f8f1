namespace DeepSeekR1.Rewards;

/// <summary>What became of one test.</summary>
/// <param name="Passed">Whether it held.</param>
/// <param name="Reason">Why not.</param>
internal sealed record TestOutcome(bool Passed, string? Reason);

/// <summary>Runs programs of one language against tests, in the sandbox.</summary>
internal interface IProgramRunner
{
    /// <summary>What its fenced blocks are called.</summary>
    IReadOnlyCollection<string> Languages { get; }

    /// <summary>[test] what became of it. A program that does not come up fails them all.</summary>
    /// <exception cref="SandboxException">There is no sandbox, or the tests themselves are broken.</exception>
    Task<IReadOnlyList<TestOutcome>> TestAsync(string program, CodeTests tests, CancellationToken cancellationToken);
}
