using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Python programs. Program and tests live in two boxes; the host carries calls and plain values between them. The
/// program never sees a test or an expected value, and the verdict is spoken in a box in which nothing of it ever runs.
/// </summary>
internal sealed class PythonRunner(Sandbox sandbox, SandboxLimits limits, string interpreter) : IProgramRunner
{
    private const int MaxDepth = 256;
    private const string Program = "/src/program.py";

    private static readonly string _harness = ReadHarness();

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Languages { get; } = ["python", "py", "python3"];

    /// <inheritdoc/>
    public Task<IReadOnlyList<TestOutcome>> TestAsync(string program, CodeTests tests, CancellationToken cancellationToken) => tests switch
    {
        CodeTests.Assertions assertions => TestAsync(program, assertions, cancellationToken),
        CodeTests.Calls calls => TestAsync(program, new("", "", [.. calls.Cases.Select(call => $"assert ({call.Call}) == ({call.Expected})")]), cancellationToken),
        CodeTests.Streams streams => StreamRunner.TestAsync(sandbox, limits, Whole(program), streams, cancellationToken),
        _ => throw new InvalidOperationException($"unknown tests {tests.GetType()}"),
    };

    /// <summary>[test] what became of it. A program that does not come up, or ends early, fails them all.</summary>
    /// <exception cref="SandboxException">There is no sandbox, or the tests themselves are broken.</exception>
    private async Task<IReadOnlyList<TestOutcome>> TestAsync(string program, CodeTests.Assertions assertions, CancellationToken cancellationToken)
    {
        using var slot = await sandbox.EnterAsync(cancellationToken).ConfigureAwait(false);
        await using var solution = await sandbox.StartAsync(Role("serve"), limits, cancellationToken).ConfigureAwait(false);
        await using var examiner = await sandbox.StartAsync(Role("examine", "-S"), limits, cancellationToken).ConfigureAwait(false);
        await solution.StartedAsync(cancellationToken).ConfigureAwait(false);
        await examiner.StartedAsync(cancellationToken).ConfigureAwait(false);
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        clock.CancelAfter(limits.Time);
        var tests = assertions.Tests;
        var outcomes = new TestOutcome[tests.Count];
        Array.Fill(outcomes, new TestOutcome(false, "out of time"));
        try
        {
            await solution.WriteLineAsync(new JsonObject { ["program"] = $"{assertions.Preamble}\n{program}" }.ToJsonString(), clock.Token).ConfigureAwait(false);
            var (names, failure) = await LoadedAsync(solution, clock.Token).ConfigureAwait(false);
            if (failure is not null) return [.. tests.Select(_ => new TestOutcome(false, failure))];
            var job = new JsonObject { ["preamble"] = assertions.Preamble, ["entry"] = assertions.Entry, ["setup"] = assertions.Setup, ["tests"] = Texts(tests), ["names"] = Texts(names) };
            await examiner.WriteLineAsync(job.ToJsonString(), clock.Token).ConfigureAwait(false);
            await MediateAsync(solution, examiner, outcomes, clock.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The tests that were not reached stay out of time.
        }
        return outcomes;
    }

    private BoxedProgram Whole(string program) => new([interpreter, "-I", Program]) { Files = new Dictionary<string, byte[]> { [Program] = Encoding.UTF8.GetBytes(program) } };

    private BoxedProgram Role(string role, params string[] options) => new([interpreter, "-I", .. options, "-c", _harness, role]);

    /// <summary>What the program defines, or why it did not load.</summary>
    private static async Task<(IReadOnlyList<string> Names, string? Failure)> LoadedAsync(BoxedProcess solution, CancellationToken cancellationToken)
    {
        if (await solution.ReadLineAsync(cancellationToken).ConfigureAwait(false) is not { } line) return ([], "the program ended while it was loaded");
        if (Parse(line) is not { } answer || !answer.ContainsKey("ready")) return ([], "the program wrote where only answers belong");
        if (answer["raise"] is JsonArray { Count: 2 } raised) return ([], $"{raised[0]}: {raised[1]}");
        return (answer["names"] is JsonArray names ? [.. names.OfType<JsonValue>().Select(name => name.TryGetValue(out string? text) ? text : "")] : [], null);
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>Carries calls to the solution and answers to the examiner until the tests are done.</summary>
    private static async Task MediateAsync(BoxedProcess solution, BoxedProcess examiner, TestOutcome[] outcomes, CancellationToken cancellationToken)
    {
        bool isAlive = true;
        while (await examiner.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            var message = Parse(line) ?? throw new SandboxException("the examiner wrote something that is no message");
            if (message["call"] is JsonObject call)
            {
                JsonObject? answer = null;
                if (isAlive)
                {
                    await solution.WriteLineAsync(call.ToJsonString(), cancellationToken).ConfigureAwait(false);
                    answer = AnswerTo(call, await solution.ReadLineAsync(cancellationToken).ConfigureAwait(false));
                    isAlive = answer is not null;
                }
                await examiner.WriteLineAsync((answer ?? Raised("SolutionError", "the program gave no answer")).ToJsonString(), cancellationToken).ConfigureAwait(false);
            }
            else if (message["test"] is { } test)
            {
                outcomes[(int)test] = new TestOutcome(message["reason"] is null, (string?)message["reason"]);
            }
            else if (message["broken"] is { } broken)
            {
                throw new SandboxException($"{broken}");
            }
            else
            {
                return;
            }
        }
        throw new SandboxException($"the examiner ended early: {await examiner.ComplaintAsync(cancellationToken).ConfigureAwait(false)}");
    }

    /// <summary>The solution's line as an answer; null where it is none: then nothing it says is believed any more.</summary>
    private static JsonObject? AnswerTo(JsonObject call, byte[]? line)
    {
        if (line is null || Parse(line) is not { } answer || answer["id"] is not JsonValue id || !id.TryGetValue(out int number) || number != (int)call["id"]!) return null;
        if (answer["value"] is JsonArray value) return new JsonObject { ["value"] = value.DeepClone() };
        return answer["raise"] is JsonArray { Count: 2 } raised && raised[0] is JsonValue kind && kind.TryGetValue(out string? name) ? Raised(name, raised[1]?.ToString() ?? "") : null;
    }

    private static JsonObject Raised(string kind, string message) => new() { ["raise"] = new JsonArray(kind, message) };

    /// <summary>A message; null where it is none, or holds a name twice or half a character, which honest ones never do.</summary>
    private static JsonObject? Parse(byte[] line)
    {
        try
        {
            var message = JsonNode.Parse(line, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false }) as JsonObject;
            return message is not null && IsWhole(message) ? message : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Reads every text once: half a character throws.</summary>
    private static bool IsWhole(JsonNode? node) => node switch
    {
        JsonObject members => members.All(member => IsWhole(member.Value)),
        JsonArray items => items.All(IsWhole),
        JsonValue value => value.GetValueKind() != JsonValueKind.String || value.GetValue<string>() is not null,
        _ => true,
    };

    private static string ReadHarness()
    {
        using var resource = typeof(PythonRunner).Assembly.GetManifestResourceStream("code/harness.py")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
