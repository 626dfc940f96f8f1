namespace DeepSeekR1.Text.Jinja;

/// <summary>Parses the statements of a template. Unknown tags, filters and tests are errors here, before anything is rendered.</summary>
internal sealed partial class Parser
{
    /// <summary>Levels of nesting, a few for each bracket; small enough for any thread's stack, also when the parsed tree is evaluated.</summary>
    private const int MostLevels = 1000;

    private readonly JinjaSource _source;
    private readonly IReadOnlyList<Token> _tokens;
    private HashSet<string> _namesRead = [];
    private int _next;
    private int _depth;

    private Parser(JinjaSource source) => (_source, _tokens) = (source, Lexer.Tokenize(source));

    /// <summary>The statements of a template.</summary>
    /// <exception cref="R1Exception">A syntax error, with line and column.</exception>
    public static IReadOnlyList<Statement> Parse(JinjaSource source)
    {
        var parser = new Parser(source);
        var body = parser.ParseBody(parser.Current);
        return parser.Current.Kind == TokenKind.End ? body : throw parser.Unexpected();
    }

    private Token Current => _tokens[_next];

    /// <summary>Statements up to one of the tags (left at its name), or to the end of the template where none is named.</summary>
    private List<Statement> ParseBody(Token opening, params string[] endTags)
    {
        using var depth = Deeper();
        var body = new List<Statement>();
        while (true)
        {
            var token = Current;
            switch (token.Kind)
            {
                case TokenKind.Text:
                    _next++;
                    body.Add(new TextOutput(token.Position, token.Value));
                    break;
                case TokenKind.OutputBegin:
                    _next++;
                    body.Add(new Output(token.Position, ParseTuple()));
                    Expect(TokenKind.OutputEnd, "'}}'");
                    break;
                case TokenKind.TagBegin:
                    _next++;
                    if (Current.Kind != TokenKind.Name) throw _source.Error(Current.Position, "expected the name of a tag");
                    if (endTags.Contains(Current.Value)) return body;
                    body.Add(ParseTag());
                    break;
                case TokenKind.End when endTags.Length == 0:
                    return body;
                default:
                    throw _source.Error(opening.Position, $"unexpected end of template; '{opening.Value}' needs {string.Join(" or ", endTags.Select(tag => $"'{tag}'"))}");
            }
        }
    }

    private Statement ParseTag()
    {
        var tag = Current;
        _next++;
        return tag.Value switch
        {
            "if" => ParseIf(tag),
            "for" => ParseFor(tag),
            "set" => ParseSet(tag),
            "macro" => ParseMacro(tag),
            "call" => ParseCallBlock(tag),
            "filter" => ParseFilterBlock(tag),
            "with" => ParseWith(tag),
            "generation" => new Generation(tag.Position, ParseBlock(tag, "endgeneration")),
            "break" => EndTag(new Break(tag.Position)),
            "continue" => EndTag(new Continue(tag.Position)),
            _ => throw _source.Error(tag.Position, $"unknown tag '{tag.Value}'"),
        };
    }

    private T EndTag<T>(T statement)
    {
        Expect(TokenKind.TagEnd, "'%}'");
        return statement;
    }

    /// <summary>The body of a tag up to its end tag, which is consumed.</summary>
    private List<Statement> ParseBlock(Token tag, string endTag)
    {
        Expect(TokenKind.TagEnd, "'%}'");
        var body = ParseBody(tag, endTag);
        _next++;
        return EndTag(body);
    }

    private If ParseIf(Token tag)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        List<Statement> otherwise = [];
        string ending;
        do
        {
            var condition = ParseTuple(allowsConditional: false);
            Expect(TokenKind.TagEnd, "'%}'");
            branches.Add((condition, ParseBody(tag, "elif", "else", "endif")));
            ending = Current.Value;
            _next++;
        }
        while (ending == "elif");
        if (ending == "else") otherwise = ParseBlock(tag, "endif");
        else Expect(TokenKind.TagEnd, "'%}'");
        return new If(tag.Position, branches, otherwise);
    }

    private For ParseFor(Token tag)
    {
        var target = ParseTarget();
        ExpectName("in");
        var iterable = ParseTuple(allowsConditional: false, "recursive");
        var filter = SkipName("if") ? ParseExpression() : null;
        bool isRecursive = SkipName("recursive");
        Expect(TokenKind.TagEnd, "'%}'");
        var body = ParseBody(tag, "else", "endfor");
        List<Statement> otherwise = [];
        bool hasElse = Current.IsName("else");
        _next++;
        if (hasElse) otherwise = ParseBlock(tag, "endfor");
        else Expect(TokenKind.TagEnd, "'%}'");
        return new For(tag.Position, target, iterable, filter, isRecursive, body, otherwise);
    }

    private Statement ParseSet(Token tag)
    {
        var target = ParseTarget();
        if (SkipOperator("=")) return EndTag(new Set(tag.Position, target, ParseTuple()));
        var value = ParseFilters(new BlockText(tag.Position));
        return new SetBlock(tag.Position, target, value, ParseBlock(tag, "endset"));
    }

    private Macro ParseMacro(Token tag)
    {
        string name = Expect(TokenKind.Name, "the macro's name").Value;
        ExpectOperator("(");
        var parameters = ParseParameters();
        var (uses, body) = CollectNames(() => ParseBlock(tag, "endmacro"));
        return new Macro(tag.Position, name, SignatureOf(parameters, uses), body);
    }

    private CallBlock ParseCallBlock(Token tag)
    {
        var parameters = SkipOperator("(") ? ParseParameters() : [];
        var call = ParseExpression() as Call ?? throw _source.Error(tag.Position, "expected a call after 'call'");
        var (uses, body) = CollectNames(() => ParseBlock(tag, "endcall"));
        return new CallBlock(tag.Position, call, SignatureOf(parameters, uses), body);
    }

    private static MacroSignature SignatureOf(List<(string, Expression?)> parameters, HashSet<string> names) =>
        new(parameters, names.Contains("varargs"), names.Contains("kwargs"), names.Contains("caller"));

    private List<(string, Expression?)> ParseParameters()
    {
        var parameters = new List<(string, Expression?)>();
        while (!SkipOperator(")"))
        {
            if (parameters.Count > 0) ExpectOperator(",");
            var name = Expect(TokenKind.Name, "a parameter");
            var standard = SkipOperator("=") ? ParseExpression() : null;
            if (standard is null && parameters.Count > 0 && parameters[^1].Item2 is not null)
                throw _source.Error(name.Position, "a parameter without default follows one with default");
            parameters.Add((name.Value, standard));
        }
        return parameters;
    }

    /// <summary>Parses a body and tells which names it reads; outer bodies read them too.</summary>
    private (HashSet<string> Names, List<Statement> Body) CollectNames(Func<List<Statement>> parse)
    {
        var outer = _namesRead;
        _namesRead = [];
        var body = parse();
        var names = _namesRead;
        outer.UnionWith(names);
        _namesRead = outer;
        return (names, body);
    }

    private FilterBlock ParseFilterBlock(Token tag) =>
        new(tag.Position, ParseFilters(ParseFilter(new BlockText(tag.Position))), ParseBlock(tag, "endfilter"));

    private With ParseWith(Token tag)
    {
        var variables = new List<(string, Expression)>();
        while (Current.Kind != TokenKind.TagEnd)
        {
            if (variables.Count > 0) ExpectOperator(",");
            string name = Expect(TokenKind.Name, "a variable").Value;
            ExpectOperator("=");
            variables.Add((name, ParseExpression()));
        }
        return new With(tag.Position, variables, ParseBlock(tag, "endwith"));
    }

    private Target ParseTarget()
    {
        var first = ParseSingleTarget();
        if (!Current.IsOperator(",")) return first;
        var items = new List<Target> { first };
        while (SkipOperator(","))
            if (Current.Kind == TokenKind.Name && !Current.IsName("in") || Current.IsOperator("(")) items.Add(ParseSingleTarget());
        return new TupleTarget(first.Position, items);
    }

    private Target ParseSingleTarget()
    {
        using var depth = Deeper();
        if (SkipOperator("("))
        {
            var inner = ParseTarget();
            ExpectOperator(")");
            return inner;
        }
        var name = Expect(TokenKind.Name, "a variable");
        if (name.Value is "true" or "false" or "none" or "True" or "False" or "None") throw _source.Error(name.Position, $"cannot assign to '{name.Value}'");
        return SkipOperator(".") ? new AttributeTarget(name.Position, name.Value, Expect(TokenKind.Name, "an attribute").Value) : new NameTarget(name.Position, name.Value);
    }

    private Token Expect(TokenKind kind, string what)
    {
        var token = Current;
        if (token.Kind != kind) throw Unexpected($", expected {what}");
        _next++;
        return token;
    }

    private void ExpectOperator(string symbol)
    {
        if (!SkipOperator(symbol)) throw Unexpected($", expected '{symbol}'");
    }

    private void ExpectName(string name)
    {
        if (!SkipName(name)) throw Unexpected($", expected '{name}'");
    }

    private bool SkipOperator(string symbol)
    {
        if (!Current.IsOperator(symbol)) return false;
        _next++;
        return true;
    }

    private bool SkipName(string name)
    {
        if (!Current.IsName(name)) return false;
        _next++;
        return true;
    }

    private R1Exception Unexpected(string expected = "") => _source.Error(Current.Position, $"unexpected '{Current.Value}'{expected}");

    /// <summary>Counts one level of nesting until it is disposed.</summary>
    private Level Deeper()
    {
        if (++_depth > MostLevels) throw _source.Error(Current.Position, "nested too deeply");
        return new Level(this);
    }

    private readonly ref struct Level(Parser parser)
    {
        public void Dispose() => parser._depth--;
    }
}
