namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>
/// A set of real numbers as disjoint intervals in rising order, so that (0,1]∪(1,2), 0&lt;x&lt;2 and (0,2) are one set. A point is a closed
/// interval from itself to itself.
/// </summary>
internal sealed class RealSet
{
    private const int MaxIntervals = 64;

    private readonly List<Interval> _intervals;

    private RealSet(List<Interval> intervals) => _intervals = intervals;

    private readonly record struct Interval(Value Low, bool HasLow, Value High, bool HasHigh);

    /// <summary>The set that an expression describes; null when it is none of numbers, or depends on variables.</summary>
    public static RealSet? From(Node node, Sampling sampling) => new Reader(sampling).Read(node);

    public bool? SetEquals(RealSet other)
    {
        if (_intervals.Count != other._intervals.Count) return false;
        foreach (var (a, b) in _intervals.Zip(other._intervals))
        {
            if (Sampling.Order(a.Low, b.Low) is not { } low || Sampling.Order(a.High, b.High) is not { } high) return null;
            if (low != 0 || high != 0 || a.HasLow != b.HasLow || a.HasHigh != b.HasHigh) return false;
        }
        return true;
    }

    /// <summary>Reads expressions as sets. Null means: not a set of real numbers.</summary>
    private sealed class Reader(Sampling sampling)
    {
        private static readonly InfiniteValue _least = new(-1), _greatest = new(1);
        private string? _variable;

        public RealSet? Read(Node node) => node switch
        {
            Bracketed { Items: [var low, var high], Open: '(' or '[', Close: ')' or ']' } bracket =>
                Between(Real(low), bracket.Open == '[', Real(high), bracket.Close == ']'),
            FiniteSet set => All(set.Items, item => Real(item) is { } value ? Between(value, true, value, true) : null),
            Symbol { Name: "ℝ" } => All(),
            Relation { Operators: ["∈"], Operands: [Symbol symbol, var set] } when IsTheVariable(symbol) => Read(set),
            Relation relation => Read(relation),
            Listing { Conjunction: "or" } listing => All(listing.Items, Read),
            Listing { Conjunction: "and" } listing when listing.Items.TrueForAll(item => item is Relation) =>
                listing.Items.Select(Read).Aggregate((a, b) => a is null || b is null ? null : Intersect(a, b)),
            SetOperation { Operator: SetOperation.Union } union => All([union.Left, union.Right], Read),
            SetOperation { Operator: SetOperation.Intersection } both => Read(both.Left) is { } a && Read(both.Right) is { } b ? Intersect(a, b) : null,
            SetOperation { Operator: SetOperation.Difference } minus =>
                Read(minus.Left) is { } from && Read(minus.Right) is { } without && Complement(without) is { } rest ? Intersect(from, rest) : null,
            _ => null,
        };

        private bool IsTheVariable(Symbol symbol) => (_variable ??= symbol.Name) == symbol.Name;

        private Value? Real(Node node) => sampling.Constant(node) is { } value && (value is InfiniteValue || value.Approximate(64) is { IsReal: true }) ? value : null;

        /// <summary>x &lt; 3, 1 &lt; x ≤ 3, x ≠ 2.</summary>
        private RealSet? Read(Relation relation)
        {
            int at = relation.Operands.FindIndex(operand => operand is Symbol);
            if (at < 0 || relation.Operands[at] is not Symbol symbol || !IsTheVariable(symbol)) return null;
            RealSet? result = All();
            for (int i = 0; i < relation.Operands.Count && result is not null; i++)
            {
                if (i == at) continue;
                bool isNext = Math.Abs(i - at) == 1;
                if (!isNext || Real(relation.Operands[i]) is not { } bound) return null;
                string relationToBound = i > at ? relation.Operators[at] : Turned(relation.Operators[i]);
                result = Ray(relationToBound, bound) is { } ray ? Intersect(result, ray) : null;
            }
            return result;
        }

        private static string Turned(string relation) => relation switch { "<" => ">", ">" => "<", "≤" => "≥", "≥" => "≤", _ => relation };

        private static RealSet? Ray(string relation, Value bound) => relation switch
        {
            "<" => Between(_least, false, bound, false),
            "≤" => Between(_least, false, bound, true),
            ">" => Between(bound, false, _greatest, false),
            "≥" => Between(bound, true, _greatest, false),
            "≠" => Between(bound, true, bound, true) is { } point ? Complement(point) : null,
            _ => null,
        };

        private static RealSet All() => new([new(_least, false, _greatest, false)]);

        /// <summary>An interval; null when its ends are not in order, because then the brackets meant something else.</summary>
        private static RealSet? Between(Value? low, bool hasLow, Value? high, bool hasHigh)
        {
            if (low is null || high is null || Order(low, high) is not { } order || order > 0) return null;
            if (order == 0 && !(hasLow && hasHigh && low is not InfiniteValue)) return null;
            return new([new(low, hasLow && low is not InfiniteValue, high, hasHigh && high is not InfiniteValue)]);
        }

        private static int? Order(Value a, Value b) => Sampling.Order(a, b);

        private static RealSet? All(List<Node> parts, Func<Node, RealSet?> read)
        {
            var intervals = new List<Interval>();
            foreach (var part in parts)
            {
                if (read(part) is not { } set || intervals.Count > MaxIntervals) return null;
                intervals.AddRange(set._intervals);
            }
            return Merge(intervals);
        }

        /// <summary>Sorts, and joins what touches.</summary>
        private static RealSet? Merge(List<Interval> intervals)
        {
            var merged = new List<Interval>();
            foreach (var next in intervals)
            {
                if (Position(merged, next) is not { } position) return null;
                merged.Insert(position, next);
            }
            for (int i = 1; i < merged.Count;)
            {
                if (Join(merged[i - 1], merged[i], out bool touches) is not { } joined) return null;
                if (!touches)
                {
                    i++;
                    continue;
                }
                merged[i - 1] = joined;
                merged.RemoveAt(i);
            }
            return new RealSet(merged);
        }

        /// <summary>Behind all that begin before it; null where the order cannot be told.</summary>
        private static int? Position(List<Interval> sorted, Interval next)
        {
            for (int i = sorted.Count; i > 0; i--)
            {
                if (Order(sorted[i - 1].Low, next.Low) is not { } order) return null;
                if (order < 0 || (order == 0 && (sorted[i - 1].HasLow || !next.HasLow))) return i;
            }
            return 0;
        }

        private static Interval? Join(Interval first, Interval next, out bool touches)
        {
            touches = false;
            if (Order(first.High, next.Low) is not { } gap || Order(first.High, next.High) is not { } reach) return null;
            touches = gap > 0 || (gap == 0 && (first.HasHigh || next.HasLow));
            if (reach < 0) return first with { High = next.High, HasHigh = next.HasHigh };
            return reach == 0 ? first with { HasHigh = first.HasHigh || next.HasHigh } : first;
        }

        private static RealSet? Complement(RealSet set)
        {
            var gaps = new List<Interval>();
            var (low, hasLow) = ((Value)_least, false);
            foreach (var interval in set._intervals)
            {
                if (Order(low, interval.Low) is not { } order) return null;
                if (order < 0 || (order == 0 && hasLow && !interval.HasLow)) gaps.Add(new(low, hasLow, interval.Low, !interval.HasLow && interval.Low is not InfiniteValue));
                (low, hasLow) = (interval.High, !interval.HasHigh && interval.High is not InfiniteValue);
            }
            if (low is not InfiniteValue { Sign: > 0 }) gaps.Add(new(low, hasLow, _greatest, false));
            return new RealSet(gaps);
        }

        private static RealSet? Intersect(RealSet a, RealSet b)
        {
            var common = new List<Interval>();
            foreach (var x in a._intervals)
                foreach (var y in b._intervals)
                {
                    if (common.Count > MaxIntervals || Order(x.Low, y.Low) is not { } low || Order(x.High, y.High) is not { } high) return null;
                    bool hasLow = low == 0 ? x.HasLow && y.HasLow : low > 0 ? x.HasLow : y.HasLow;
                    bool hasHigh = high == 0 ? x.HasHigh && y.HasHigh : high < 0 ? x.HasHigh : y.HasHigh;
                    if (Between(low > 0 ? x.Low : y.Low, hasLow, high < 0 ? x.High : y.High, hasHigh) is { } part) common.AddRange(part._intervals);
                }
            return new RealSet(common);
        }
    }
}
