namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Writes 1 ± √2 out as its values.</summary>
internal static class Signs
{
    /// <summary>
    /// The list of values of an expression with ± in it; the expression itself without. Signs vary independently, unless a ∓ ties them.
    /// </summary>
    /// <param name="node">An expression, an equation with one, or a list of them.</param>
    /// <param name="most">With more signs than this nothing is written out.</param>
    public static Node Expand(Node node, int most)
    {
        if (node is Listing listing)
            return listing.Items.TrueForAll(item => Count(item).All == 0) ? node : new Listing([.. listing.Items.SelectMany(item => Values(item, most))], listing.Conjunction);
        if (node is FiniteSet set)
            return set.Items.TrueForAll(item => Count(item).All == 0) ? node : new FiniteSet([.. set.Items.SelectMany(item => Values(item, most))]);
        return Values(node, most) is [var one] ? one : new Listing(Values(node, most));
    }

    private static List<Node> Values(Node node, int most)
    {
        var (all, opposite) = Count(node);
        if (all == 0 || all > most) return [node];
        var values = new List<Node>();
        int choices = opposite > 0 ? 2 : 1 << all;
        for (int choice = 0; choice < choices; choice++)
        {
            int bits = opposite > 0 ? -choice : choice, position = 0;
            values.Add(Choose(node, bits, ref position));
        }
        return values;
    }

    private static (int All, int Opposite) Count(Node node)
    {
        int all = 0, opposite = 0;
        void Visit(Node part)
        {
            if (part is Sum sum)
            {
                all += sum.Terms.Count(term => term.Sign is TermSign.PlusMinus or TermSign.MinusPlus);
                opposite += sum.Terms.Count(term => term.Sign is TermSign.MinusPlus);
            }
            foreach (var child in part.Children) Visit(child);
        }
        Visit(node);
        return (all, opposite);
    }

    /// <summary>The expression with its k-th sign minus where bit k is set (± and ∓ the other way round).</summary>
    private static Node Choose(Node node, int bits, ref int position)
    {
        switch (node)
        {
            case Sum sum:
                var terms = new List<(TermSign, Node)>();
                foreach (var (sign, term) in sum.Terms)
                {
                    var chosen = sign;
                    if (sign is TermSign.PlusMinus or TermSign.MinusPlus)
                    {
                        bool isMinus = ((bits >> position++) & 1) != 0;
                        chosen = isMinus != (sign == TermSign.MinusPlus) ? TermSign.Minus : TermSign.Plus;
                    }
                    terms.Add((chosen, Choose(term, bits, ref position)));
                }
                return new Sum(terms);
            case Product product:
                var factors = new List<(bool, Node)>();
                foreach (var (divides, factor) in product.Factors) factors.Add((divides, Choose(factor, bits, ref position)));
                return new Product(factors);
            case Power power: return new Power(Choose(power.Base, bits, ref position), Choose(power.Exponent, bits, ref position));
            case Apply apply: return new Apply(apply.Function, [.. Choose([.. apply.Arguments], bits, ref position)]);
            case Quantity quantity: return new Quantity(Choose(quantity.Value, bits, ref position), quantity.Unit);
            case Relation relation: return new Relation(Choose(relation.Operands, bits, ref position), relation.Operators);
            case Bracketed bracketed: return new Bracketed(bracketed.Open, Choose(bracketed.Items, bits, ref position), bracketed.Close);
            default: return node;
        }
    }

    private static List<Node> Choose(List<Node> nodes, int bits, ref int position)
    {
        var chosen = new List<Node>();
        foreach (var node in nodes) chosen.Add(Choose(node, bits, ref position));
        return chosen;
    }
}
