namespace DeepSeekR1.Cli.Rendering;

/// <summary>Text from outside, made harmless for a terminal.</summary>
internal static class TerminalText
{
    /// <summary>Control characters (line breaks and tabs apart) become U+FFFD, so no escape sequence survives.</summary>
    public static string WithoutControls(string text) =>
        text.Any(IsHarmful) ? string.Create(text.Length, text, static (shown, source) =>
        {
            for (int i = 0; i < source.Length; i++) shown[i] = IsHarmful(source[i]) ? '\uFFFD' : source[i];
        }) : text;

    private static bool IsHarmful(char character) => char.IsControl(character) && character is not ('\n' or '\t');
}
