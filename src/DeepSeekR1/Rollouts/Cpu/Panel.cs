using System.Runtime.CompilerServices;

namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The layout of a panel: see <see cref="IPanelElement{TSimd, TVector}"/>.</summary>
internal static unsafe class Panel
{
    private const int BlockWords = 128;

    public static int ElementBytes(PanelType type) => type == PanelType.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>Panels that hold so many columns.</summary>
    public static int Count(int columns, int width) => (columns + width - 1) / width;

    /// <summary>Bytes of two inner rows of a panel.</summary>
    public static int PairBytes(PanelType type, int width) => 2 * width * ElementBytes(type);

    /// <summary>
    /// Packs one panel from rows of weights, one an output. Both layouts are a transposition of 32-bit words: a word is one float32, or
    /// two bfloat16 that stay neighbours.
    /// </summary>
    /// <param name="rows">Address of each output's weights, zero for a column of padding.</param>
    /// <param name="inner">Numbers in a row.</param>
    /// <param name="type">What the numbers are.</param>
    /// <param name="width">Columns.</param>
    /// <param name="panel">Where to; zero where nothing is written.</param>
    /// <param name="step">Bytes from two inner rows to the next two: see <see cref="Panels.Step"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(nint* rows, int inner, PanelType type, int width, byte* panel, nint step)
    {
        int words = type == PanelType.Float32 ? inner : inner / 2, isOddRowApart = type == PanelType.Float32 ? 1 : 0;
        uint* target = (uint*)panel;
        step /= sizeof(uint);
        // Blocks of words, so that what the lanes write stays in the nearest cache.
        for (int first = 0; first < words; first += BlockWords)
        {
            int end = Math.Min(first + BlockWords, words);
            for (int lane = 0; lane < width; lane++)
            {
                uint* row = (uint*)rows[lane];
                if (row is null) continue;
                for (nint i = first; i < end; i++) target[(i >> isOddRowApart) * step + (i & isOddRowApart) * width + lane] = row[i];
            }
        }
        if (type == PanelType.Float32 || inner % 2 == 0) return;
        for (int lane = 0; lane < width; lane++)
            if (rows[lane] != 0) target[words * step + lane] = ((ushort*)rows[lane])[inner - 1];
    }
}
