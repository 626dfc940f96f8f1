namespace DeepSeekR1.Rewards;

/// <summary>
/// Assertions of equality in C# as calls with expected values, so that neither the comparison nor the expected value enters the program's
/// box: <c>Debug.Assert(F(1) == 2);</c>, <c>Debug.Assert(F(1).Equals(2));</c>, <c>Debug.Assert(F(1).SequenceEqual(new[] { 2 }));</c>.
/// </summary>
internal static class CSharpAssertion
{
    private const string Known = "Debug.Assert(CALL == VALUE);, Debug.Assert(CALL.Equals(VALUE)); or Debug.Assert(CALL.SequenceEqual(VALUE));";

    private static readonly string[] _starts = ["Debug.Assert(", "System.Diagnostics.Debug.Assert("], _methods = [".Equals(", ".SequenceEqual("];

    /// <summary>The call, and what it must give.</summary>
    /// <exception cref="SandboxException">It is no assertion of equality.</exception>
    public static (string Call, string Expected) Parse(string assertion)
    {
        string text = assertion.Trim().TrimEnd(';').TrimEnd();
        if (_starts.FirstOrDefault(start => text.StartsWith(start, StringComparison.Ordinal)) is not { } begin || !text.EndsWith(')')) throw Unknown(assertion);
        string body = text[begin.Length..^1].Trim();
        int[] outside = [.. Outside(body)];
        int[] equals = [.. outside.Where(i => body.AsSpan(i).StartsWith("=="))];
        // With a second comparison, a condition or a conjunction it is no longer plain which side the program gives.
        if (equals.Length > 1 || outside.Any(i => "!<>?&|,".Contains(body[i], StringComparison.Ordinal))) throw Unknown(assertion);
        if (equals is [int at]) return Pair(body[..at], body[(at + 2)..]);
        foreach (string method in _methods)
            if (outside.Where(i => body.AsSpan(i).StartsWith(method)).LastOrDefault(-1) is >= 0 and var dot && body[^1] == ')' && EndOf(body, dot + method.Length - 1) == body.Length - 1)
                return Pair(body[..dot], body[(dot + method.Length)..^1]);
        throw Unknown(assertion);

        (string, string) Pair(string call, string expected) =>
            call.Trim().Length > 0 && expected.Trim().Length > 0 ? (call.Trim(), expected.Trim()) : throw Unknown(assertion);
    }

    /// <summary>Places that lie in no bracket, text or character.</summary>
    private static IEnumerable<int> Outside(string code)
    {
        for (int i = 0; i < code.Length; i++)
        {
            yield return i;
            i = EndOf(code, i);
        }
    }

    /// <summary>Where the bracket, text or character that begins here ends; the place itself where none does.</summary>
    private static int EndOf(string code, int start)
    {
        if (code[start] is '"' or '\'')
        {
            for (int i = start + 1; i < code.Length; i++)
            {
                if (code[i] == code[start]) return i;
                if (code[i] == '\\') i++;
            }
            return code.Length;
        }
        if (code[start] is not ('(' or '[' or '{')) return start;
        for (int i = start + 1; i < code.Length; i++)
        {
            if (code[i] is ')' or ']' or '}') return i;
            i = EndOf(code, i);
        }
        return code.Length;
    }

    private static SandboxException Unknown(string assertion) => new($"'{assertion}' is no assertion that can be judged: expected {Known}");
}
