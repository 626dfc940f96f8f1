namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The layout of a panel: see <see cref="IPanelElement{TSimd, TVector}"/>.</summary>
internal static unsafe class Panel
{
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
    public static void Pack(nint* rows, int inner, PanelType type, int width, byte* panel)
    {
        int words = type == PanelType.Float32 ? inner : inner / 2;
        uint* target = (uint*)panel;
        if (width == 16 && HasAllRows(rows, width)) Transpose16(rows, words, target);
        else
        {
            for (int lane = 0; lane < width; lane++)
            {
                if (rows[lane] == 0) continue;
                uint* row = (uint*)rows[lane];
                for (nint i = 0; i < words; i++) target[i * width + lane] = row[i];
            }
        }
        if (type == PanelType.Float32 || inner % 2 == 0) return;
        for (int lane = 0; lane < width; lane++)
            if (rows[lane] != 0) target[(nint)words * width + lane] = ((ushort*)rows[lane])[inner - 1];
    }

    private static bool HasAllRows(nint* rows, int width)
    {
        for (int lane = 0; lane < width; lane++)
            if (rows[lane] == 0) return false;
        return true;
    }

    /// <summary>Sixteen sequential readers, one sequential writer.</summary>
    private static void Transpose16(nint* rows, int words, uint* target)
    {
        uint* r0 = (uint*)rows[0], r1 = (uint*)rows[1], r2 = (uint*)rows[2], r3 = (uint*)rows[3];
        uint* r4 = (uint*)rows[4], r5 = (uint*)rows[5], r6 = (uint*)rows[6], r7 = (uint*)rows[7];
        Transpose8(r0, r1, r2, r3, r4, r5, r6, r7, words, target);
        r0 = (uint*)rows[8]; r1 = (uint*)rows[9]; r2 = (uint*)rows[10]; r3 = (uint*)rows[11];
        r4 = (uint*)rows[12]; r5 = (uint*)rows[13]; r6 = (uint*)rows[14]; r7 = (uint*)rows[15];
        Transpose8(r0, r1, r2, r3, r4, r5, r6, r7, words, target + 8);
    }

    private static void Transpose8(uint* r0, uint* r1, uint* r2, uint* r3, uint* r4, uint* r5, uint* r6, uint* r7, int words, uint* target)
    {
        for (nint i = 0; i < words; i++, target += 16)
        {
            target[0] = r0[i];
            target[1] = r1[i];
            target[2] = r2[i];
            target[3] = r3[i];
            target[4] = r4[i];
            target[5] = r5[i];
            target[6] = r6[i];
            target[7] = r7[i];
        }
    }
}
