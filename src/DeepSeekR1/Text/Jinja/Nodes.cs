namespace DeepSeekR1.Text.Jinja;

/// <summary>A part of a parsed template.</summary>
/// <param name="Position">Offset in the template, for errors.</param>
internal abstract record Node(int Position);

/// <summary>A node with a value.</summary>
internal abstract record Expression(int Position) : Node(Position);

internal sealed record Literal(int Position, object? Value) : Expression(Position);

internal sealed record Name(int Position, string Id) : Expression(Position);

internal sealed record SequenceLiteral(int Position, IReadOnlyList<Expression> Items, bool IsTuple) : Expression(Position);

internal sealed record DictLiteral(int Position, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Position);

internal sealed record Unary(int Position, string Operator, Expression Operand) : Expression(Position);

internal sealed record Binary(int Position, string Operator, Expression Left, Expression Right) : Expression(Position);

internal sealed record Concatenation(int Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record Comparison(int Position, Expression First, IReadOnlyList<(string Operator, Expression Right)> Rest) : Expression(Position);

internal sealed record Conditional(int Position, Expression Condition, Expression Then, Expression? Else) : Expression(Position);

internal sealed record Attribute(int Position, Expression Target, string Id) : Expression(Position);

internal sealed record Subscript(int Position, Expression Target, Expression Key) : Expression(Position);

internal sealed record Slice(int Position, Expression? Start, Expression? Stop, Expression? Step) : Expression(Position);

internal sealed record Call(int Position, Expression Target, CallArguments Arguments) : Expression(Position);

internal sealed record Filter(int Position, Expression Operand, string Id, CallArguments Arguments) : Expression(Position);

internal sealed record Test(int Position, Expression Operand, string Id, CallArguments Arguments) : Expression(Position);

/// <summary>The arguments of a call as written.</summary>
internal sealed record CallArguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Id, Expression Value)> Named, Expression? Spread, Expression? NamedSpread)
{
    public static CallArguments None { get; } = new([], [], null, null);
}

/// <summary>A node that writes or does something.</summary>
internal abstract record Statement(int Position) : Node(Position);

internal sealed record TextOutput(int Position, string Text) : Statement(Position);

internal sealed record Output(int Position, Expression Value) : Statement(Position);

internal sealed record If(int Position, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else) : Statement(Position);

internal sealed record For(
    int Position, Target Target, Expression Iterable, Expression? Filter, bool IsRecursive, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else) : Statement(Position);

internal sealed record Break(int Position) : Statement(Position);

internal sealed record Continue(int Position) : Statement(Position);

internal sealed record Set(int Position, Target Target, Expression Value) : Statement(Position);

internal sealed record SetBlock(int Position, Target Target, Expression Value, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record With(int Position, IReadOnlyList<(string Id, Expression Value)> Variables, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record FilterBlock(int Position, Expression Value, IReadOnlyList<Statement> Body) : Statement(Position);

/// <summary>The text of the block itself, in the filters of a set or filter block.</summary>
internal sealed record BlockText(int Position) : Expression(Position)
{
    /// <summary>The variable that holds it; no template can spell this name.</summary>
    public const string Variable = "{block}";
}

/// <summary>The text that the assistant is to learn: <c>{% generation %}</c>.</summary>
internal sealed record Generation(int Position, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record Macro(int Position, string Id, MacroSignature Signature, IReadOnlyList<Statement> Body) : Statement(Position);

internal sealed record CallBlock(int Position, Call Call, MacroSignature Signature, IReadOnlyList<Statement> Body) : Statement(Position);

/// <summary>Parameters of a macro, and which implicit names its body uses.</summary>
internal sealed record MacroSignature(IReadOnlyList<(string Id, Expression? Default)> Parameters, bool UsesVarargs, bool UsesKwargs, bool UsesCaller);

/// <summary>What an assignment writes to.</summary>
internal abstract record Target(int Position) : Node(Position);

internal sealed record NameTarget(int Position, string Id) : Target(Position);

internal sealed record AttributeTarget(int Position, string Id, string Attribute) : Target(Position);

internal sealed record TupleTarget(int Position, IReadOnlyList<Target> Items) : Target(Position);
