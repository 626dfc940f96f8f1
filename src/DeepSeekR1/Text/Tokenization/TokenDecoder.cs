using System.Globalization;
using System.Text;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>The decoders of tokenizer.json: texts of tokens to one text. Without one, tokens are joined with spaces.</summary>
internal static class TokenDecoder
{
    private const string Known = "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip";

    /// <summary>Reads the field "decoder"; each decoder maps a list of texts to a list of texts, which are then concatenated.</summary>
    public static Func<List<string>, List<string>> Parse(JsonField field)
    {
        switch (field.Type)
        {
            case "Sequence":
                var parts = field.Get("decoders").Items().Select(Parse).ToArray();
                return tokens => parts.Aggregate(tokens, (current, part) => part(current));
            case "ByteLevel": return tokens => [DecodeBytes(tokens.SelectMany(ByteLevelAlphabet.BytesOf))];
            case "ByteFallback": return FallBackToBytes;
            case "Fuse": return tokens => [string.Concat(tokens)];
            case "Replace":
                string content = field.Get("content").String();
                if (field.Get("pattern").Find("String") is { } literal && literal.String() is { Length: > 0 } searched)
                    return tokens => tokens.ConvertAll(token => token.Replace(searched, content, StringComparison.Ordinal));
                var pattern = SplitPattern.Parse(field.Get("pattern"));
                return tokens => tokens.ConvertAll(token => pattern.Replace(token, content));
            case "Strip":
                return Strip(field.Get("content").String(), field.Get("start").Int(0, int.MaxValue), field.Get("stop").Int(0, int.MaxValue));
            case "Metaspace": return Metaspace(field.Get("replacement").String(), (field.Find("prepend_scheme")?.String() ?? "always") != "never");
            default: throw field.UnknownKind(Known);
        }
    }

    private static string DecodeBytes(IEnumerable<byte> bytes) => Encoding.UTF8.GetString([.. bytes]);

    /// <summary>Runs of &lt;0x..> are UTF-8 together, or one U+FFFD each.</summary>
    private static List<string> FallBackToBytes(List<string> tokens)
    {
        var result = new List<string>();
        var pending = new List<byte>();
        foreach (string token in tokens)
        {
            if (IsByte(token, out byte value))
            {
                pending.Add(value);
                continue;
            }
            Flush();
            result.Add(token);
        }
        Flush();
        return result;

        void Flush()
        {
            if (pending.Count == 0) return;
            byte[] bytes = [.. pending];
            if (global::System.Text.Unicode.Utf8.IsValid(bytes)) result.Add(Encoding.UTF8.GetString(bytes));
            else result.AddRange(Enumerable.Repeat("\uFFFD", bytes.Length));
            pending.Clear();
        }
    }

    private static bool IsByte(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>' &&
            byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static Func<List<string>, List<string>> Strip(string content, int start, int stop) => tokens => tokens.ConvertAll(token =>
    {
        int left = 0, right = 0;
        while (left < start && token.AsSpan(left * content.Length).StartsWith(content, StringComparison.Ordinal)) left++;
        string rest = token[(left * content.Length)..];
        while (right < stop && rest.EndsWith(content, StringComparison.Ordinal))
        {
            rest = rest[..^content.Length];
            right++;
        }
        return rest;
    });

    private static Func<List<string>, List<string>> Metaspace(string mark, bool stripsFirst) => tokens =>
        [.. tokens.Select((token, index) => (index == 0 && stripsFirst && token.StartsWith(mark, StringComparison.Ordinal) ? token[mark.Length..] : token).Replace(mark, " ", StringComparison.Ordinal))];
}
