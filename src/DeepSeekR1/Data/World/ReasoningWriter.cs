using DeepSeekR1.Runtime;

namespace DeepSeekR1.Data.World;

/// <summary>How much of the way an author writes down.</summary>
internal enum ReasoningStyle
{
    /// <summary>Only the answer.</summary>
    Bare,
    /// <summary>Every second month, and the last.</summary>
    Short,
    /// <summary>Every month.</summary>
    Long,
}

/// <summary>How reliable an author is.</summary>
/// <param name="ErrorRate">Chance of an error in one step.</param>
/// <param name="NoticeRate">Chance that an error is noticed and corrected with "wait".</param>
/// <param name="FalseAlarmRate">Chance of a "wait" where nothing was wrong.</param>
internal readonly record struct Diligence(double ErrorRate, double NoticeRate, double FalseAlarmRate)
{
    public static readonly Diligence Perfect = new(0, 0, 0);
}

/// <summary>Writes the reasoning of an author: <c>start 7 . may + 4 is 11 . june - 2 is 8 . wait 9 .</c></summary>
internal sealed class ReasoningWriter(int dialPositions)
{
    private static readonly int[] _slips = [-2, -1, 1, 2, 5];

    public static bool IsWritten(ReasoningStyle style, int turn, int turns) =>
        style == ReasoningStyle.Long || turn % 2 == 1 || turn == turns - 1;

    /// <summary>The text and the position at which the author arrives; an error that goes unnoticed is carried on.</summary>
    public (string Text, int Result) Write(AddressedStream stream, ChainProblem problem, ReasoningStyle style, Voice say, Diligence diligence)
    {
        var turns = problem.Chain.Turns;
        List<string> sentences = [$"{say(Lexicon.Start)} {problem.Chain.Start} ."];
        int position = problem.Chain.Start;
        for (int i = 0; i < turns.Count; i++)
        {
            position = Chain.Wrap(position + turns[i], dialPositions);
            if (!IsWritten(style, i, turns.Count)) continue;
            bool errs = stream.Chance(diligence.ErrorRate);
            int written = errs ? Slip(stream, position) : position;
            sentences.Add(Step(problem.Month(i), turns[i], written, say));
            if (stream.Chance(errs ? diligence.NoticeRate : diligence.FalseAlarmRate))
                sentences.Add($"{say(Lexicon.Wait)} {written = position} .");
            position = written;
        }
        return (string.Join(' ', sentences), position);
    }

    /// <summary>One step: <c>may + 4 is 11 .</c></summary>
    public static string Step(Word month, int turn, int position, Voice say) =>
        $"{say(month)} {ChainProblem.Spell(turn)} {say(Lexicon.Is)} {position} .";

    /// <summary>A position near the right one, or a careless way off.</summary>
    public int Slip(AddressedStream stream, int position) => Chain.Wrap(position + stream.Pick(_slips), dialPositions);
}
