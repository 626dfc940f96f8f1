namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What may stand at the beginning of an expression.</summary>
internal sealed partial class Parser
{
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
}
