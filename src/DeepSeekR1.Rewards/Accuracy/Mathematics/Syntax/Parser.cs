namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Why a text has no expression tree.</summary>
internal enum ReadFailure
{
    None,
    /// <summary>Not mathematics that this parser knows.</summary>
    Unreadable,
    /// <summary>A sum, an integral, a limit or dots, which nobody has worked out.</summary>
    Unevaluated,
}

/// <summary>
/// Pratt's top-down operator precedence parser ("Top Down Operator Precedence", 1973) for one answer. Never throws; a text that cannot be
/// read leaves a <see cref="Failure"/>.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Nesting beyond this is no answer, and would exhaust the stack.</summary>
    private const int MaxDepth = 64;

    /// <summary>Operators such as ! and ∪ put node upon node without nesting in the text.</summary>
    private const int MaxStacked = 256;

    /// <summary>Of one chain of equations or inequalities.</summary>
    private const int MaxSides = 32;

    private readonly Lexer _lexer;
    private Token _current;
    private int _previousEnd, _depth, _stacked, _openBars;

    private Parser(string text)
    {
        _lexer = new Lexer(text);
        _current = _lexer.Read(0);
    }

    private ReadFailure Failure { get; set; }

    /// <summary>Reads a whole text.</summary>
    public static Node? Parse(string text, out ReadFailure failure)
    {
        var parser = new Parser(text);
        var node = parser.ParseExpression(Binding.None);
        if (parser._current.Kind != TokenKind.End) parser.Fail();
        failure = parser.Failure;
        return failure == ReadFailure.None ? node : null;
    }

    private Node ParseExpression(int above)
    {
        if (++_depth > MaxDepth) Fail();
        var left = Failure == ReadFailure.None ? ParsePrefix() : _nothing;
        while (Failure == ReadFailure.None && Binding.Of(_current, _openBars > 0) is var power && power > above) left = ParseInfix(left, power);
        _depth--;
        return left;
    }

    private Node ParseInfix(Node left, int power)
    {
        var token = _current;
        bool isFlat = power is Binding.Product or Binding.Sum or Binding.Power or Binding.Comma or Binding.Relation;
        if (!isFlat && ++_stacked > MaxStacked) return Fail();
        if (Binding.IsImplicitProduct(token)) return Multiply(left, ParseExpression(power), divides: false);
        if (token.Kind == TokenKind.Word) return ParseUnit(left);
        Advance();
        switch (token.Kind)
        {
            case TokenKind.Comma: return ParseListing(left, token.Text);
            case TokenKind.Relation: return Relate(left, token.Text, ParseExpression(power));
            case TokenKind.SetOperator: return new SetOperation(token.Text[0], left, ParseExpression(power));
            case TokenKind.Plus: return Add(left, TermSign.Plus, ParseExpression(power));
            case TokenKind.Minus: return Add(left, TermSign.Minus, ParseExpression(power));
            case TokenKind.PlusMinus: return Add(left, TermSign.PlusMinus, ParseExpression(power));
            case TokenKind.MinusPlus: return Add(left, TermSign.MinusPlus, ParseExpression(power));
            case TokenKind.Times: return Multiply(left, ParseExpression(power), divides: false);
            case TokenKind.Divide: return Multiply(left, ParseExpression(power), divides: true);
            case TokenKind.Mod: return new Apply(Function.Mod, left, ParseExpression(power));
            case TokenKind.Choose: return new Apply(Function.Binomial, left, ParseExpression(power));
            case TokenKind.Colon: return new Apply(Function.Ratio, left, ParseExpression(power));
            case TokenKind.Caret: return ParsePower(left, token);
            case TokenKind.Bang: return ParseFactorial(left);
            case TokenKind.Percent: return new Quantity(left, Quantity.Percent);
            case TokenKind.Degree: return ParseDegree(left);
            case TokenKind.Prime when left is Symbol symbol: return new Symbol(symbol.Name + "'");
            default: return Fail();
        }
    }

    private Listing ParseListing(Node first, string separator)
    {
        var items = new List<Node> { first };
        string conjunction = separator;
        while (Failure == ReadFailure.None)
        {
            for (; _current.Kind == TokenKind.Comma; Advance()) conjunction = _current.Text.Length > 0 ? _current.Text : conjunction; // "1, and 2"
            items.Add(ParseExpression(Binding.Comma));
            if (_current.Kind != TokenKind.Comma) break;
        }
        return new Listing(items, conjunction.Length > 0 ? conjunction : ",");
    }

    private Node Relate(Node left, string relation, Node right)
    {
        if (left is not Relation chain) return new Relation([left, right], [relation]);
        if (chain.Operands.Count >= MaxSides) return Fail();
        chain.Operands.Add(right);
        chain.Operators.Add(relation);
        return chain;
    }

    private static Sum Add(Node left, TermSign sign, Node right)
    {
        if (left is not Sum sum) return new Sum([(TermSign.Plus, left), (sign, right)]);
        sum.Terms.Add((sign, right));
        return sum;
    }

    /// <summary>A per cent or degree sign behind the last factor belongs to the whole product: 2x°.</summary>
    private static Node Multiply(Node left, Node right, bool divides)
    {
        if (right is Quantity { Unit: Quantity.Percent or Quantity.Degree } quantity && !divides && left is not Quantity)
            return new Quantity(Multiply(left, quantity.Value, divides), quantity.Unit);
        if (left is not Product product) return new Product([(false, left), (divides, right)]);
        product.Factors.Add((divides, right));
        return product;
    }

    private static Node Negate(Node node, TermSign sign) => node is Quantity quantity
        ? new Quantity(Negate(quantity.Value, sign), quantity.Unit)
        : new Sum([(sign, node)]);

    private Power ParsePower(Node @base, Token caret)
    {
        if (caret.Text.Length > 0) return new Power(@base, ToNumber(caret.Text));
        return new Power(@base, ParseExpression(Binding.Power - 1));
    }

    private Apply ParseFactorial(Node left)
    {
        if (_current.Kind != TokenKind.Bang) return new Apply(Function.Factorial, left);
        Advance();
        return new Apply(Function.DoubleFactorial, left);
    }

    /// <summary>12°, 20° C.</summary>
    private Quantity ParseDegree(Node left)
    {
        bool isTemperature = _current is { Kind: TokenKind.Symbol, Text: "C" or "F" } && !IsFollowedByMore();
        if (!isTemperature) return new Quantity(left, Quantity.Degree);
        string unit = Quantity.Degree + _current.Text;
        Advance();
        return new Quantity(left, unit);
    }

    private bool IsFollowedByMore() => _lexer.Read(_current.End).Kind is not (TokenKind.End or TokenKind.Comma or TokenKind.GroupClose);

    /// <summary>The words behind a value: "cm^2", "miles per hour", "apples", "base 8".</summary>
    private Node ParseUnit(Node value)
    {
        if (_current.Text == "base" && value is Number number) return ParseSpokenBase(number);
        var words = new List<string>();
        while (true)
        {
            if (_current.Kind == TokenKind.Word) words.Add(_current.Text);
            else if (_current.Kind == TokenKind.Divide && words.Count > 0) words.Add("/");
            else if (_current.Kind == TokenKind.Caret && words.Count > 0)
            {
                if (_current.Text.Length == 0) Advance();
                string exponent = _current.Kind == TokenKind.GroupOpen ? Raw() : _current.Text;
                words.Add("^" + exponent);
            }
            else break;
            Advance();
        }
        if (Units.Normalize(words) is not { } unit) return Fail();
        if (value is Quantity { Unit: Quantity.Percent or Quantity.Degree } || unit.Length == 0) return value;
        return value is Quantity known && known.Unit != unit ? Fail() : new Quantity(value is Quantity same ? same.Value : value, unit);
    }

    private void Advance()
    {
        _previousEnd = _current.End;
        _current = _lexer.Read(_current.End);
    }

    private Node Fail(ReadFailure failure = ReadFailure.Unreadable)
    {
        if (Failure == ReadFailure.None) Failure = failure;
        return _nothing;
    }

    private static readonly Node _nothing = new Words("");

    /// <summary>How tightly operators bind; the higher wins.</summary>
    private static class Binding
    {
        public const int None = 0, Choose = 5, Comma = 10, Relation = 20, Set = 30, Unit = 35, Ratio = 38, Sum = 40, Remainder = 45, Product = 50, Prefix = 55, Argument = 60, Power = 70, Postfix = 80;

        public static int Of(Token token, bool isInsideBars) => token.Kind switch
        {
            TokenKind.Choose => Choose,
            TokenKind.Comma => Comma,
            TokenKind.Relation => Relation,
            TokenKind.SetOperator => Set,
            TokenKind.Word => Unit,
            TokenKind.Colon => Ratio,
            TokenKind.Plus or TokenKind.Minus or TokenKind.PlusMinus or TokenKind.MinusPlus => Sum,
            TokenKind.Mod => Remainder,
            TokenKind.Times or TokenKind.Divide => Product,
            TokenKind.Caret => Power,
            TokenKind.Bang or TokenKind.Percent or TokenKind.Degree or TokenKind.Prime => Postfix,
            TokenKind.Bar => isInsideBars ? None : Product,
            _ => IsImplicitProduct(token) ? Product : None,
        };

        /// <summary>Tokens that begin a factor. A number does not: "5 5" is not 25.</summary>
        public static bool IsImplicitProduct(Token token) => token.Kind
            is TokenKind.Symbol or TokenKind.Function or TokenKind.Open or TokenKind.GroupOpen or TokenKind.RoundingOpen or TokenKind.Bar
            || (token.Kind == TokenKind.Command && token.Text != "end");
    }
}
