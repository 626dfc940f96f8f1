using System.Globalization;

namespace DeepSeekR1.Benchmarks;

/// <summary>Options of the form <c>--name value</c>.</summary>
internal static class Options
{
    /// <summary><c>--threads</c>: 0, one a core, where it is not given.</summary>
    /// <exception cref="R1Exception">Not a number.</exception>
    public static int Threads(string[] args)
    {
        string text = Text(args, "--threads") ?? "0";
        return int.TryParse(text, CultureInfo.InvariantCulture, out int threads) && threads >= 0
            ? threads
            : throw new R1Exception($"--threads needs a whole number, 0 for one a core; found '{text}'.");
    }

    /// <summary>The whole number behind a name.</summary>
    /// <exception cref="R1Exception">Not one, or less than one.</exception>
    public static int Number(string[] args, string name, int otherwise)
    {
        if (Text(args, name) is not { } text) return otherwise;
        return int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number > 0 ? number : throw new R1Exception($"{name} needs a whole number from 1; found '{text}'.");
    }

    /// <summary>The value behind a name, or null.</summary>
    public static string? Text(string[] args, string name) => args.SkipWhile(arg => arg != name).Skip(1).FirstOrDefault();
}
