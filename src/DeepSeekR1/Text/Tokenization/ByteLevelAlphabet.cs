using System.Text;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>
/// GPT-2's spelling of bytes as printable characters: printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up.
/// </summary>
internal static class ByteLevelAlphabet
{
    private static readonly char[] _toChar = BuildToChar();
    private static readonly Dictionary<char, byte> _toByte = Enumerable.Range(0, 256).ToDictionary(value => _toChar[value], value => (byte)value);

    /// <summary>The text's UTF-8 bytes, each as its character.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(length, bytes, static (spelled, bytes) =>
        {
            for (int i = 0; i < spelled.Length; i++) spelled[i] = _toChar[bytes[i]];
        });
    }

    /// <summary>The bytes a token stands for; a token with any character outside the alphabet stands for its own UTF-8.</summary>
    public static byte[] BytesOf(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
            if (!_toByte.TryGetValue(token[i], out bytes[i]))
                return Encoding.UTF8.GetBytes(token);
        return bytes;
    }

    private static char[] BuildToChar()
    {
        var map = new char[256];
        int others = 0;
        for (int value = 0; value < 256; value++)
        {
            bool standsForItself = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            map[value] = standsForItself ? (char)value : (char)(256 + others++);
        }
        return map;
    }
}
