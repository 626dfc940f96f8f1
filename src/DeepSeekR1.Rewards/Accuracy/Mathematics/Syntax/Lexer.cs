using System.Text;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// Cuts LaTeX or plain text into tokens, one at a time from a position that the parser may set (<c>\frac12</c> takes digits, not numbers).
/// Linear: no token looks further than its own end.
/// </summary>
internal sealed partial class Lexer(string text)
{
    private int _wordsFrom, _wordsTo;
    private bool _wordsAreUnit;

    public string Text { get; } = text;

    /// <summary>Inside brackets a comma between digits separates: [1,100]. Outside it groups thousands: 1,100.</summary>
    public bool CommasSeparate { get; set; }

    /// <summary>The token at or behind a position.</summary>
    public Token Read(int position)
    {
        while (true)
        {
            int start = SkipBlank(position);
            if (start >= Text.Length) return new(TokenKind.End) { Start = Text.Length, End = Text.Length };
            if (Text[start] != '\\') return ReadPlain(start);
            if (ReadCommand(start, out position) is { } token) return token;
        }
    }

    /// <summary>The index of the brace that closes the one before <paramref name="inside"/>; -1 when none does.</summary>
    public int ClosingBrace(int inside)
    {
        int depth = 1;
        for (int i = inside; i < Text.Length; i++)
        {
            if (Text[i] == '\\') i++;
            else if (Text[i] == '{') depth++;
            else if (Text[i] == '}' && --depth == 0) return i;
        }
        return -1;
    }

    public int SkipBlank(int position)
    {
        while (position < Text.Length && (char.IsWhiteSpace(Text[position]) || Text[position] is '~' or '$' || IsEndOfWords(position))) position++;
        return position;
    }

    private bool IsEndOfWords(int position) => position == _wordsTo && _wordsTo > _wordsFrom;

    private bool IsInWords(int position) => position >= _wordsFrom && position < _wordsTo;

    private char At(int position) => position < Text.Length ? Text[position] : '\0';

    /// <summary>"+-3" is ±3, but "x+-3" is x - 3.</summary>
    private bool IsAtBeginning(int start) => Text.AsSpan(0, start).TrimEnd() is [] or [.., '=' or ',' or '('];

    private static Token Make(TokenKind kind, int start, int end, string text = "") => new(kind, text) { Start = start, End = end };

    private Token ReadPlain(int start)
    {
        char c = Text[start], next = At(start + 1);
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(next))) return ReadNumber(start);
        if (char.IsAsciiLetter(c)) return ReadLetters(start);
        if (Vocabulary.Characters.TryGetValue(c, out var sign)) return sign with { Start = start, End = start + 1 };
        if (char.IsLetter(c)) return ReadForeignLetters(start);
        return c switch
        {
            '+' when next == '-' && IsAtBeginning(start) => Make(TokenKind.PlusMinus, start, start + 2),
            '+' => Make(TokenKind.Plus, start, start + 1),
            '-' => Make(TokenKind.Minus, start, start + 1),
            '*' when next == '*' => Make(TokenKind.Caret, start, start + 2),
            '*' => Make(TokenKind.Times, start, start + 1),
            '/' => Make(TokenKind.Divide, start, start + 1),
            '=' => Make(TokenKind.Relation, start, next == '=' ? start + 2 : start + 1, "="),
            '<' => Make(TokenKind.Relation, start, next == '=' ? start + 2 : start + 1, next == '=' ? "≤" : "<"),
            '>' => Make(TokenKind.Relation, start, next == '=' ? start + 2 : start + 1, next == '=' ? "≥" : ">"),
            '!' when next == '=' && start > 0 && Text[start - 1] == ' ' => Make(TokenKind.Relation, start, start + 2, "≠"),
            '!' => Make(TokenKind.Bang, start, start + 1),
            '^' => ReadCaret(start),
            '²' or '³' or '¹' or '⁰' or (>= '⁴' and <= '⁹') => ReadSuperscript(start),
            '_' => Make(TokenKind.Underscore, start, start + 1),
            '%' => Make(TokenKind.Percent, start, start + 1),
            '\'' => Make(TokenKind.Prime, start, start + 1),
            ':' => Make(TokenKind.Colon, start, start + 1),
            ',' or ';' => Make(TokenKind.Comma, start, start + 1),
            '(' or '[' => Make(TokenKind.Open, start, start + 1, c == '(' ? "(" : "["),
            ')' or ']' => Make(TokenKind.Close, start, start + 1, c == ')' ? ")" : "]"),
            '{' => Make(TokenKind.GroupOpen, start, start + 1),
            '}' => Make(TokenKind.GroupClose, start, start + 1),
            '|' => Make(TokenKind.Bar, start, start + 1),
            '&' => Make(TokenKind.Ampersand, start, start + 1),
            '.' when SkipBlank(start + 1) >= Text.Length => Make(TokenKind.End, Text.Length, Text.Length),
            _ => Make(TokenKind.Unreadable, start, start + 1),
        };
    }

    /// <summary>Null for a command without meaning; <paramref name="end"/> is where to go on.</summary>
    private Token? ReadCommand(int start, out int end)
    {
        end = start + 1;
        while (char.IsAsciiLetter(At(end))) end++;
        if (end == start + 1) end = Math.Min(start + 2, Text.Length);
        string name = Text[(start + 1)..end];

        if (Vocabulary.Ignored.Contains(name))
        {
            if (name is "left" or "right" && At(end) == '.') end++;
            return null;
        }
        if (Vocabulary.TextCommands.Contains(name)) return EnterWords(start, ref end);
        if (Vocabulary.Unevaluated.Contains(name)) return Make(TokenKind.Unevaluated, start, end);
        if (Vocabulary.Functions.ContainsKey(name) && name != "sqrt" && name != "binom") return Make(TokenKind.Function, start, end, name);
        if (Vocabulary.Signs.TryGetValue(name, out var sign)) return sign with { Start = start, End = end };
        if (Vocabulary.IsGreek(name)) return Make(TokenKind.Symbol, start, end, name);
        if (name is "begin" or "end") return ReadEnvironment(start, ref end, name);
        if (name is "frac" or "dfrac" or "tfrac" or "cfrac") return Make(TokenKind.Command, start, end, "frac");
        if (name is "binom" or "dbinom" or "tbinom") return Make(TokenKind.Command, start, end, "binom");
        if (name is "sqrt" or "boxed" or "fbox" || Vocabulary.Accents.Contains(name)) return Make(TokenKind.Command, start, end, name);
        for (int length = Math.Min(6, name.Length - 1); length >= 2; length--)
            if (Vocabulary.Functions.ContainsKey(name[..length])) return Make(TokenKind.Function, start, end = start + 1 + length, name[..length]);
        return Make(TokenKind.Unreadable, start, end);
    }

    /// <summary>\text{…}: its contents are read as words, unless they name a function or one letter.</summary>
    private Token? EnterWords(int start, ref int end)
    {
        int open = SkipBlank(end);
        if (At(open) != '{') return null;
        int close = ClosingBrace(open + 1);
        if (close < 0) return Make(TokenKind.Unreadable, start, end);
        string content = Text[(open + 1)..close].Trim();
        if (content.Length == 0)
        {
            end = close + 1;
            return null;
        }
        if (Vocabulary.Functions.ContainsKey(content)) return Make(TokenKind.Function, start, end = close + 1, content);
        if (content.Length == 1 && char.IsAsciiLetter(content[0]) && !IsAfterNumber(start)) return Make(TokenKind.Symbol, start, end = close + 1, content);
        (_wordsFrom, _wordsTo, _wordsAreUnit, end) = (open + 1, close, IsAfterNumber(start), open + 1);
        return null;
    }

    private Token ReadEnvironment(int start, ref int end, string name)
    {
        int close = At(end) == '{' ? Text.IndexOf('}', end) : -1;
        if (close < 0 || close - end > 20) return Make(TokenKind.Unreadable, start, end);
        string environment = Text[(end + 1)..close];
        return Make(TokenKind.Command, start, end = close + 1, name == "end" ? name : environment);
    }

    /// <summary>A power, or a degree sign or a prime written as one.</summary>
    private Token ReadCaret(int start)
    {
        int i = SkipBlank(start + 1);
        bool isGroup = At(i) == '{';
        if (isGroup) i = SkipBlank(i + 1);
        int length = At(i) == '°' ? 1 : IsCommand(i, @"\circ") ? 5 : IsCommand(i, @"\degree") ? 7 : IsCommand(i, @"\prime") ? 6 : 0;
        if (length == 0) return Make(TokenKind.Caret, start, start + 1);
        var kind = length == 6 ? TokenKind.Prime : TokenKind.Degree;
        i += length;
        if (!isGroup) return Make(kind, start, i);
        i = SkipBlank(i);
        return At(i) == '}' ? Make(kind, start, i + 1) : Make(TokenKind.Caret, start, start + 1);
    }

    private bool IsCommand(int position, string command) =>
        string.CompareOrdinal(Text, position, command, 0, command.Length) == 0 && !char.IsAsciiLetter(At(position + command.Length));

    private Token ReadSuperscript(int start)
    {
        const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
        var digits = new StringBuilder();
        int end = start;
        for (; end < Text.Length && Superscripts.IndexOf(Text[end], StringComparison.Ordinal) is >= 0 and var digit; end++) digits.Append(digit);
        return Make(TokenKind.Caret, start, end, digits.ToString());
    }

    private Token ReadLetters(int start)
    {
        int end = start;
        while (char.IsAsciiLetter(At(end))) end++;
        string run = Text[start..end];
        if (run is "or" or "and") return Make(TokenKind.Comma, start, end, run);
        if (run.Length == 1 && !(IsInWords(start) && _wordsAreUnit)) return ReadLetter(start);
        if (IsInWords(start) || run is "if" or "not" or "the" or "for" or "are" or "but" or "per" or "all") return Word(start, end);
        if (run is "in" && !IsAfterNumber(start)) return Make(TokenKind.Relation, start, end, "∈");
        if (Vocabulary.Functions.ContainsKey(run)) return Make(TokenKind.Function, start, end, run);
        if (run is "pi" or "infinity" or "infty" or "mod" or "pm" or "times") return Vocabulary.Signs[run] with { Start = start, End = end };
        if (run is "inf" or "oo") return Make(TokenKind.Symbol, start, end, "∞");
        if (Vocabulary.IsGreek(run)) return Make(TokenKind.Symbol, start, end, run);
        if (run[^1] is 'x' or 'y' or 'z' && Vocabulary.Functions.ContainsKey(run[..^1])) return Make(TokenKind.Function, start, end - 1, run[..^1]);
        bool isWord = run.Length >= 4 || (IsAfterNumber(start) && Units.IsShortUnit(run, hasSpace: start > 0 && Text[start - 1] is ' ' or '}'));
        return isWord ? Word(start, end) : Make(TokenKind.Symbol, start, start + 1, run[..1]);
    }

    private Token Word(int start, int end)
    {
        while (end < Text.Length && (char.IsLetter(Text[end]) || (Text[end] is '\'' or '-' && char.IsLetter(At(end + 1))))) end++;
        string word = Text[start..end].ToLowerInvariant();
        bool isAbbreviated = At(end) == '.' && !char.IsAsciiDigit(At(end + 1));
        return word switch
        {
            "percent" or "percents" => Make(TokenKind.Percent, start, end),
            "degree" or "degrees" => Make(TokenKind.Degree, start, end),
            _ => Make(TokenKind.Word, start, isAbbreviated ? end + 1 : end, word),
        };
    }

    /// <summary>A variable, a union between intervals, or a cross before a power of ten.</summary>
    private Token ReadLetter(int start)
    {
        char letter = Text[start];
        int before = start - 1, after = SkipBlank(start + 1);
        while (before >= 0 && Text[before] == ' ') before--;
        char previous = before >= 0 ? Text[before] : '\0';
        if (letter == 'U' && previous is ')' or ']' or '}' && At(after) is '(' or '[' or '{' or '\\') return Make(TokenKind.SetOperator, start, start + 1, "∪");
        bool isCross = letter == 'x' && char.IsAsciiDigit(previous) && string.CompareOrdinal(Text, after, "10^", 0, 3) == 0;
        return isCross ? Make(TokenKind.Times, start, start + 1) : Make(TokenKind.Symbol, start, start + 1, letter.ToString());
    }

    private Token ReadForeignLetters(int start)
    {
        char c = Text[start];
        if (c is >= 'Α' and <= 'ω') return Make(TokenKind.Symbol, start, start + 1, c.ToString());
        return Word(start, start + 1);
    }

    private bool IsAfterNumber(int start)
    {
        int before = start - 1;
        while (before >= 0 && Text[before] is ' ' or '~') before--;
        return before >= 0 && (char.IsAsciiDigit(Text[before]) || Text[before] is '}' or '.' or '$');
    }
}
