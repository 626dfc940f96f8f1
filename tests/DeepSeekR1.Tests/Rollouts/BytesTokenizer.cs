using System.Text;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Rollouts;

/// <summary>One id a byte, and one special token behind them.</summary>
internal sealed class BytesTokenizer : ITokenizer
{
    public const int EndId = 256;

    public int VocabularySize => 257;

    public IReadOnlyDictionary<string, int> SpecialTokens { get; } = new Dictionary<string, int> { ["<end>"] = EndId };

    public int[] Encode(string text, bool parseSpecialTokens = false) => [.. Encoding.UTF8.GetBytes(text).Select(value => (int)value)];

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        Assert.True(skipSpecialTokens);
        return Encoding.UTF8.GetString([.. ids.ToArray().Where(id => id < 256).Select(id => (byte)id)]);
    }

    public void Save(string folder) => throw new NotSupportedException();
}
