namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>A part of a parsed answer. Sums, products and chains are flat lists, so that depth grows only with brackets.</summary>
internal abstract class Node
{
    /// <summary>The expressions that it is made of.</summary>
    public IEnumerable<Node> Children => this switch
    {
        Sum sum => sum.Terms.Select(term => term.Term),
        Product product => product.Factors.Select(factor => factor.Factor),
        Power power => [power.Base, power.Exponent],
        Apply apply => apply.Arguments,
        Quantity quantity => [quantity.Value],
        Relation relation => relation.Operands,
        Bracketed bracketed => bracketed.Items,
        _ => [],
    };
}

/// <summary>A literal number.</summary>
internal sealed class Number(Rational value) : Node
{
    public Rational Value { get; } = value;
}

/// <summary>Digits with the base as a subscript: 1101₂.</summary>
internal sealed class BasedNumber(string digits, int radix, Rational value) : Node
{
    public string Digits { get; } = digits;

    public int Radix { get; } = radix;

    public Rational Value { get; } = value;
}

/// <summary>A variable, with its subscript, accent and primes in the name.</summary>
internal sealed class Symbol(string name) : Node
{
    public string Name { get; } = name;
}

internal enum ConstantKind { Pi, E, I, Infinity }

/// <summary>π, e, i or ∞.</summary>
internal sealed class Constant(ConstantKind kind) : Node
{
    public ConstantKind Kind { get; } = kind;
}

internal enum TermSign { Plus, Minus, PlusMinus, MinusPlus }

/// <summary>Terms with their signs; one term with a sign before it is a sum too.</summary>
internal sealed class Sum(List<(TermSign Sign, Node Term)> terms) : Node
{
    public List<(TermSign Sign, Node Term)> Terms { get; } = terms;
}

/// <summary>Factors, of which some divide.</summary>
internal sealed class Product(List<(bool Divides, Node Factor)> factors) : Node
{
    public List<(bool Divides, Node Factor)> Factors { get; } = factors;
}

internal sealed class Power(Node @base, Node exponent) : Node
{
    public Node Base { get; } = @base;

    public Node Exponent { get; } = exponent;
}

/// <summary>A function of one or more arguments.</summary>
internal sealed class Apply(Function function, params Node[] arguments) : Node
{
    public Function Function { get; } = function;

    public Node[] Arguments { get; } = arguments;
}

/// <summary>A value with what is counted: percent, degrees, centimetres, apples.</summary>
internal sealed class Quantity(Node value, string unit) : Node
{
    public const string Percent = "%";
    public const string Degree = "°";

    public Node Value { get; } = value;

    public string Unit { get; } = unit;
}

/// <summary>a = b, a &lt; b ≤ c, x ∈ S. One operator stands between each two operands.</summary>
internal sealed class Relation(List<Node> operands, List<string> operators) : Node
{
    public List<Node> Operands { get; } = operands;

    public List<string> Operators { get; } = operators;

    public bool IsEquation => Operators.TrueForAll(o => o == "=");
}

/// <summary>Values beside each other without brackets: "3, 5", "1 or 2".</summary>
internal sealed class Listing(List<Node> items, string conjunction = ",") : Node
{
    /// <summary>"or", "and", or a comma where neither was written.</summary>
    public string Conjunction { get; } = conjunction;

    public List<Node> Items { get; } = items;
}

/// <summary>A set in braces.</summary>
internal sealed class FiniteSet(List<Node> items) : Node
{
    public List<Node> Items { get; } = items;
}

/// <summary>Several values in round, square or angle brackets: a tuple, a vector or an interval.</summary>
internal sealed class Bracketed(char open, List<Node> items, char close) : Node
{
    public char Open { get; } = open;

    public List<Node> Items { get; } = items;

    public char Close { get; } = close;
}

/// <summary>A union, intersection or difference of sets.</summary>
internal sealed class SetOperation(char @operator, Node left, Node right) : Node
{
    public const char Union = '∪';
    public const char Intersection = '∩';
    public const char Difference = '∖';

    public char Operator { get; } = @operator;

    public Node Left { get; } = left;

    public Node Right { get; } = right;
}

/// <summary>A matrix by rows of equal length; a column vector has rows of one.</summary>
internal sealed class Matrix(List<List<Node>> rows) : Node
{
    public List<List<Node>> Rows { get; } = rows;
}

/// <summary>An answer in words.</summary>
internal sealed class Words(string text) : Node
{
    /// <summary>Lower case, single spaces.</summary>
    public string Text { get; } = text;
}
