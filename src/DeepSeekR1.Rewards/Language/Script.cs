using System.Text;

namespace DeepSeekR1.Rewards;

/// <summary>Writing systems that are told apart by their characters alone.</summary>
internal enum Script
{
    /// <summary>No letter.</summary>
    None,

    /// <summary>A letter of a script that is not listed.</summary>
    Unlisted,
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Devanagari,
    Thai,
    Hangul,
    Kana,
    Han,
}

internal static class Scripts
{
    /// <summary>First and last code point of each block, ascending.</summary>
    private static readonly (int First, int Last, Script Script)[] _blocks =
    [
        (0x0041, 0x024F, Script.Latin),
        (0x0370, 0x03FF, Script.Greek),
        (0x0400, 0x052F, Script.Cyrillic),
        (0x0590, 0x05FF, Script.Hebrew),
        (0x0600, 0x06FF, Script.Arabic),
        (0x0750, 0x077F, Script.Arabic),
        (0x08A0, 0x08FF, Script.Arabic),
        (0x0900, 0x097F, Script.Devanagari),
        (0x0E00, 0x0E7F, Script.Thai),
        (0x1100, 0x11FF, Script.Hangul),
        (0x1C80, 0x1C8F, Script.Cyrillic),
        (0x1E00, 0x1EFF, Script.Latin),
        (0x1F00, 0x1FFF, Script.Greek),
        (0x2DE0, 0x2DFF, Script.Cyrillic),
        (0x3005, 0x3007, Script.Han),
        (0x3040, 0x30FF, Script.Kana),
        (0x3130, 0x318F, Script.Hangul),
        (0x31F0, 0x31FF, Script.Kana),
        (0x3400, 0x4DBF, Script.Han),
        (0x4E00, 0x9FFF, Script.Han),
        (0xA640, 0xA69F, Script.Cyrillic),
        (0xA8E0, 0xA8FF, Script.Devanagari),
        (0xA960, 0xA97F, Script.Hangul),
        (0xAC00, 0xD7FF, Script.Hangul),
        (0xF900, 0xFAFF, Script.Han),
        (0xFB1D, 0xFB4F, Script.Hebrew),
        (0xFB50, 0xFDFF, Script.Arabic),
        (0xFE70, 0xFEFE, Script.Arabic),
        (0xFF21, 0xFF5A, Script.Latin),
        (0xFF66, 0xFF9F, Script.Kana),
        (0x20000, 0x3FFFF, Script.Han),
    ];

    /// <summary>The script of a character.</summary>
    public static Script Of(Rune rune)
    {
        if (!Rune.IsLetter(rune)) return Script.None;
        foreach (var (first, last, script) in _blocks)
            if (rune.Value <= last) return rune.Value >= first ? script : Script.Unlisted;
        return Script.Unlisted;
    }
}
