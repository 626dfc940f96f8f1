namespace DeepSeekR1.Rewards;

/// <summary>Finds the program in a completion.</summary>
internal static class FencedCode
{
    private const string Fence = "```";

    /// <summary>The last closed fenced block whose language is one of these names, or that names none; null where there is none.</summary>
    public static string? Last(string text, IReadOnlyCollection<string> languages)
    {
        string[] lines = text.Split('\n');
        string? last = null;
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].TrimStart().StartsWith(Fence, StringComparison.Ordinal)) continue;
            string language = lines[i].Trim()[Fence.Length..].Trim();
            int end = Array.FindIndex(lines, i + 1, line => line.Trim() == Fence);
            if (end < 0) break;
            if (language.Length == 0 || languages.Contains(language, StringComparer.OrdinalIgnoreCase)) last = string.Join('\n', lines[(i + 1)..end]);
            i = end;
        }
        return last;
    }
}
