using System.Globalization;
using System.Text;

namespace DeepSeekR1.Text.Unicode;

/// <summary>
/// Unicode normalization forms (Unicode Standard Annex 15). <see cref="string.Normalize()"/> changes nothing in processes with the
/// invariant culture, which training and tests run in, so the tables are here; they know the characters that the tokenizers library's
/// tables know.
/// </summary>
internal static class UnicodeNormalizer
{
    private const int HangulBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28;

    /// <summary>No character below composes with another or decomposes.</summary>
    private const char FirstDecomposable = '\u00C0', FirstCompatible = '\u00A0';

    private static readonly Lazy<Tables> _data = new(Tables.Load);

    /// <summary>Canonical decomposition, then composition.</summary>
    public static string ToNfc(string text) => Normalize(text, isCompatible: false, composes: true);

    /// <summary>Canonical decomposition.</summary>
    public static string ToNfd(string text) => Normalize(text, isCompatible: false, composes: false);

    /// <summary>Compatibility decomposition, then composition.</summary>
    public static string ToNfkc(string text) => Normalize(text, isCompatible: true, composes: true);

    /// <summary>Compatibility decomposition.</summary>
    public static string ToNfkd(string text) => Normalize(text, isCompatible: true, composes: false);

    /// <summary>True for characters of general category M.</summary>
    public static bool IsMark(Rune rune) => rune.Value >= 0x300 && _data.Value.Marks.ContainsKey(rune.Value);

    private static string Normalize(string text, bool isCompatible, bool composes)
    {
        char first = isCompatible ? FirstCompatible : FirstDecomposable;
        if (text.AsSpan().IndexOfAnyInRange(first, '\uFFFF') < 0) return text;
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, isCompatible, runes);
        SortMarks(runes);
        if (composes) Compose(runes);
        var result = new StringBuilder(text.Length);
        foreach (int rune in runes) result.Append(new Rune(rune));
        return result.ToString();
    }

    private static void Decompose(int rune, bool isCompatible, List<int> runes)
    {
        int syllable = rune - HangulBase;
        if ((uint)syllable < LCount * VCount * TCount)
        {
            runes.Add(LBase + (syllable / (VCount * TCount)));
            runes.Add(VBase + (syllable % (VCount * TCount) / TCount));
            if (syllable % TCount is > 0 and int tail) runes.Add(TBase + tail);
        }
        else if (_data.Value.Decompositions.TryGetValue(rune, out var found) && (isCompatible || !found.IsCompatible))
        {
            foreach (int part in found.Parts) Decompose(part, isCompatible, runes);
        }
        else
        {
            runes.Add(rune);
        }
    }

    /// <summary>Orders each run of marks by combining class, keeping the order within a class.</summary>
    private static void SortMarks(List<int> runes)
    {
        for (int start = 0; start < runes.Count; start++)
        {
            if (ClassOf(runes[start]) == 0) continue;
            int end = start + 1;
            while (end < runes.Count && ClassOf(runes[end]) != 0) end++;
            int[] sorted = [.. runes.GetRange(start, end - start).OrderBy(ClassOf)];
            for (int i = 0; i < sorted.Length; i++) runes[start + i] = sorted[i];
            start = end;
        }
    }

    private static void Compose(List<int> runes)
    {
        int starter = -1, written = 0, lastClass = -1;
        foreach (int rune in runes.ToArray())
        {
            int combiningClass = ClassOf(rune);
            bool isBlocked = lastClass >= combiningClass;
            if (starter >= 0 && !isBlocked && ComposePair(runes[starter], rune) is { } composed)
            {
                runes[starter] = composed;
                continue;
            }
            (starter, lastClass) = combiningClass == 0 ? (written, -1) : (starter, combiningClass);
            runes[written++] = rune;
        }
        runes.RemoveRange(written, runes.Count - written);
    }

    private static int? ComposePair(int left, int right)
    {
        if ((uint)(left - LBase) < LCount && (uint)(right - VBase) < VCount)
            return HangulBase + ((((left - LBase) * VCount) + right - VBase) * TCount);
        bool isOpenSyllable = (uint)(left - HangulBase) < LCount * VCount * TCount && (left - HangulBase) % TCount == 0;
        if (isOpenSyllable && (uint)(right - TBase - 1) < TCount - 1) return left + right - TBase;
        return _data.Value.Compositions.TryGetValue((left, right), out int composed) ? composed : null;
    }

    private static int ClassOf(int rune) => rune < 0x300 ? 0 : _data.Value.Marks.GetValueOrDefault(rune);

    /// <summary>The tables of the Unicode Character Database, from the text files beside this one.</summary>
    private sealed record Tables(
        Dictionary<int, (bool IsCompatible, int[] Parts)> Decompositions, Dictionary<(int, int), int> Compositions, Dictionary<int, int> Marks)
    {
        public static Tables Load()
        {
            var decompositions = new Dictionary<int, (bool, int[])>();
            var compositions = new Dictionary<(int, int), int>();
            foreach (string line in Lines("decompositions.txt"))
            {
                int sign = line.AsSpan().IndexOfAny('=', '!', '~');
                int rune = Hex(line.AsSpan(0, sign));
                int[] parts = [.. line[(sign + 1)..].Split(' ').Select(part => Hex(part))];
                decompositions.Add(rune, (line[sign] == '~', parts));
                if (line[sign] == '=') compositions.Add((parts[0], parts[1]), rune);
            }
            var classes = new Dictionary<int, int>();
            foreach (string line in Lines("marks.txt"))
            {
                int dash = line.IndexOf('-'), space = line.IndexOf(' ');
                int combiningClass = int.Parse(line.AsSpan(space + 1), CultureInfo.InvariantCulture);
                for (int rune = Hex(line.AsSpan(0, dash)); rune <= Hex(line.AsSpan(dash + 1, space - dash - 1)); rune++) classes.Add(rune, combiningClass);
            }
            return new Tables(decompositions, compositions, classes);
        }

        private static IEnumerable<string> Lines(string name)
        {
            using var reader = new StreamReader(typeof(UnicodeNormalizer).Assembly.GetManifestResourceStream($"unicode/{name}")!);
            while (reader.ReadLine() is { } line)
                if (line.Length > 0 && line[0] != '#') yield return line;
        }

        private static int Hex(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
