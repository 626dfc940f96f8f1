namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Brackets, groups, sets and matrices.</summary>
internal sealed partial class Parser
{
    private const int MaxCells = 256;

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
