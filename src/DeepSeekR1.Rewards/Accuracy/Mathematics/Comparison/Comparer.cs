namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// Compares two parsed answers by their structure down to expressions, which <see cref="Sampling"/> compares by value. Null: cannot be told.
/// </summary>
internal sealed partial class Comparer(Sampling sampling)
{
    /// <summary>Longer lists are compared in their order only.</summary>
    private const int MaxUnordered = 64;

    private const int MaxSigns = 4;

    public bool? AreSame(Node gold, Node answer)
    {
        (gold, answer) = (Signs.Expand(gold, MaxSigns), Signs.Expand(answer, MaxSigns));
        if (gold is Relation != answer is Relation && WithoutLabel(gold, answer) is { } verdict) return verdict.Value;
        return (gold, answer) switch
        {
            (Relation a, Relation b) => AreSameRelations(a, b),
            (Listing or FiniteSet, Listing or FiniteSet) => AreSameCollections(gold, answer),
            (Words a, Words b) => a.Text == b.Text,
            (Quantity a, Quantity b) => AreSameQuantities(a, b),
            (Quantity a, _) when IsScalar(answer) => IsSameWithoutUnit(a, answer),
            (_, Quantity b) when IsScalar(gold) => IsSameWithoutUnit(b, gold),
            (Matrix a, Matrix b) => AreSameMatrices(a, b),
            (Bracketed a, Matrix b) => IsSameVector(a, b),
            (Matrix a, Bracketed b) => IsSameVector(b, a),
            (Bracketed a, Bracketed b) => AreSameBrackets(a, b),
            (Listing a, Bracketed b) when Assignments(a) is { } values => IsSamePoint(values, b),
            (Bracketed a, Listing b) when Assignments(b) is { } values => IsSamePoint(values, a),
            (Number a, BasedNumber b) => AreSameDigits(a, b) || sampling.AreEqual(a, b) == true,
            (BasedNumber a, Number b) => AreSameDigits(b, a) ? null : sampling.AreEqual(a, b),
            _ when IsScalar(gold) && IsScalar(answer) => sampling.AreEqual(gold, answer),
            _ => AreSameSets(gold, answer),
        };
    }

    private static bool IsScalar(Node node) =>
        node is Number or BasedNumber or Constant or Sum or Product or Power or Apply or Quantity || (node is Symbol symbol && symbol.Name != "ℝ");

    /// <summary>A reference whose base the data set left out (MATH writes 204 for 204₅) has the digits; one with a base wants it kept.</summary>
    private static bool AreSameDigits(Number plain, BasedNumber based) => plain.Value.TryInteger(out var integer) && integer.ToString() == based.Digits;

    /// <summary>
    /// An equation beside a value, "x = 5" beside "5": every side but a name must be that value. Null when no such comparison applies.
    /// </summary>
    private Box? WithoutLabel(Node gold, Node answer)
    {
        var relation = (Relation)(gold is Relation ? gold : answer);
        var value = gold is Relation ? answer : gold;
        if (relation is { Operators: ["∈"] }) return new(AreSame(gold is Relation ? relation.Operands[1] : gold, gold is Relation ? answer : relation.Operands[1]));
        if (!relation.IsEquation || value is Listing) return null;

        var sides = relation.Operands;
        int named = IsLabelOf(sides, 0) ? 0 : IsLabelOf(sides, sides.Count - 1) ? sides.Count - 1 : -1;
        bool? all = true;
        for (int i = 0; i < sides.Count; i++)
        {
            if (i == named) continue;
            bool? same = gold is Relation ? AreSame(sides[i], value) : AreSame(value, sides[i]);
            if (same == false) return new(false);
            all = same is null ? null : all;
        }
        return new(all);
    }

    /// <summary>A verdict, which may be null, found.</summary>
    private readonly record struct Box(bool? Value);

    /// <summary>"x = 2x + 3" names nothing: it says what x must be.</summary>
    private static bool IsLabelOf(List<Node> sides, int at) =>
        IsLabel(sides[at]) && !(sides[at] is Symbol symbol && sides.Where((_, i) => i != at).Any(side => Survey.Of(side).Variables.Contains(symbol.Name)));

    /// <summary>x, AB, f(x), (x, y): something that is being named, not computed.</summary>
    private static bool IsLabel(Node node) => node switch
    {
        Symbol => true,
        Product product => product.Factors.TrueForAll(factor => !factor.Divides && IsLabel(factor.Factor)),
        Bracketed bracketed => bracketed.Items.TrueForAll(IsLabel),
        Apply { Function: Function.Abs, Arguments: [var inner] } => IsLabel(inner),
        _ => false,
    };

    private bool? AreSameRelations(Relation gold, Relation answer)
    {
        if (RealSet.From(gold, sampling) is { } expected && RealSet.From(answer, sampling) is { } given)
            return VariableOf(gold) == VariableOf(answer) ? expected.SetEquals(given) : false;
        if (gold.Operators is ["∈"] && answer.Operators is ["∈"])
            return Both(AreSame(gold.Operands[0], answer.Operands[0]), () => AreSame(gold.Operands[1], answer.Operands[1]));
        if (gold.Operands.Count == 2 && answer.Operands.Count == 2) return AreSamePairs(gold, answer);
        if (gold.IsEquation && answer.IsEquation) return AreSameChains(gold, answer);
        if (gold.Operands.Count != answer.Operands.Count) return false;
        bool? forwards = Links(gold, answer, isTurned: false);
        return forwards == true ? true : Either(forwards, Links(gold, answer, isTurned: true));
    }

    private static string? VariableOf(Relation relation) => (relation.Operands.Find(operand => operand is Symbol) as Symbol)?.Name;

    private bool? AreSamePairs(Relation gold, Relation answer)
    {
        var (low, relation, high) = Directed(gold);
        var (otherLow, otherRelation, otherHigh) = Directed(answer);
        if (relation != otherRelation) return false;
        if (relation == "=" && ValueOf(gold) is var (name, value) && ValueOf(answer) is var (otherName, otherValue) && name == otherName) return AreSame(value, otherValue);
        if (!(IsScalar(low) && IsScalar(high) && IsScalar(otherLow) && IsScalar(otherHigh)))
            return Either(
                Both(AreSame(low, otherLow), () => AreSame(high, otherHigh)),
                relation is "=" or "≠" ? Both(AreSame(low, otherHigh), () => AreSame(high, otherLow)) : false);
        return sampling.AreProportional(Difference(high, low), Difference(otherHigh, otherLow), isPositive: relation is "<" or "≤");
    }

    /// <summary>The name and the value of an equation between a variable and something without it.</summary>
    private static (string Name, Node Value)? ValueOf(Relation relation)
    {
        if (relation is not { IsEquation: true, Operands: [var left, var right] }) return null;
        if (left is Symbol name && !Survey.Of(right).Variables.Contains(name.Name)) return (name.Name, right);
        return right is Symbol other && !Survey.Of(left).Variables.Contains(other.Name) ? (other.Name, left) : null;
    }

    private static (Node Low, string Relation, Node High) Directed(Relation relation)
    {
        var (left, right) = (relation.Operands[0], relation.Operands[1]);
        return relation.Operators[0] switch { ">" => (right, "<", left), "≥" => (right, "≤", left), var same => (left, same, right) };
    }

    private static Sum Difference(Node a, Node b) => new([(TermSign.Plus, a), (TermSign.Minus, b)]);

    /// <summary>x = 2 + 3 = 5 beside x = 5: all sides but the name are equal.</summary>
    private bool? AreSameChains(Relation gold, Relation answer)
    {
        if (!IsLabel(gold.Operands[0]) || !IsLabel(answer.Operands[0])) return null;
        bool? result = AreSame(gold.Operands[0], answer.Operands[0]);
        foreach (var side in gold.Operands.Skip(1).Concat(answer.Operands.Skip(1)))
            result = Both(result, () => AreSame(gold.Operands[^1], side));
        return result;
    }

    private bool? Links(Relation gold, Relation answer, bool isTurned)
    {
        bool? result = true;
        int count = gold.Operators.Count;
        for (int i = 0; i < count; i++)
        {
            int j = isTurned ? count - 1 - i : i;
            var (mine, other) = (Link(gold, i), Link(answer, j));
            result = Both(result, () => AreSamePairs(mine, other));
        }
        return result;
    }

    private static Relation Link(Relation chain, int i) => new([chain.Operands[i], chain.Operands[i + 1]], [chain.Operators[i]]);

    private bool? AreSameSets(Node gold, Node answer)
    {
        if (RealSet.From(gold, sampling) is { } expected && RealSet.From(answer, sampling) is { } given) return expected.SetEquals(given);
        if (IsInequality(gold) || IsInequality(answer)) return IsScalar(gold) || IsScalar(answer) ? false : null; // |x| > 2 is a set too.
        if (gold is not SetOperation { Operator: SetOperation.Union } || answer is not SetOperation { Operator: SetOperation.Union })
            return gold is SetOperation a && answer is SetOperation b && a.Operator == b.Operator
                ? Both(AreSame(a.Left, b.Left), () => AreSame(a.Right, b.Right))
                : false;
        return IsPermutation(Parts(gold), Parts(answer));
    }

    private static bool IsInequality(Node node) => node is Relation { IsEquation: false };

    private static List<Node> Parts(Node node) =>
        node is SetOperation { Operator: SetOperation.Union } union ? [.. Parts(union.Left), .. Parts(union.Right)] : [node];

    /// <summary>Three-valued "and": false wins, then null.</summary>
    private static bool? Both(bool? first, Func<bool?> second)
    {
        if (first == false) return false;
        bool? other = second();
        return other == false ? false : first & other;
    }

    /// <summary>Three-valued "or": true wins, then null.</summary>
    private static bool? Either(bool? first, bool? second) => first | second;
}
