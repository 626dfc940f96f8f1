namespace DeepSeekR1.Tests.Data.World;

/// <summary>Reads the world's texts with tables of its own, so that the generator is not checked by itself.</summary>
internal static class WorldText
{
    private static readonly string[] _englishMonths =
        "january february march april may june july august september october november december".Split(' ');
    private static readonly string[] _chineseMonths = "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月".Split(' ');

    public static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Start and signed turns of the chain that a question or a reasoning spells; null where the text has no turn.</summary>
    public static (int Start, int[] Turns)? Chain(string text)
    {
        string[] words = Words(text);
        var turns = new List<int>();
        for (int i = 0; i + 1 < words.Length; i++)
            if (words[i] is "+" or "-")
                turns.Add(int.Parse(words[i + 1]) * (words[i] == "+" ? 1 : -1));
        if (turns.Count == 0) return null;
        return (words.Where(word => word.All(char.IsAsciiDigit)).Select(int.Parse).First(), [.. turns]);
    }

    /// <summary>The last number of the text; null where there is none.</summary>
    public static int? LastNumber(string text) =>
        Words(text).LastOrDefault(word => word.All(char.IsAsciiDigit)) is { } word ? int.Parse(word) : null;

    /// <summary>The months in the order in which the text names them, January = 0.</summary>
    public static int[] Months(string text) =>
        [.. Words(text).Select(word => Math.Max(Array.IndexOf(_englishMonths, word), Array.IndexOf(_chineseMonths, word))).Where(i => i >= 0)];

    public static int TurnDial(int start, IEnumerable<int> turns, int dialPositions)
    {
        int position = start;
        foreach (int turn in turns)
            for (int i = 0; i < Math.Abs(turn); i++)
                position = turn > 0 ? (position == dialPositions - 1 ? 0 : position + 1) : (position == 0 ? dialPositions - 1 : position - 1);
        return position;
    }

    public static (bool English, bool Chinese) Scripts(string text)
    {
        var words = Words(text).Where(word => !word.StartsWith('<')).ToArray();
        return (words.Any(word => word.Any(char.IsAsciiLetter)), words.Any(word => word.Any(c => c is >= '\u4e00' and <= '\u9fff')));
    }
}
