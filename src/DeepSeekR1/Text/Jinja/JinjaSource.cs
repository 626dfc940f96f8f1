namespace DeepSeekR1.Text.Jinja;

/// <summary>A failure inside a template, before its place is known. <see cref="JinjaSource"/> turns it into what users see.</summary>
internal sealed class JinjaException(string message) : Exception(message);

/// <summary>The text of a template and its name, for errors with line and column.</summary>
/// <param name="name">What the template is called in errors, usually its file.</param>
/// <param name="text">The template.</param>
internal sealed class JinjaSource(string name, string text)
{
    /// <summary>The text with line ends as \n and without the last one, as Jinja reads it.</summary>
    public string Text { get; } = Normalize(text);

    /// <summary>The complaint about a place, an offset into <see cref="Text"/>.</summary>
    public R1Exception Error(int position, string complaint)
    {
        var before = Text.AsSpan(0, Math.Min(position, Text.Length));
        int line = before.Count('\n') + 1, column = before.Length - before.LastIndexOf('\n');
        return new R1Exception($"{name}, line {line}, column {column}: {complaint}");
    }

    private static string Normalize(string text)
    {
        string unix = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return unix.EndsWith('\n') ? unix[..^1] : unix;
    }
}
