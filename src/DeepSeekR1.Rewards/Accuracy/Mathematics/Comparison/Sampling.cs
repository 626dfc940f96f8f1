namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// Compares expressions by their values: exactly where they are rational, else to 40 digits, at one point without variables and at twelve
/// or more with them. A point where an expression has no value says nothing.
/// </summary>
/// <param name="seed">Addresses the points.</param>
/// <param name="budget">Pays for all of it.</param>
internal sealed class Sampling(ulong seed, Budget budget)
{
    /// <summary>Points at which approximate values must agree.</summary>
    private const int ApproximatePoints = 12;

    /// <summary>Points at which rational expressions must agree exactly.</summary>
    private const int ExactPoints = 3;

    private const int MaxTries = 72;

    /// <summary>Powers of two: sizes of constants at which a function may have a joint. Smaller ones lie among the usual points.</summary>
    private const int SmallestJoint = 2, LargestJoint = 4000, LargestIntegerScale = 11;

    /// <summary>With more sizes than this nothing is said; with few, those of their products and quotients are looked at too.</summary>
    private const int MaxJoints = 6, MaxPairedJoints = 3, PointsAtJoint = 6;

    private const int FirstPrecision = 192;

    /// <summary>Two numbers are equal when they agree to 40 digits, 133 bits, of the smallest term in them.</summary>
    private const int AgreedBits = 133;

    /// <summary>A logarithm without base is natural; else decimal.</summary>
    public bool IsLogNatural { get; set; }

    /// <summary>Are two expressions equal wherever both have a value? Null when that cannot be told.</summary>
    public bool? AreEqual(Node gold, Node answer)
    {
        if (gold is Number a && answer is Number b) return a.Value.Equals(b.Value);
        return Compare(gold, answer, (x, y, evaluator) => Agree(x, y, evaluator));
    }

    /// <summary>Is one expression a constant multiple of the other, by a factor that is not zero, or that is positive?</summary>
    public bool? AreProportional(Node gold, Node answer, bool isPositive)
    {
        Value? first = null;
        return Compare(gold, answer, (x, y, evaluator) =>
        {
            bool xIsZero = Agree(x, _zero, evaluator).Verdict == true, yIsZero = Agree(y, _zero, evaluator).Verdict == true;
            if (xIsZero || yIsZero) return new(xIsZero == yIsZero ? null : false, 0);
            var ratio = evaluator.Quotient(x, y);
            if (ratio is null) return new(null, 0);
            if (isPositive && ratio.Approximate(FirstPrecision) is not { IsReal: true, Re.Sign: > 0 }) return new(false, 0);
            first ??= ratio;
            return Agree(first, ratio, evaluator);
        });
    }

    /// <summary>The value of an expression without variables; null when it has variables or no value.</summary>
    public Value? Constant(Node node) =>
        Survey.Of(node).Variables.Count > 0 ? null : NewEvaluator(default, FirstPrecision, isComplex: true).Evaluate(node);

    /// <summary>The order of two real constants; null when it cannot be told.</summary>
    public static int? Order(Value a, Value b)
    {
        if (a is ExactValue x && b is ExactValue y) return x.Number.CompareTo(y.Number);
        if (a is InfiniteValue || b is InfiniteValue)
            return Math.Sign(((a as InfiniteValue)?.Sign ?? 0) - ((b as InfiniteValue)?.Sign ?? 0));
        if (a.Approximate(FirstPrecision) is not { IsReal: true } p || b.Approximate(FirstPrecision) is not { IsReal: true } q) return null;
        var difference = Ball.Subtract(p.Re, q.Re, FirstPrecision);
        if (difference.Sign != 0) return difference.Sign;
        return difference.ErrorMagnitude <= p.Magnitude - AgreedBits ? 0 : null;
    }

    private delegate Judgement Judge(Value x, Value y, Evaluator evaluator);

    /// <param name="Verdict">Null when the error is too great to tell.</param>
    /// <param name="WantedPrecision">With so many bits it may be told; 0 when precision is not what is missing.</param>
    private readonly record struct Judgement(bool? Verdict, long WantedPrecision);

    private bool? Compare(Node gold, Node answer, Judge judge)
    {
        var survey = Survey.Of(gold, answer);
        if (survey.Variables.Count == 0) return CompareConstants(gold, answer, judge);
        bool isComplex = survey.HasImaginaryUnit;
        if (survey.IsRational) return CompareAt(gold, answer, judge, Region.LargeIntegers, ExactPoints, isComplex: false);
        bool? verdict = survey.WantsIntegers ? null : CompareAt(gold, answer, judge, Region.Reals, ApproximatePoints, isComplex);
        if (verdict is not null && !(verdict == true && survey.HasPieces)) return verdict;
        var region = verdict is null ? Region.SmallIntegers : Region.Reals;
        verdict ??= CompareAt(gold, answer, judge, region, ApproximatePoints, isComplex);
        if (verdict != true) return verdict;

        bool? isDifferent = IsDifferentAtJoints(gold, answer, judge, region, isComplex);
        // A floor or a maximum that the reference has not may step in anywhere.
        bool hasStrangeSteps = survey.HasSteps && !Survey.Of(gold).HasSteps;
        return hasStrangeSteps && isDifferent == false ? null : !isDifferent;
    }

    /// <summary>
    /// Looks where functions that are pieced together may have their joints: at numbers of the sizes of the constants. Null where there are too many.
    /// </summary>
    private bool? IsDifferentAtJoints(Node gold, Node answer, Judge judge, Region region, bool isComplex)
    {
        var scales = Joints(gold, answer);
        if (scales.Count > MaxJoints) return null;
        int[] others = scales.Count <= MaxPairedJoints ? [0, .. scales] : [0];
        scales.UnionWith([.. others.SelectMany(a => scales.SelectMany(b => (int[])[a + b, a - b]))]);
        foreach (int scale in scales)
        {
            if (region == Region.SmallIntegers && scale is < 0 or > LargestIntegerScale) continue;
            for (int i = 0; i < PointsAtJoint; i++)
            {
                if (CompareAt(gold, answer, judge, new Point(seed, region, i, scale), isComplex).Verdict == false) return true;
                if (budget.IsExhausted) return null;
            }
        }
        return false;
    }

    /// <summary>The sizes, as powers of two, of the greatest parts without variables.</summary>
    private SortedSet<int> Joints(params ReadOnlySpan<Node> nodes)
    {
        var scales = new SortedSet<int>();
        foreach (var node in nodes) HasVariables(node);
        return scales;

        bool HasVariables(Node node)
        {
            var parts = node.Children.Select(child => (Node: child, IsVariable: HasVariables(child))).ToList();
            if (node is not Symbol && !parts.Exists(part => part.IsVariable)) return false;
            foreach (var part in parts.Where(part => !part.IsVariable))
            {
                if (Constant(part.Node)?.Approximate(FirstPrecision) is not { MayBeZero: false, Magnitude: var size }) continue;
                if (Math.Abs(size) is >= SmallestJoint and <= LargestJoint) scales.Add((int)size);
            }
            return true;
        }
    }

    /// <summary>A reference without a value cannot be judged; an answer without a value is wrong.</summary>
    private bool? CompareConstants(Node gold, Node answer, Judge judge)
    {
        var (verdict, hasGold, hasAnswer) = CompareAt(gold, answer, judge, default, isComplex: true);
        if (hasGold && hasAnswer) return verdict;
        return hasGold && !budget.IsExhausted ? false : null;
    }

    private bool? CompareAt(Node gold, Node answer, Judge judge, Region region, int wanted, bool isComplex)
    {
        int agreed = 0, goldOnly = 0, answerOnly = 0, unclear = 0;
        for (int i = 0; i < MaxTries && !budget.IsExhausted; i++)
        {
            var (verdict, hasGold, hasAnswer) = CompareAt(gold, answer, judge, new Point(seed, region, i), isComplex);
            if (budget.IsExhausted) return null;
            if (hasGold && hasAnswer && verdict == false) return false;
            if (verdict == true && ++agreed == wanted) return true;
            if (hasGold && hasAnswer && verdict is null) unclear++;
            if (hasGold && !hasAnswer) goldOnly++;
            if (hasAnswer && !hasGold) answerOnly++;
        }

        // Never defined at one point together, though each is often defined: different domains, so different functions.
        bool haveNothingInCommon = agreed == 0 && unclear == 0 && goldOnly >= ExactPoints && answerOnly >= ExactPoints;
        return haveNothingInCommon ? false : null;
    }

    private (bool? Verdict, bool HasGold, bool HasAnswer) CompareAt(Node gold, Node answer, Judge judge, Point point, bool isComplex)
    {
        for (int precision = FirstPrecision; ;)
        {
            var evaluator = NewEvaluator(point, precision, isComplex);
            Value? x = evaluator.Evaluate(gold), y = evaluator.Evaluate(answer);
            if (x is null || y is null) return (null, x is not null, y is not null);
            var (verdict, wanted) = judge(x, y, evaluator);
            if (verdict is not null || wanted <= precision || wanted > Ball.MaxPrecision) return (verdict, true, true);
            precision = (int)wanted;
        }
    }

    private Evaluator NewEvaluator(Point point, int precision, bool isComplex) => new(point, precision, isComplex, budget) { IsLogNatural = IsLogNatural };

    private static Judgement Agree(Value a, Value b, Evaluator evaluator)
    {
        if (a is ExactValue x && b is ExactValue y) return new(x.Number.Equals(y.Number), 0);
        if (a is InfiniteValue || b is InfiniteValue) return new((a as InfiniteValue)?.Sign == (b as InfiniteValue)?.Sign, 0);
        int precision = evaluator.Precision;
        if (a.Approximate(precision) is not { } p || b.Approximate(precision) is not { } q) return new(null, 0);
        if (!ComplexBall.Add(p, -q, precision).MayBeZero) return new(false, 0);

        long error = Math.Max(p.ErrorMagnitude, q.ErrorMagnitude), smallest = evaluator.SmallestTerm;
        if (!p.MayBeZero) smallest = Math.Min(smallest, p.Magnitude + evaluator.FinestPart);
        if (!q.MayBeZero) smallest = Math.Min(smallest, q.Magnitude + evaluator.FinestPart);
        if (smallest == long.MaxValue) smallest = 0;
        if (error == long.MinValue || error <= smallest - AgreedBits) return new(true, 0);
        return new(null, precision + (error - (smallest - AgreedBits)) + 16);
    }

    private static readonly ExactValue _zero = new(0);
}
