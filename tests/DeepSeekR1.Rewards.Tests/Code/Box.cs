using System.Text.Json;

namespace DeepSeekR1.Rewards.Tests.Code;

/// <summary>What the tests of programs share.</summary>
internal static class Box
{
    public static readonly SandboxLimits Short = new() { Time = TimeSpan.FromSeconds(4), ProcessorSeconds = 3 };

    /// <summary>Skips where this machine allows no namespaces, and says what is missing; with <c>CI=true</c> that is a failure.</summary>
    public static async Task RequireAsync()
    {
        try
        {
            await new Sandbox().CheckAsync(TestContext.Current.CancellationToken);
        }
        catch (SandboxException absent)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail($"the sandbox is required in CI: {absent.Message}");
            Assert.Skip(absent.Message);
        }
    }

    public static Prompt Prompt(object fields, string text = "Write f.") => new()
    {
        Id = "code:1",
        Text = text,
        Fields = JsonSerializer.SerializeToElement(fields).EnumerateObject().ToDictionary(field => field.Name, field => field.Value),
    };

    public static Completion Python(string program) => new() { Text = $"<think> let me see </think>\nHere it is:\n```python\n{program}\n```" };

    public static async Task<RewardScore> ScoreAsync(string program, object fields, SandboxLimits? limits = null, CodeScoring scoring = CodeScoring.AllOrNothing)
    {
        await RequireAsync();
        return await new CodeReward(limits: limits ?? Short) { Scoring = scoring }.ScoreAsync(Prompt(fields), Python(program), TestContext.Current.CancellationToken);
    }
}
