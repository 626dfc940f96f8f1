namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What occurs in expressions, found in one walk, to choose how to compare them.</summary>
internal sealed class Survey
{
    /// <summary>A greater power of a whole number of forty bits would be slow to compute exactly.</summary>
    private const int MaxPower = 128;

    private int _seen;

    /// <summary>Names of the variables.</summary>
    public HashSet<string> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>Only + − · / and integer powers of numbers and variables.</summary>
    public bool IsRational { get; private set; } = true;

    /// <summary>The imaginary unit occurs.</summary>
    public bool HasImaginaryUnit { get; private set; }

    /// <summary>A logarithm without base occurs.</summary>
    public bool HasBareLogarithm { get; private set; }

    /// <summary>A variable stands where only integers make sense: in a factorial or binomial.</summary>
    public bool WantsIntegers { get; private set; }

    /// <summary>
    /// A variable stands in a function that may be pieced together (an absolute value, a root, a binomial): agreeing on one stretch says nothing
    /// of the next.
    /// </summary>
    public bool HasPieces { get; private set; }

    /// <summary>A variable stands in a function of steps or choices: a floor, a maximum, a remainder.</summary>
    public bool HasSteps { get; private set; }

    public static Survey Of(params ReadOnlySpan<Node> nodes)
    {
        var survey = new Survey();
        foreach (var node in nodes) survey.Visit(node);
        return survey;
    }

    private void Visit(Node node)
    {
        switch (node)
        {
            case Symbol symbol:
                Variables.Add(symbol.Name);
                _seen++;
                break;
            case Constant constant:
                IsRational &= constant.Kind == ConstantKind.Infinity;
                HasImaginaryUnit |= constant.Kind == ConstantKind.I;
                break;
            case Sum sum:
                foreach (var (_, term) in sum.Terms) Visit(term);
                break;
            case Product product:
                foreach (var (_, factor) in product.Factors) Visit(factor);
                break;
            case Power power:
                IsRational &= IsSmallInteger(power.Exponent);
                bool isVariable = VisitForVariables(power.Base);
                HasPieces |= !VisitForVariables(power.Exponent) && isVariable && !IsSmallInteger(power.Exponent);
                break;
            case Apply apply: Visit(apply); break;
            case Quantity quantity:
                IsRational &= quantity.Unit != Quantity.Degree;
                Visit(quantity.Value);
                break;
        }
    }

    private void Visit(Apply apply)
    {
        IsRational &= apply.Function == Function.Ratio;
        HasBareLogarithm |= apply.Function == Function.Log;
        bool isVariable = false;
        foreach (var argument in apply.Arguments) isVariable |= VisitForVariables(argument);
        WantsIntegers |= isVariable && apply.Function is Function.Factorial or Function.DoubleFactorial or Function.Binomial or Function.Gcd or Function.Lcm or Function.Mod;
        HasSteps |= isVariable && apply.Function is Function.Floor or Function.Ceiling or Function.Max or Function.Min or Function.Gcd or Function.Lcm or Function.Mod;
        HasPieces |= isVariable && apply.Function is not ((>= Function.Sin and <= Function.Csc) or (>= Function.Sinh and <= Function.LogBase) or Function.Ratio);
    }

    /// <summary>Whether variables occur in it.</summary>
    private bool VisitForVariables(Node node)
    {
        int before = _seen;
        Visit(node);
        return _seen > before;
    }

    private static bool IsSmallInteger(Node exponent) => exponent switch
    {
        Number number => number.Value.TryInteger(MaxPower, out _),
        Sum { Terms: [(TermSign.Minus, Number number)] } => number.Value.TryInteger(MaxPower, out _),
        _ => false,
    };
}
