namespace DeepSeekR1.Models;

/// <summary>Consecutive tokens of one sequence among others in a row.</summary>
/// <param name="Start">The first one's place in the row.</param>
/// <param name="Length">How many.</param>
/// <param name="Prefix">Index of an earlier span that precedes this one in its sequence, such as the prompt that several completions share; -1: none.</param>
internal readonly record struct TokenSpan(int Start, int Length, int Prefix = -1);

/// <summary>
/// Sequences in one row, or in the rows of a batch taken as one: each token attends to its own span up to itself, and to the whole
/// prefix of its span. A prefix has none itself.
/// </summary>
internal sealed class TokenSpans
{
    private readonly TokenSpan[] _spans;
    private readonly bool[] _isPrefix;

    public TokenSpans(IReadOnlyList<TokenSpan> spans)
    {
        _spans = [.. spans];
        var followers = Enumerable.Range(0, _spans.Length).ToLookup(index => _spans[index].Prefix);
        _isPrefix = [.. Enumerable.Range(0, _spans.Length).Select(followers.Contains)];
        Tokens = _spans.Sum(span => span.Length);
        Families = [.. followers[-1].Select(root => (int[])[.. followers[root], root])];
    }

    /// <summary>Every row of a batch by itself.</summary>
    public static TokenSpans Rows(long batch, long sequence) =>
        new([.. Enumerable.Range(0, (int)batch).Select(row => new TokenSpan(row * (int)sequence, (int)sequence))]);

    /// <summary>How many tokens there are.</summary>
    public int Tokens { get; }

    /// <summary>How many spans there are.</summary>
    public int Count => _spans.Length;

    /// <summary>[family][member] spans that share a prefix, which is the last of them.</summary>
    public int[][] Families { get; }

    public TokenSpan this[int index] => _spans[index];

    /// <summary>Whether other spans follow this one.</summary>
    public bool IsPrefix(int index) => _isPrefix[index];

    /// <summary>Tokens before the first one of a span in its sequence.</summary>
    public int PrefixLength(int index) => _spans[index].Prefix is >= 0 and var prefix ? _spans[prefix].Length : 0;

    /// <summary>[token, token] row by row: whether the first may attend to the second.</summary>
    /// <param name="window">How far back a token looks, itself included; null is to the beginning.</param>
    public bool[] Allowed(int? window)
    {
        int tokens = Tokens;
        var allowed = new bool[(long)tokens * tokens];
        for (int index = 0; index < _spans.Length; index++)
        {
            var (span, past) = (_spans[index], PrefixLength(index));
            for (int i = 0; i < span.Length; i++)
            {
                long row = (long)(span.Start + i) * tokens;
                int first = FirstKey(past + i, window);
                for (int key = first; key < past; key++) allowed[row + _spans[span.Prefix].Start + key] = true;
                for (int key = Math.Max(first - past, 0); key <= i; key++) allowed[row + span.Start + key] = true;
            }
        }
        return allowed;
    }

    /// <summary>The first place in a sequence that the token at <paramref name="place"/> attends to.</summary>
    public static int FirstKey(int place, int? window) => window is { } reach ? Math.Max(0, place - reach + 1) : 0;
}
