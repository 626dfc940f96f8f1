using System.Globalization;
using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Kinds of lexical tokens.</summary>
internal enum TokenKind { Text, OutputBegin, OutputEnd, TagBegin, TagEnd, Name, String, Integer, Float, Operator, End }

/// <summary>A lexical token and its offset in the template.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, int Position)
{
    public bool Is(TokenKind kind, string value) => Kind == kind && Value == value;

    public bool IsOperator(string value) => Is(TokenKind.Operator, value);

    public bool IsName(string value) => Is(TokenKind.Name, value);
}

/// <summary>
/// Cuts a template into tokens the way Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c>, which chat templates are written for:
/// a tag swallows the line break after it and the indentation before it; a minus sign swallows all white space on its side, a plus
/// sign keeps it.
/// </summary>
internal sealed class Lexer
{
    private static readonly string[] _operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ":", "|", ",", ";", "(", ")", "[", "]", "{", "}"];

    private readonly JinjaSource _source;
    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private int _position;

    private Lexer(JinjaSource source) => (_source, _text) = (source, source.Text);

    /// <summary>All tokens, the last of kind <see cref="TokenKind.End"/>.</summary>
    public static IReadOnlyList<Token> Tokenize(JinjaSource source)
    {
        var lexer = new Lexer(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_position < _text.Length)
        {
            int begin = NextOpening(_position);
            char kind = begin < 0 ? ' ' : _text[begin + 1];
            char sign = begin >= 0 && begin + 2 < _text.Length && _text[begin + 2] is '-' or '+' ? _text[begin + 2] : ' ';
            AddText(_position, begin < 0 ? _text.Length : begin, sign, stripsIndent: kind is '%' or '#');
            if (begin < 0) break;
            _position = begin + (sign == ' ' ? 2 : 3);
            if (kind == '#') SkipComment(begin);
            else if (kind == '%' && TryReadRaw(begin)) continue;
            else ReadCode(begin, isTag: kind == '%');
        }
        _tokens.Add(new Token(TokenKind.End, "end of template", _text.Length));
    }

    private int NextOpening(int from)
    {
        for (int at = _text.IndexOf('{', from); at >= 0 && at + 1 < _text.Length; at = _text.IndexOf('{', at + 1))
            if (_text[at + 1] is '{' or '%' or '#') return at;
        return -1;
    }

    private void AddText(int start, int end, char sign, bool stripsIndent)
    {
        int stop = end;
        if (sign == '-')
        {
            while (stop > start && PythonString.IsSpace(_text[stop - 1])) stop--;
        }
        else if (sign != '+' && stripsIndent)
        {
            int line = end;
            while (line > start && _text[line - 1] != '\n' && PythonString.IsSpace(_text[line - 1])) line--;
            bool isLineStart = line == 0 || _text[line - 1] == '\n';
            if (isLineStart) stop = line;
        }
        if (stop > start) _tokens.Add(new Token(TokenKind.Text, _text[start..stop], start));
    }

    private void SkipComment(int begin)
    {
        int end = _text.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0) throw _source.Error(begin, "the comment is not closed; expected '#}'");
        char sign = end > _position ? _text[end - 1] : ' ';
        _position = end + 2;
        SkipAfterTag(sign);
    }

    private void SkipAfterTag(char sign)
    {
        if (sign == '-') SkipSpace();
        else if (sign != '+' && _position < _text.Length && _text[_position] == '\n') _position++;
    }

    private bool TryReadRaw(int begin)
    {
        int at = AfterWord(_position, "raw");
        bool stripsAfter = at >= 0 && at < _text.Length && _text[at] == '-';
        if (at >= 0 && stripsAfter) at++;
        if (at < 0 || !IsAt(at, "%}")) return false;
        _position = at + 2;
        if (stripsAfter) SkipSpace();
        for (int tag = _text.IndexOf("{%", _position, StringComparison.Ordinal); tag >= 0; tag = _text.IndexOf("{%", tag + 2, StringComparison.Ordinal))
        {
            char sign = tag + 2 < _text.Length && _text[tag + 2] is '-' or '+' ? _text[tag + 2] : ' ';
            int end = AfterWord(tag + (sign == ' ' ? 2 : 3), "endraw");
            if (end < 0) continue;
            char endSign = end < _text.Length && _text[end] is '-' or '+' ? _text[end] : ' ';
            if (!IsAt(end + (endSign == ' ' ? 0 : 1), "%}")) continue;
            AddText(_position, tag, sign, stripsIndent: true);
            _position = end + (endSign == ' ' ? 2 : 3);
            SkipAfterTag(endSign);
            return true;
        }
        throw _source.Error(begin, "the raw block is not closed; expected '{% endraw %}'");
    }

    /// <summary>The offset after optional space, the word and optional space, or -1.</summary>
    private int AfterWord(int at, string word)
    {
        while (at < _text.Length && PythonString.IsSpace(_text[at])) at++;
        if (!IsAt(at, word)) return -1;
        at += word.Length;
        while (at < _text.Length && PythonString.IsSpace(_text[at])) at++;
        return at;
    }

    private void ReadCode(int begin, bool isTag)
    {
        string close = isTag ? "%}" : "}}";
        _tokens.Add(new Token(isTag ? TokenKind.TagBegin : TokenKind.OutputBegin, _text.Substring(begin, 2), begin));
        var brackets = new Stack<char>();
        while (true)
        {
            SkipSpace();
            if (_position >= _text.Length) throw _source.Error(begin, $"unexpected end of template, expected '{close}'");
            if (brackets.Count == 0 && TryClose(close, isTag)) return;
            ReadToken(brackets);
        }
    }

    private bool TryClose(string close, bool isTag)
    {
        char sign = _text[_position] == '-' || (isTag && _text[_position] == '+') ? _text[_position] : ' ';
        int at = _position + (sign == ' ' ? 0 : 1);
        if (!IsAt(at, close)) return false;
        _tokens.Add(new Token(isTag ? TokenKind.TagEnd : TokenKind.OutputEnd, close, _position));
        _position = at + 2;
        if (isTag) SkipAfterTag(sign);
        else if (sign == '-') SkipSpace();
        return true;
    }

    private void ReadToken(Stack<char> brackets)
    {
        int start = _position;
        char c = _text[start];
        if (char.IsAsciiDigit(c)) ReadNumber();
        else if (c is '\'' or '"') ReadString(c);
        else if (char.IsLetter(c) || c == '_')
        {
            while (_position < _text.Length && (char.IsLetterOrDigit(_text[_position]) || _text[_position] == '_')) _position++;
            _tokens.Add(new Token(TokenKind.Name, _text[start.._position], start));
        }
        else
        {
            string symbol = _operators.FirstOrDefault(symbol => IsAt(start, symbol)) ?? throw _source.Error(start, $"unexpected character '{c}'");
            _position += symbol.Length;
            TrackBrackets(symbol, start, brackets);
            _tokens.Add(new Token(TokenKind.Operator, symbol, start));
        }
    }

    private void TrackBrackets(string symbol, int start, Stack<char> brackets)
    {
        if (symbol is "(" or "[" or "{") brackets.Push(symbol[0] switch { '(' => ')', '[' => ']', _ => '}' });
        else if (symbol is ")" or "]" or "}" && (brackets.Count == 0 || brackets.Pop() != symbol[0])) throw _source.Error(start, $"unexpected '{symbol}'");
    }

    private void ReadNumber()
    {
        int start = _position;
        if (_text[start] == '0' && start + 1 < _text.Length && _text[start + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            _position += 2;
            while (_position < _text.Length && (char.IsAsciiHexDigit(_text[_position]) || _text[_position] == '_')) _position++;
            _tokens.Add(new Token(TokenKind.Integer, _text[start.._position].Replace("_", "", StringComparison.Ordinal), start));
            return;
        }
        SkipDigits();
        bool isFloat = false, isAttribute = start > 0 && _text[start - 1] == '.';
        if (!isAttribute && _position + 1 < _text.Length && _text[_position] == '.' && char.IsAsciiDigit(_text[_position + 1]))
        {
            isFloat = true;
            _position++;
            SkipDigits();
        }
        if (!isAttribute && _position < _text.Length && _text[_position] is 'e' or 'E')
        {
            int digits = _position + (_position + 1 < _text.Length && _text[_position + 1] is '+' or '-' ? 2 : 1);
            if (digits < _text.Length && char.IsAsciiDigit(_text[digits]))
            {
                isFloat = true;
                _position = digits;
                SkipDigits();
            }
        }
        _tokens.Add(new Token(isFloat ? TokenKind.Float : TokenKind.Integer, _text[start.._position].Replace("_", "", StringComparison.Ordinal), start));
    }

    private void SkipDigits()
    {
        while (_position < _text.Length && (char.IsAsciiDigit(_text[_position]) || _text[_position] == '_')) _position++;
    }

    private void ReadString(char quote)
    {
        int start = _position++;
        var value = new StringBuilder();
        while (true)
        {
            if (_position >= _text.Length) throw _source.Error(start, "the string is not closed");
            char c = _text[_position++];
            if (c == quote) break;
            if (c == '\\' && _position < _text.Length) ReadEscape(value);
            else value.Append(c);
        }
        _tokens.Add(new Token(TokenKind.String, value.ToString(), start));
    }

    private void ReadEscape(StringBuilder value)
    {
        char c = _text[_position++];
        switch (c)
        {
            case 'n': value.Append('\n'); break;
            case 't': value.Append('\t'); break;
            case 'r': value.Append('\r'); break;
            case 'a': value.Append('\a'); break;
            case 'b': value.Append('\b'); break;
            case 'f': value.Append('\f'); break;
            case 'v': value.Append('\v'); break;
            case '\\' or '\'' or '"': value.Append(c); break;
            case '\n': break;
            case 'x': ReadCodePoint(value, 2); break;
            case 'u': ReadCodePoint(value, 4); break;
            case 'U': ReadCodePoint(value, 8); break;
            case >= '0' and <= '7': ReadOctal(value); break;
            default: value.Append('\\').Append(c); break;
        }
    }

    private void ReadOctal(StringBuilder value)
    {
        int code = 0, start = --_position;
        while (_position < _text.Length && _position < start + 3 && _text[_position] is >= '0' and <= '7') code = (code * 8) + (_text[_position++] - '0');
        value.Append((char)code);
    }

    private void ReadCodePoint(StringBuilder value, int digits)
    {
        bool isHex = _position + digits <= _text.Length && int.TryParse(_text.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);
        int code = isHex ? int.Parse(_text.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : -1;
        if (code is < 0 or > 0x10FFFF) throw _source.Error(_position - 2, $"the escape needs {digits} hexadecimal digits of a character");
        if (Rune.IsValid(code)) value.Append(new Rune(code));
        else value.Append((char)code);
        _position += digits;
    }

    private bool IsAt(int at, string expected) => string.CompareOrdinal(_text, at, expected, 0, expected.Length) == 0;

    private void SkipSpace()
    {
        while (_position < _text.Length && PythonString.IsSpace(_text[_position])) _position++;
    }
}
