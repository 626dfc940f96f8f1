using DeepSeekR1.Rewards.Mathematics;

namespace DeepSeekR1.Rewards;

/// <summary>
/// Says whether two mathematical answers, in LaTeX or plain text, mean the same: numbers, percentages, quantities, numbers in other bases, expressions,
/// complex numbers, intervals and unions, sets, tuples, vectors, matrices, equations, inequalities, choices, dates, times, words.
/// </summary>
/// <remarks>
/// Expressions are compared by value: exactly where they are rational, else to 40 digits, at random points when they have variables. Unevaluated
/// sums, integrals and limits are not judged unless the texts are equal. Nothing is executed; time and memory are bounded for any input.
/// </remarks>
public sealed class MathEquivalence : IAnswerEquivalence
{
    /// <summary>Longer texts are essays, not answers; they are right only when they equal the reference letter by letter.</summary>
    private const int MaxLength = 4000;

    /// <summary>Arithmetic of one comparison, some milliseconds.</summary>
    private const int BudgetUnits = 40_000;

    /// <inheritdoc/>
    public bool? AreEquivalent(string gold, string answer)
    {
        ArgumentNullException.ThrowIfNull(gold);
        ArgumentNullException.ThrowIfNull(answer);
        if (gold.Length > MaxLength || answer.Length > MaxLength) return gold.AsSpan().Trim().SequenceEqual(answer.AsSpan().Trim());
        string expected = AnswerText.Clean(gold), given = AnswerText.Clean(answer);
        if (expected.Length == 0) return null;
        if (given.Length == 0) return false;
        if (expected == given || AnswerText.Key(expected) == AnswerText.Key(given)) return true;
        return CompareAsText(expected, given, out bool? verdict) ? verdict : CompareAsMathematics(expected, given);
    }

    /// <summary>Choices, dates and words. False when the texts are to be read as mathematics.</summary>
    private static bool CompareAsText(string gold, string answer, out bool? verdict)
    {
        verdict = false;
        if (AnswerText.Choice(gold) is { } letter && AnswerText.Choice(answer) is { } other)
        {
            verdict = letter == other;
            bool mayBeVariables = gold.Length == 1 && answer.Length == 1 && gold != answer && char.IsLower(gold[0]);
            if (!mayBeVariables) return true;
        }
        if (Calendar.TryCompare(gold, answer, out verdict)) return true;
        string? expected = AnswerText.Words(gold), given = AnswerText.Words(answer);
        verdict = expected is not null && Synonym(expected) == Synonym(given);
        if (expected is not null && given is not null) return true;
        return (expected ?? given) is { } words && Meaning(words) is null && words.Length > 3;
    }

    private static bool? CompareAsMathematics(string gold, string answer)
    {
        if (Read(gold, out var failure) is not { } expected)
            return failure == ReadFailure.Unevaluated || gold.AsSpan().ContainsAny(@"\^") ? null : false;
        if (Read(answer, out failure) is not { } given) return failure == ReadFailure.Unevaluated ? null : false;

        var budget = new Budget(BudgetUnits);
        var sampling = new Sampling(Point.Hash(answer, Point.Hash(gold)), budget);
        bool? verdict = new Comparer(sampling).AreSame(expected, given);
        if (verdict != false || !(Survey.Of(expected, given).HasBareLogarithm)) return verdict;

        // Equal only if log means ln: nobody can tell.
        sampling.IsLogNatural = true;
        return new Comparer(sampling).AreSame(expected, given) == false ? false : null;
    }

    private static Node? Read(string text, out ReadFailure failure)
    {
        failure = ReadFailure.None;
        return (AnswerText.Words(text) is { } words ? Meaning(words) : null) ?? Parser.Parse(text, out failure);
    }

    /// <summary>Words that stand for something that mathematics writes too.</summary>
    private static Node? Meaning(string words) => words switch
    {
        "all real numbers" or "all reals" or "real numbers" => new Symbol("ℝ"),
        "no solution" or "no solutions" or "empty set" or "no real solutions" => new FiniteSet([]),
        _ => null,
    };

    private static string? Synonym(string? words) => words switch
    {
        "no solutions" or "there is no solution" or "there are no solutions" => "no solution",
        "all reals" => "all real numbers",
        "dne" => "does not exist",
        _ => words,
    };
}
