using System.Runtime.CompilerServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The layout of a panel: see <see cref="IPanelElement{TSimd, TVector}"/>.</summary>
internal static unsafe class Panel
{
    private const int BlockWords = 128;

    public static int ElementBytes(PanelType type) => type == PanelType.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Panels that hold so many columns.</summary>
    public static int Count(int columns, int width) => (columns + width - 1) / width;

    /// <summary>
    /// Packs one panel from rows of weights, one an output. Both layouts are a transposition of 32-bit words: a word is one float32, or
    /// two bfloat16 that stay neighbours.
    /// </summary>
    /// <param name="rows">Address of each output's weights, zero for a column of padding.</param>
    /// <param name="inner">Numbers in a row.</param>
    /// <param name="type">What the numbers are.</param>
    /// <param name="width">Columns.</param>
    /// <param name="panel">Where to; zero where nothing is written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(nint* rows, int inner, PanelType type, int width, byte* panel)
    {
        int words = type == PanelType.Float32 ? inner : inner / 2;
        uint* target = (uint*)panel;
        // Blocks of words, so that what the lanes write stays in the nearest cache.
        for (int first = 0; first < words; first += BlockWords)
        {
            int end = Math.Min(first + BlockWords, words);
            for (int lane = 0; lane < width; lane++)
            {
                uint* row = (uint*)rows[lane];
                if (row is null) continue;
                for (nint i = first; i < end; i++) target[i * width + lane] = row[i];
            }
        }
        if (type == PanelType.Float32 || inner % 2 == 0) return;
        for (int lane = 0; lane < width; lane++)
            if (rows[lane] != 0) target[(nint)words * width + lane] = ((ushort*)rows[lane])[inner - 1];
    }
}
