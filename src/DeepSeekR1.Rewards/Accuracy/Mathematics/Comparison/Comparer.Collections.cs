namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Lists, sets, tuples, matrices and quantities.</summary>
internal sealed partial class Comparer
{
    /// <summary>Sets without regard to order and repetition, lists without regard to order.</summary>
    private bool? AreSameCollections(Node gold, Node answer)
    {
        var (expected, given) = (Items(gold), Items(answer));
        if (!TryDropCommonName(ref expected, ref given)) return false;
        if (gold is FiniteSet || answer is FiniteSet) return Both(AllFound(expected, given), () => AllFound(given, expected));
        if (RealSet.From(gold, sampling) is { } set && RealSet.From(answer, sampling) is { } other) return set.SetEquals(other);
        return IsPermutation(expected, given);
    }

    private static List<Node> Items(Node node) => node switch
    {
        Listing listing => [.. listing.Items.SelectMany(Items)],
        FiniteSet set => [.. set.Items.SelectMany(item => item is Listing ? Items(item) : [item])],
        _ => [node],
    };

    /// <summary>Makes "1, 2" of "x = 1, x = 2" and of "x = 1, 2" unless both lists name all. False when values of one are of different names.</summary>
    private static bool TryDropCommonName(ref List<Node> gold, ref List<Node> answer)
    {
        bool areAllNamed = gold.TrueForAll(item => item is Relation) && answer.TrueForAll(item => item is Relation);
        bool isNoneNamed = !gold.Exists(item => item is Relation) && !answer.Exists(item => item is Relation);
        if (areAllNamed || isNoneNamed) return true;
        string? goldName = null, answerName = null;
        if (Values(gold, ref goldName) is not { } goldValues || Values(answer, ref answerName) is not { } answerValues) return false;
        (gold, answer) = (goldValues, answerValues);
        return goldName is null || answerName is null || goldName == answerName;
    }

    /// <summary>The values of the items; null when they are not all of one name.</summary>
    private static List<Node>? Values(List<Node> items, ref string? name)
    {
        var values = new List<Node>();
        foreach (var item in items)
        {
            if (item is not Relation relation) values.Add(item);
            else if (ValueOf(relation) is var (itsName, value) && (name ??= itsName) == itsName) values.Add(value);
            else return null;
        }
        return values;
    }

    /// <summary>Each of some is the same as one of others.</summary>
    private bool? AllFound(List<Node> some, List<Node> others)
    {
        if (some.Count > MaxUnordered || others.Count > MaxUnordered) return InOrder(some, others);
        bool? all = true;
        foreach (var item in some)
        {
            bool? found = false;
            foreach (var other in others)
                if ((found = Either(found, AreSame(item, other))) == true) break;
            if (found == false) return false;
            all = all & found;
        }
        return all;
    }

    private bool? IsPermutation(List<Node> gold, List<Node> answer)
    {
        if (gold.Count != answer.Count) return false;
        if (gold.Count > MaxUnordered) return InOrder(gold, answer);
        var left = new List<Node>(answer);
        bool isUnclear = false;
        foreach (var item in gold)
        {
            int match = -1;
            for (int i = 0; i < left.Count && match < 0; i++)
            {
                bool? same = AreSame(item, left[i]);
                if (same == true) match = i;
                isUnclear |= same is null;
            }
            if (match < 0) return isUnclear ? null : false;
            left.RemoveAt(match);
        }
        return true;
    }

    private bool? InOrder(List<Node> gold, List<Node> answer)
    {
        if (gold.Count != answer.Count) return false;
        bool? all = true;
        for (int i = 0; i < gold.Count && all != false; i++)
        {
            int at = i;
            all = Both(all, () => AreSame(gold[at], answer[at]));
        }
        return all;
    }

    /// <summary>Of two items the brackets tell an open interval or a point from a closed interval; of more they tell nothing.</summary>
    private bool? AreSameBrackets(Bracketed gold, Bracketed answer)
    {
        bool haveSameBrackets = Shape(gold.Open) == Shape(answer.Open) && Shape(gold.Close) == Shape(answer.Close);
        if (gold.Items.Count == 2 && !haveSameBrackets) return false;
        return InOrder(gold.Items, answer.Items);
    }

    private static char Shape(char bracket) => bracket switch { '<' => '(', '>' => ')', _ => bracket };

    private bool? AreSameMatrices(Matrix gold, Matrix answer)
    {
        if (gold.Rows.Count != answer.Rows.Count || gold.Rows[0].Count != answer.Rows[0].Count) return false;
        return InOrder([.. gold.Rows.SelectMany(row => row)], [.. answer.Rows.SelectMany(row => row)]);
    }

    /// <summary>(1, 2, 3) beside a column or a row.</summary>
    private bool? IsSameVector(Bracketed tuple, Matrix matrix)
    {
        bool isVector = matrix.Rows.Count == 1 || matrix.Rows[0].Count == 1;
        bool isInterval = tuple.Items.Count == 2 && (Shape(tuple.Open) != '(' || Shape(tuple.Close) != ')');
        return isVector && !isInterval ? InOrder(tuple.Items, [.. matrix.Rows.SelectMany(row => row)]) : false;
    }

    /// <summary>The values of "x = 1, y = 2" whose names are in alphabetical order; null for another list.</summary>
    private static List<Node>? Assignments(Listing listing)
    {
        var assignments = listing.Items.ConvertAll(item => item is Relation relation ? ValueOf(relation) : null);
        if (assignments.Contains(null)) return null;
        for (int i = 1; i < assignments.Count; i++)
            if (string.CompareOrdinal(assignments[i - 1]!.Value.Name, assignments[i]!.Value.Name) >= 0) return null;
        return assignments.ConvertAll(assignment => assignment!.Value.Value);
    }

    private bool? IsSamePoint(List<Node> values, Bracketed tuple) =>
        Shape(tuple.Open) == '(' && Shape(tuple.Close) == ')' ? InOrder(tuple.Items, values) : false;

    private bool? AreSameQuantities(Quantity gold, Quantity answer)
    {
        if (gold.Unit == answer.Unit) return AreSame(gold.Value, answer.Value);
        bool isAngle = (gold.Unit, answer.Unit) is (Quantity.Degree, "rad") or ("rad", Quantity.Degree);
        return isAngle ? sampling.AreEqual(InRadians(gold), InRadians(answer)) : false;
    }

    private static Node InRadians(Quantity angle) => angle.Unit == Quantity.Degree ? angle : angle.Value;

    /// <summary>
    /// A unit may be left out. A per cent or degree sign is then either a unit or a factor, and one letter may be a variable.
    /// </summary>
    private bool? IsSameWithoutUnit(Quantity quantity, Node bare)
    {
        bool? same = AreSame(quantity.Value, bare);
        if (same == true) return true;
        if (quantity.Unit is Quantity.Percent or Quantity.Degree) return Either(same, sampling.AreEqual(quantity, bare));
        bool isLetter = quantity.Unit.Length == 1 && char.IsAsciiLetter(quantity.Unit[0]);
        return isLetter && IsScalar(quantity.Value)
            ? Either(same, sampling.AreEqual(new Product([(false, quantity.Value), (false, new Symbol(quantity.Unit))]), bare))
            : same;
    }
}
