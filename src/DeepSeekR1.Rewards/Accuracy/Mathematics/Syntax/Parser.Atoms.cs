using System.Numerics;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What may stand at the beginning of an expression.</summary>
internal sealed partial class Parser
{
    /// <summary>Longer numbers are no answers; conversion from decimal would become slow.</summary>
    private const int MaxDigits = 4000;

    private const int MaxDecimalExponent = 4000;

    private const int MaxCells = 256;

    private Node ParsePrefix()
    {
        var token = _current;
        Advance();
        switch (token.Kind)
        {
            case TokenKind.Number: return ParseNumber(token);
            case TokenKind.Symbol: return ParseSymbol(token.Text);
            case TokenKind.Function: return ParseFunction(Vocabulary.Functions[token.Text]);
            case TokenKind.Command: return ParseCommand(token);
            case TokenKind.Plus: return ParseExpression(Binding.Prefix);
            case TokenKind.Minus: return Negate(ParseExpression(Binding.Prefix), TermSign.Minus);
            case TokenKind.PlusMinus: return Negate(ParseExpression(Binding.Prefix), TermSign.PlusMinus);
            case TokenKind.MinusPlus: return Negate(ParseExpression(Binding.Prefix), TermSign.MinusPlus);
            case TokenKind.Open: return ParseBracket(token.Text[0]);
            case TokenKind.SetOpen: return ParseSet(TokenKind.SetClose);
            case TokenKind.GroupOpen: return ParseGroup();
            case TokenKind.Bar: return ParseBars();
            case TokenKind.RoundingOpen: return ParseRounding(token.Text == "floor" ? Function.Floor : Function.Ceiling);
            case TokenKind.Currency: return ParseMoney(token.Text);
            case TokenKind.Word when _current is { Kind: TokenKind.Relation, Text: "=" }: return new Symbol(token.Text);
            case TokenKind.Unevaluated: return Fail(ReadFailure.Unevaluated);
            default: return Fail();
        }
    }

    /// <summary>A number, with a base as its subscript, or a mixed number: 3\frac12, 3 1/2.</summary>
    private Node ParseNumber(Token token)
    {
        if (_current.Kind == TokenKind.Underscore) return ParseBase(token.Text);
        if (token.Text.Any(char.IsAsciiLetterUpper)) return Fail();
        var whole = ToNumber(token.Text);
        bool isInteger = token.Text.All(char.IsAsciiDigit);
        if (!isInteger || !TryReadProperFraction(out var fraction)) return whole;
        return new Number(whole.Value + fraction);
    }

    /// <summary>Reads \frac{1}{2} or 1/2 behind an integer; looks at digits only, so that nothing is parsed twice.</summary>
    private bool TryReadProperFraction(out Rational fraction)
    {
        fraction = 0;
        int end = _current.End;
        string? numerator, denominator;
        if (_current is { Kind: TokenKind.Command, Text: "frac" })
        {
            numerator = DigitsArgument(ref end);
            denominator = numerator is null ? null : DigitsArgument(ref end);
        }
        else
        {
            if (_current.Kind != TokenKind.Number || _lexer.Read(end) is not { Kind: TokenKind.Divide } slash) return false;
            var last = _lexer.Read(slash.End);
            (numerator, denominator, end) = (_current.Text, last.Kind == TokenKind.Number ? last.Text : null, last.End);
        }
        if (numerator is null || denominator is null || !IsProper(numerator, denominator, out fraction)) return false;
        _current = _current with { End = end };
        Advance();
        return true;
    }

    /// <summary>{12} or one digit at a position, which moves behind it; null when something else is there.</summary>
    private string? DigitsArgument(ref int position)
    {
        int start = _lexer.SkipBlank(position), end = start;
        if (start >= _lexer.Text.Length) return null;
        if (char.IsAsciiDigit(_lexer.Text[start]))
        {
            position = start + 1;
            return _lexer.Text[start..position];
        }
        if (_lexer.Text[start] != '{') return null;
        do end++;
        while (end < _lexer.Text.Length && char.IsAsciiDigit(_lexer.Text[end]));
        if (end == start + 1 || end >= _lexer.Text.Length || _lexer.Text[end] != '}') return null;
        position = end + 1;
        return _lexer.Text[(start + 1)..end];
    }

    private static bool IsProper(string numerator, string denominator, out Rational fraction)
    {
        fraction = 0;
        if (numerator.Length > MaxDigits || denominator.Length > MaxDigits || !numerator.All(char.IsAsciiDigit) || !denominator.All(char.IsAsciiDigit)) return false;
        BigInteger p = ParseDigits(numerator), q = ParseDigits(denominator);
        if (p.IsZero || p >= q) return false;
        fraction = new Rational(p, q);
        return true;
    }

    /// <summary>Digits with a point, a repeating part in round brackets and an exponent of ten.</summary>
    private Number ToNumber(string text)
    {
        int exponent = 0, e = text.IndexOf('e', StringComparison.Ordinal);
        if (e >= 0) (text, exponent) = (text[..e], int.Parse(text.AsSpan(e + 1)));
        if (text.Length > MaxDigits || Math.Abs(exponent) > MaxDecimalExponent)
        {
            Fail();
            return new Number(0);
        }
        int open = text.IndexOf('(', StringComparison.Ordinal);
        string repeating = open < 0 ? "" : text[(open + 1)..^1];
        if (open >= 0) text = text[..open];

        int point = text.IndexOf('.', StringComparison.Ordinal), decimals = point < 0 ? 0 : text.Length - point - 1;
        var digits = ParseDigits(point < 0 ? text : text.Remove(point, 1));
        var value = decimals == 0 ? new Rational(digits) : new Rational(digits, BigInteger.Pow(10, decimals));
        if (repeating.Length > 0) value += new Rational(ParseDigits(repeating), (BigInteger.Pow(10, repeating.Length) - 1) * BigInteger.Pow(10, decimals));
        return new Number(exponent == 0 ? value : value * Rational.Pow(10, exponent));
    }

    private static BigInteger ParseDigits(string digits) => digits.Length == 0 ? 0 : digits.Length <= 18 ? long.Parse(digits) : BigInteger.Parse(digits);

    private Node ParseSymbol(string name)
    {
        ConstantKind? constant = name switch { "π" => ConstantKind.Pi, "e" => ConstantKind.E, "i" => ConstantKind.I, "∞" => ConstantKind.Infinity, _ => null };
        if (_current.Kind != TokenKind.Underscore) return constant is { } kind ? new Constant(kind) : name == "∅" ? new FiniteSet([]) : new Symbol(name);
        Advance();
        return new Symbol($"{name}_{Subscript()}");
    }

    /// <summary>The text of a subscript without braces, spaces and \text.</summary>
    private string Subscript()
    {
        if (_current.Kind == TokenKind.GroupOpen)
        {
            string raw = Raw();
            Advance();
            return raw.Replace(" ", "", StringComparison.Ordinal).Replace(@"\text", "", StringComparison.Ordinal).Trim('{', '}');
        }
        string text = _lexer.Text[_current.Start.._current.End];
        Advance();
        return text;
    }

    /// <summary>The contents of the group at the current token, which then is its closing brace.</summary>
    private string Raw()
    {
        int inside = _current.End, close = _lexer.ClosingBrace(inside);
        if (close < 0)
        {
            Fail();
            return "";
        }
        _current = new Token(TokenKind.GroupClose) { Start = close, End = close + 1 };
        return _lexer.Text[inside..close];
    }

    private Node ParseFunction(Function function)
    {
        Node? logBase = null, exponent = null;
        if (_current.Kind == TokenKind.Underscore && function == Function.Log)
        {
            Advance();
            logBase = Argument();
        }
        if (_current.Kind == TokenKind.Caret)
        {
            var caret = _current;
            Advance();
            exponent = ((Power)ParsePower(_nothing, caret)).Exponent;
        }
        bool isInverse = exponent is Sum { Terms: [(TermSign.Minus, Number { Value.IsZero: false } one)] } && one.Value.Equals(1);
        if (isInverse && Inverse(function) is { } inverse) (function, exponent) = (inverse, null);

        var arguments = ParseArguments(function);
        if (Failure != ReadFailure.None) return _nothing;
        var applied = (function, logBase, arguments) switch
        {
            (Function.Log, { } radix, [var x]) => new Apply(Function.LogBase, radix, x),
            (Function.Root, _, [var x]) => new Apply(Function.Root, new Number(3), x),
            (Function.Gcd or Function.Lcm or Function.Max or Function.Min, _, _) => new Apply(function, arguments),
            (Function.Binomial, _, [_, _]) => new Apply(function, arguments),
            (Function.Binomial or Function.Root, _, _) => null,
            (_, _, [_]) => new Apply(function, arguments),
            _ => null,
        };
        if (applied is null) return Fail();
        return exponent is null ? applied : new Power(applied, exponent);
    }

    private static Function? Inverse(Function function) => function switch
    {
        Function.Sin => Function.ArcSin,
        Function.Cos => Function.ArcCos,
        Function.Tan => Function.ArcTan,
        Function.Cot => Function.ArcCot,
        Function.Sec => Function.ArcSec,
        Function.Csc => Function.ArcCsc,
        _ => null,
    };

    /// <summary>What is in the brackets; without brackets the factors up to the next operator or function: \sin 2x \cos x.</summary>
    private Node[] ParseArguments(Function function)
    {
        if (_current.Kind == TokenKind.Open)
        {
            char open = _current.Text[0];
            Advance();
            return ParseBracket(open) is var inner && inner is Bracketed tuple ? [.. tuple.Items] : [inner];
        }
        if (_current.Kind is TokenKind.GroupOpen or TokenKind.SetOpen && function is Function.Gcd or Function.Lcm or Function.Max or Function.Min)
        {
            bool isSet = _current.Kind == TokenKind.SetOpen;
            Advance();
            var inner = isSet ? ParseSet(TokenKind.SetClose) : ParseGroup();
            return inner is FiniteSet set ? [.. set.Items] : [inner];
        }
        var argument = ParseExpression(Binding.Argument);
        if (function == Function.Sqrt) return [argument];
        while (Failure == ReadFailure.None && (_current.Kind is TokenKind.Symbol or TokenKind.GroupOpen || _current is { Kind: TokenKind.Command, Text: "frac" or "sqrt" }))
            argument = Multiply(argument, ParseExpression(Binding.Argument), divides: false);
        return [argument];
    }

    private Node ParseCommand(Token command)
    {
        switch (command.Text)
        {
            case "frac": return ParseFraction();
            case "binom": return new Apply(Function.Binomial, Argument(), Argument());
            case "sqrt": return ParseRoot();
            case "boxed" or "fbox": return Argument();
            case "pmatrix" or "bmatrix" or "Bmatrix" or "matrix" or "smallmatrix" or "array": return ParseMatrix(command.Text);
            default: return Vocabulary.Accents.Contains(command.Text) ? ParseAccent(command.Text) : Fail();
        }
    }

    private Node ParseFraction()
    {
        Node upper = Argument(), lower = Argument();
        bool isDerivative = lower is Product { Factors: [(false, Symbol { Name: "d" or "partial" }), ..] }
            && upper is Symbol { Name: "d" } or Product { Factors: [(false, Symbol { Name: "d" }), ..] } or Power { Base: Symbol { Name: "d" } };
        return isDerivative ? Fail(ReadFailure.Unevaluated) : new Product([(false, upper), (true, lower)]);
    }

    private Apply ParseRoot()
    {
        if (_current is not { Kind: TokenKind.Open, Text: "[" }) return new Apply(Function.Sqrt, Argument());
        Advance();
        var index = ParseExpression(Binding.None);
        if (_current is not { Kind: TokenKind.Close, Text: "]" }) Fail();
        Advance();
        return new Apply(Function.Root, index, Argument());
    }

    /// <summary>A LaTeX argument: a group, one digit, or one symbol.</summary>
    private Node Argument()
    {
        if (_current.Kind == TokenKind.Number)
        {
            char digit = _lexer.Text[_current.Start];
            if (!char.IsAsciiDigit(digit)) return Fail();
            _current = _current with { End = _current.Start + 1 };
            Advance();
            return new Number(digit - '0');
        }
        bool isAtom = _current.Kind is TokenKind.GroupOpen or TokenKind.Symbol or TokenKind.Command or TokenKind.Function;
        if (!isAtom || ++_depth > MaxDepth) return Fail();
        var argument = ParsePrefix();
        _depth--;
        return argument;
    }

    private Node ParseAccent(string accent)
    {
        string content = AccentedText();
        bool isName = content.Length is > 0 and <= 8 && content.All(c => char.IsAsciiLetter(c) || c == ' ');
        if (!isName) return accent == "overline" ? new Apply(Function.Conjugate, Argument()) : Argument();
        if (_current.Kind == TokenKind.GroupOpen) Raw();
        Advance();
        string name = content.Replace(" ", "", StringComparison.Ordinal);
        if (accent == "mathbb" && name == "R") return ParseSymbol("ℝ");
        return accent == "mathit" ? ParseSymbol(name) : ParseSymbol($"{(accent is "bm" or "boldsymbol" ? "mathbf" : accent)}:{name}");
    }

    private string AccentedText()
    {
        if (_current.Kind == TokenKind.Symbol) return _current.Text;
        return _current.Kind == TokenKind.GroupOpen && _lexer.ClosingBrace(_current.End) is >= 0 and var close ? _lexer.Text[_current.End..close] : "";
    }

    private Node ParseMatrix(string environment)
    {
        if (environment == "array" && _current.Kind == TokenKind.GroupOpen)
        {
            Raw();
            Advance();
        }
        var rows = new List<List<Node>> { new() };
        for (int cells = 0; Failure == ReadFailure.None; cells++)
        {
            if (cells > MaxCells) return Fail();
            rows[^1].Add(ParseExpression(Binding.Comma));
            var separator = _current;
            Advance();
            if (separator.Kind == TokenKind.RowEnd && _current is not { Kind: TokenKind.Command, Text: "end" }) rows.Add([]);
            else if (separator.Kind == TokenKind.RowEnd) break;
            else if (separator is { Kind: TokenKind.Command, Text: "end" }) return rows.TrueForAll(row => row.Count == rows[0].Count) ? new Matrix(rows) : Fail();
            else if (separator.Kind != TokenKind.Ampersand) return Fail();
        }
        Advance();
        return rows.TrueForAll(row => row.Count == rows[0].Count) ? new Matrix(rows) : Fail();
    }

    private Node ParseBracket(char open)
    {
        var content = Enclosed(TokenKind.Close, commasSeparate: true, out var closing);
        char close = closing.Text.Length > 0 ? closing.Text[0] : '\0';
        if (content is Listing listing) return new Bracketed(open, listing.Items, close);
        return (open, close) is ('(', ')') or ('[', ']') ? content : Fail();
    }

    private FiniteSet ParseSet(TokenKind close)
    {
        if (_current.Kind == close)
        {
            Advance();
            return new FiniteSet([]);
        }
        var content = Enclosed(close, commasSeparate: true, out _);
        return new FiniteSet(content is Listing listing ? listing.Items : [content]);
    }

    /// <summary>A LaTeX group; with commas inside it is a set whose backslashes were forgotten.</summary>
    private Node ParseGroup()
    {
        var content = Enclosed(TokenKind.GroupClose, commasSeparate: false, out _);
        return content is Listing listing ? new FiniteSet(listing.Items) : content;
    }

    private Apply ParseRounding(Function function) => new(function, Enclosed(TokenKind.RoundingClose, commasSeparate: false, out _));

    private Apply ParseBars()
    {
        _openBars++;
        var content = ParseExpression(Binding.None);
        _openBars--;
        if (_current.Kind != TokenKind.Bar) Fail();
        Advance();
        return new Apply(Function.Abs, content);
    }

    private Node Enclosed(TokenKind close, bool commasSeparate, out Token closing)
    {
        (bool outer, int bars) = (_lexer.CommasSeparate, _openBars);
        _lexer.CommasSeparate = commasSeparate;
        _openBars = 0;
        _current = _lexer.Read(_current.Start); // The token was read under the outer rule for commas.
        var content = ParseExpression(Binding.None);
        closing = _current;
        if (closing.Kind != close) Fail();
        _lexer.CommasSeparate = outer;
        _openBars = bars;
        Advance();
        return content;
    }

    private Node ParseMoney(string currency)
    {
        var value = ParseExpression(Binding.Unit);
        return value is Quantity quantity && quantity.Unit != currency ? Fail() : new Quantity(value is Quantity same ? same.Value : value, currency);
    }
}
