using System.Text.RegularExpressions;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>Dates and times of the day as written in answers.</summary>
internal static partial class Calendar
{
    private const int LongestText = 48;

    private static readonly string[] _months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    /// <summary>Are two texts the same date or time? False also when only one of them is one of several; null when neither is.</summary>
    /// <param name="gold">Clean reference.</param>
    /// <param name="answer">Clean answer.</param>
    /// <param name="verdict">Null when one names the half of the day and the other leaves it open.</param>
    /// <returns>Whether both are dates, or both times of the day, at least one of which could be nothing else.</returns>
    public static bool TryCompare(string gold, string answer, out bool? verdict)
    {
        verdict = null;
        if (gold.Length > LongestText || answer.Length > LongestText) return false;
        if (ReadDate(gold) is { } date && ReadDate(answer) is { } other)
        {
            verdict = date == other;
            return true;
        }
        if (ReadTime(gold) is not { } time || ReadTime(answer) is not { } otherTime) return false;
        if (time.HasHalf == otherTime.HasHalf) verdict = time.Minutes == otherTime.Minutes;
        else if (time.Minutes == otherTime.Minutes && (time.HasHalf ? otherTime : time).Minutes >= 13 * 60) verdict = true;
        else verdict = time.Minutes % 720 == otherTime.Minutes % 720 ? null : false;
        return true;
    }

    /// <summary>Year (0 when not given), month and day.</summary>
    private static (int Year, int Month, int Day)? ReadDate(string text)
    {
        if (text.Length < 5) return null;
        Match match = Date().Match(AnswerText.WithoutTextCommands(text));
        if (!match.Success) return null;
        int month = match.Groups["number"].Success
            ? int.Parse(match.Groups["number"].ValueSpan)
            : Array.IndexOf(_months, match.Groups["name"].Value[..3].ToLowerInvariant()) + 1;
        int year = match.Groups["year"].Success ? int.Parse(match.Groups["year"].ValueSpan) : 0, day = int.Parse(match.Groups["day"].ValueSpan);
        return month is >= 1 and <= 12 && day is >= 1 and <= 31 ? (year, month, day) : null;
    }

    /// <summary>Minutes since midnight, and whether the half of the day was named.</summary>
    private static (int Minutes, bool HasHalf)? ReadTime(string text)
    {
        string bare = AnswerText.WithoutTextCommands(text);
        if (bare.Equals("noon", StringComparison.OrdinalIgnoreCase)) return (720, true);
        if (bare.Equals("midnight", StringComparison.OrdinalIgnoreCase)) return (0, true);
        Match match = Time().Match(bare);
        if (!match.Success) return null;
        int hour = int.Parse(match.Groups["hour"].ValueSpan), minute = match.Groups["minute"].Success ? int.Parse(match.Groups["minute"].ValueSpan) : 0;
        if (match.Groups["half"].Success)
        {
            if (hour is < 1 or > 12) return null;
            hour = (hour % 12) + (match.Groups["half"].ValueSpan[0] is 'p' or 'P' ? 12 : 0);
        }
        return hour < 24 && minute < 60 ? ((hour * 60) + minute, match.Groups["half"].Success) : null;
    }

    private const string MonthPattern = @"(?<name>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?";

    [GeneratedRegex(
        @"^(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?(?:" + MonthPattern + @"\s+(?<day>\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(?<year>\d{4}))?" +
        @"|(?<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?" + MonthPattern + @"(?:,?\s+(?<year>\d{4}))?|(?<year>\d{4})-(?<number>\d{2})-(?<day>\d{2}))$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Date();

    [GeneratedRegex(
        @"^(?<hour>\d{1,2})(?:(?:\s*:\s*(?<minute>\d{2}))(?:\s*(?:\\[ ,;]|~)?\s*(?<half>[ap])\.?\s?m\.?)?|\s*(?:\\[ ,;]|~)?\s*(?<half>[ap])\.?\s?m\.?)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Time();
}
