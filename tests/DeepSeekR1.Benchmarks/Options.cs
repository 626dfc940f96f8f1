namespace DeepSeekR1.Benchmarks;

/// <summary>Options of the form <c>--name value</c>.</summary>
internal static class Options
{
    /// <summary>The value behind a name, or null.</summary>
    public static string? Text(string[] args, string name) => args.SkipWhile(arg => arg != name).Skip(1).FirstOrDefault();
}
