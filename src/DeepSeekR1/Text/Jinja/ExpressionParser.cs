using System.Globalization;
using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Expressions, with Jinja's precedence: ~ binds tighter than + and a sign tighter than **.</summary>
internal sealed partial class Parser
{
    /// <summary>Longer numerals are refused, as Python does.</summary>
    private const int LongestNumeral = 4300;

    private Expression ParseExpression()
    {
        using var depth = Deeper();
        var value = ParseOr();
        while (Current.IsName("if"))
        {
            int position = Current.Position;
            _next++;
            var condition = ParseOr();
            value = new Conditional(position, condition, value, SkipName("else") ? ParseExpression() : null);
        }
        return value;
    }

    /// <summary>One expression, or a tuple without parentheses.</summary>
    private Expression ParseTuple(bool allowsConditional = true, string? endName = null)
    {
        int position = Current.Position;
        var first = Item();
        if (!Current.IsOperator(",")) return first;
        var items = new List<Expression> { first };
        while (SkipOperator(","))
        {
            bool isEnd = Current.Kind is TokenKind.OutputEnd or TokenKind.TagEnd || Current.IsOperator(")") || (endName is not null && Current.IsName(endName));
            if (isEnd) break;
            items.Add(Item());
        }
        return new SequenceLiteral(position, items, IsTuple: true);

        Expression Item() => allowsConditional ? ParseExpression() : ParseOr();
    }

    private Expression ParseOr()
    {
        using var depth = Deeper();
        var left = ParseAnd();
        while (Current.IsName("or")) left = new Binary(Advance(), "or", left, ParseAnd());
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (Current.IsName("and")) left = new Binary(Advance(), "and", left, ParseNot());
        return left;
    }

    private Expression ParseNot()
    {
        using var depth = Deeper();
        return Current.IsName("not") ? new Unary(Advance(), "not", ParseNot()) : ParseComparison();
    }

    private Expression ParseComparison()
    {
        int position = Current.Position;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Current.Value is "==" or "!=" or "<" or "<=" or ">" or ">=") rest.Add((Take(), ParseSum()));
            else if (Current.IsName("in")) rest.Add((Take(), ParseSum()));
            else if (Current.IsName("not") && _tokens[_next + 1].IsName("in"))
            {
                _next += 2;
                rest.Add(("not in", ParseSum()));
            }
            else return rest.Count == 0 ? first : new Comparison(position, first, rest);
        }
    }

    private Expression ParseSum()
    {
        var left = ParseConcatenation();
        while (Current.Kind == TokenKind.Operator && Current.Value is "+" or "-")
        {
            var symbol = Current;
            left = new Binary(Advance(), symbol.Value, left, ParseConcatenation());
        }
        return left;
    }

    private Expression ParseConcatenation()
    {
        int position = Current.Position;
        var first = ParseProduct();
        if (!Current.IsOperator("~")) return first;
        var items = new List<Expression> { first };
        while (SkipOperator("~")) items.Add(ParseProduct());
        return new Concatenation(position, items);
    }

    private Expression ParseProduct()
    {
        var left = ParsePower();
        while (Current.Kind == TokenKind.Operator && Current.Value is "*" or "/" or "//" or "%")
        {
            var symbol = Current;
            left = new Binary(Advance(), symbol.Value, left, ParsePower());
        }
        return left;
    }

    private Expression ParsePower()
    {
        var left = ParseUnary();
        while (Current.IsOperator("**")) left = new Binary(Advance(), "**", left, ParseUnary());
        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        using var depth = Deeper();
        Expression value;
        if (Current.IsOperator("-") || Current.IsOperator("+"))
        {
            var sign = Current;
            value = new Unary(Advance(), sign.Value, ParseUnary(withFilters: false));
        }
        else
        {
            value = ParsePrimary();
        }
        value = ParsePostfix(value);
        return withFilters ? ParseFilters(value) : value;
    }

    private Expression ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                _next++;
                return token.Value switch
                {
                    "true" or "True" => new Literal(token.Position, true),
                    "false" or "False" => new Literal(token.Position, false),
                    "none" or "None" => new Literal(token.Position, null),
                    _ => ReadName(token),
                };
            case TokenKind.String:
                string text = "";
                while (Current.Kind == TokenKind.String) text += Take();
                return new Literal(token.Position, text);
            case TokenKind.Integer:
                _next++;
                return new Literal(token.Position, ParseInteger(token));
            case TokenKind.Float:
                _next++;
                return new Literal(token.Position, double.Parse(token.Value, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Value == "(": return ParseParentheses();
            case TokenKind.Operator when token.Value == "[":
                _next++;
                return new SequenceLiteral(token.Position, ParseItems("]"), IsTuple: false);
            case TokenKind.Operator when token.Value == "{": return ParseDict();
            default: throw Unexpected(", expected an expression");
        }
    }

    private Name ReadName(Token token)
    {
        _namesRead.Add(token.Value);
        return new Name(token.Position, token.Value);
    }

    private BigInteger ParseInteger(Token token)
    {
        string digits = token.Value;
        if (digits.Length > LongestNumeral) throw _source.Error(token.Position, $"the number has over {LongestNumeral} digits");
        int numberBase = digits.Length > 1 ? char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 } : 10;
        if (numberBase == 10) return BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        BigInteger value = 0;
        foreach (char digit in digits.AsSpan(2))
        {
            int number = Convert.ToInt32(digit.ToString(), 16);
            value = number < numberBase ? (value * numberBase) + number : throw _source.Error(token.Position, $"'{digits}' is no number");
        }
        return value;
    }

    private Expression ParseParentheses()
    {
        int position = Advance();
        if (SkipOperator(")")) return new SequenceLiteral(position, [], IsTuple: true);
        var value = ParseTuple();
        ExpectOperator(")");
        return value;
    }

    private List<Expression> ParseItems(string close)
    {
        var items = new List<Expression>();
        while (!SkipOperator(close))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (SkipOperator(close)) break;
            }
            items.Add(ParseExpression());
        }
        return items;
    }

    private DictLiteral ParseDict()
    {
        int position = Advance();
        var items = new List<(Expression, Expression)>();
        while (!SkipOperator("}"))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (SkipOperator("}")) break;
            }
            var key = ParseExpression();
            ExpectOperator(":");
            items.Add((key, ParseExpression()));
        }
        return new DictLiteral(position, items);
    }

    private Expression ParsePostfix(Expression value)
    {
        while (Current.Kind == TokenKind.Operator)
        {
            if (Current.Value == ".") value = ParseAttribute(value);
            else if (Current.Value == "[") value = ParseSubscript(value);
            else if (Current.Value == "(") value = new Call(Current.Position, value, ParseArguments());
            else break;
        }
        return value;
    }

    private Expression ParseAttribute(Expression target)
    {
        int position = Advance();
        if (Current.Kind == TokenKind.Integer)
        {
            var number = Current;
            _next++;
            return new Subscript(position, target, new Literal(number.Position, ParseInteger(number)));
        }
        return new Attribute(position, target, Expect(TokenKind.Name, "an attribute").Value);
    }

    private Subscript ParseSubscript(Expression target)
    {
        int position = Advance();
        var keys = new List<Expression> { ParseKey() };
        while (SkipOperator(",")) keys.Add(ParseKey());
        ExpectOperator("]");
        return new Subscript(position, target, keys.Count == 1 ? keys[0] : new SequenceLiteral(position, keys, IsTuple: true));
    }

    private Expression ParseKey()
    {
        int position = Current.Position;
        var start = Current.IsOperator(":") ? null : ParseExpression();
        if (!SkipOperator(":")) return start!;
        var stop = Part();
        return new Slice(position, start, stop, SkipOperator(":") ? Part() : null);

        Expression? Part() => Current.IsOperator(":") || Current.IsOperator("]") || Current.IsOperator(",") ? null : ParseExpression();
    }

    private CallArguments ParseArguments()
    {
        ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? spread = null, namedSpread = null;
        bool isFirst = true;
        while (!SkipOperator(")"))
        {
            if (!isFirst)
            {
                ExpectOperator(",");
                if (SkipOperator(")")) break;
            }
            isFirst = false;
            int position = Current.Position;
            if (SkipOperator("*") && spread is null && namedSpread is null) spread = ParseExpression();
            else if (SkipOperator("**") && namedSpread is null) namedSpread = ParseExpression();
            else if (Current.Kind == TokenKind.Name && _tokens[_next + 1].IsOperator("=") && namedSpread is null)
            {
                string id = Take();
                _next++;
                named.Add((id, ParseExpression()));
            }
            else if (named.Count == 0 && spread is null && namedSpread is null) positional.Add(ParseExpression());
            else throw _source.Error(position, "a positional argument follows a named one");
        }
        return new CallArguments(positional, named, spread, namedSpread);
    }

    /// <summary>Filters, tests and calls after a value.</summary>
    private Expression ParseFilters(Expression value)
    {
        while (true)
        {
            if (Current.IsOperator("|"))
            {
                _next++;
                value = ParseFilter(value);
            }
            else if (Current.IsName("is")) value = ParseTest(value);
            else if (Current.IsOperator("(")) value = new Call(Current.Position, value, ParseArguments());
            else return value;
        }
    }

    private Filter ParseFilter(Expression operand)
    {
        var (position, name) = ParseDottedName("a filter");
        if (!Filters.Exists(name)) throw _source.Error(position, $"no filter is named '{name}'");
        return new Filter(position, operand, name, Current.IsOperator("(") ? ParseArguments() : CallArguments.None);
    }

    private Expression ParseTest(Expression operand)
    {
        _next++;
        bool isNegated = SkipName("not");
        var (position, name) = ParseDottedName("a test");
        if (!Tests.Exists(name)) throw _source.Error(position, $"no test is named '{name}'");
        var arguments = CallArguments.None;
        bool beginsValue = Current.Kind is TokenKind.Name or TokenKind.String or TokenKind.Integer or TokenKind.Float || Current.IsOperator("[") || Current.IsOperator("{");
        if (Current.IsOperator("(")) arguments = ParseArguments();
        else if (Current.IsName("is")) throw _source.Error(Current.Position, "tests cannot be chained with 'is'");
        else if (beginsValue && !(Current.Kind == TokenKind.Name && Current.Value is "else" or "or" or "and"))
            arguments = CallArguments.None with { Positional = [ParsePostfix(ParsePrimary())] };
        Expression test = new Test(position, operand, name, arguments);
        return isNegated ? new Unary(position, "not", test) : test;
    }

    private (int Position, string Name) ParseDottedName(string what)
    {
        var token = Expect(TokenKind.Name, what);
        string name = token.Value;
        while (SkipOperator(".")) name += "." + Expect(TokenKind.Name, what).Value;
        return (token.Position, name);
    }

    /// <summary>Goes past a token; its position.</summary>
    private int Advance() => _tokens[_next++].Position;

    /// <summary>Goes past a token; its text.</summary>
    private string Take() => _tokens[_next++].Value;
}
