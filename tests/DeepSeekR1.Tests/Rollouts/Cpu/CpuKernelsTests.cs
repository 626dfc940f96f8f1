using DeepSeekR1.Rollouts.Cpu;
using DeepSeekR1.Runtime;
using DeepSeekR1.Vectors;

namespace DeepSeekR1.Tests.Rollouts.Cpu;

/// <summary>Each kernel against a scalar twin in double precision, at every vector width.</summary>
public unsafe class CpuKernelsTests
{
    public static TheoryData<int> Widths => [128, 256, 512];

    public static TheoryData<int, int, int, int, bool> Products =>
        [.. from width in new[] { 128, 256, 512 }
            from isBfloat16 in new[] { false, true }
            from shape in new[] { (1, 64, 192), (1, 6, 5), (2, 33, 40), (3, 16, 16), (7, 48, 100), (8, 64, 32), (13, 24, 70), (30, 130, 17) }
            select (width, shape.Item1, shape.Item2, shape.Item3, isBfloat16)];

    [Theory, MemberData(nameof(Products))]
    public void Products_equal_the_scalar_sum(int bits, int rows, int inner, int columns, bool isBfloat16)
    {
        var kernels = CpuKernels.OfWidth(bits);
        var type = isBfloat16 ? PanelType.Bfloat16 : PanelType.Float32;
        float[,] left = Numbers(1, rows, inner), right = Numbers(2, columns, inner), before = Numbers(3, rows, columns);
        float[] bias = [.. Enumerable.Range(0, columns + 16).Select(i => 0.01f * i)];
        if (isBfloat16) Round(right);

        foreach (bool add in new[] { false, true })
            foreach (bool hasBias in new[] { false, true })
            {
                float[,] result = Multiply(kernels, type, left, right, before, add, hasBias ? bias : null);
                for (int row = 0; row < rows; row++)
                {
                    for (int column = 0; column < columns; column++)
                    {
                        double expected = (add ? before[row, column] : 0) + (hasBias ? bias[column] : 0), magnitude = 1;
                        for (int k = 0; k < inner; k++)
                        {
                            expected += (double)left[row, k] * right[column, k];
                            magnitude += Math.Abs(left[row, k] * right[column, k]);
                        }
                        // The bound of a chain of that many rounded operations is inner * 2^-24 of the sum of magnitudes; it is far from reached.
                        Assert.Equal(expected, result[row, column], 4e-7 * magnitude);
                    }
                }
            }
    }

    [Theory, MemberData(nameof(Products))]
    public void A_row_has_the_same_bits_whatever_rows_and_panels_are_computed_with_it(int bits, int rows, int inner, int columns, bool isBfloat16)
    {
        float[,] left = Numbers(1, rows, inner), right = Numbers(2, columns, inner);
        AssertSameBitsAlone(CpuKernels.OfWidth(bits), isBfloat16 ? PanelType.Bfloat16 : PanelType.Float32, left, right, arePaired: false);
    }

    public static TheoryData<int, int, int, int, bool> WeightProducts =>
        [.. from width in new[] { 128, 256, 512, 0 }
            from isBfloat16 in new[] { false, true }
            from shape in new[] { (1, 64, 192), (3, 33, 40), (8, 64, 32), (13, 24, 70), (64, 576, 96), (31, 1536, 64) }
            select (width, shape.Item1, shape.Item2, shape.Item3, isBfloat16)];

    [Theory, MemberData(nameof(WeightProducts))]
    public void Products_with_weights_equal_the_scalar_sum(int bits, int rows, int inner, int columns, bool isBfloat16)
    {
        float[,] left = Numbers(1, rows, inner), right = Numbers(2, columns, inner), before = Numbers(3, rows, columns);
        float[] bias = [.. Enumerable.Range(0, columns).Select(i => 0.01f * i)];
        if (isBfloat16)
        {
            // What native products round, so that the sum is of the same numbers in every kernel.
            Round(right);
            Round(left);
        }
        foreach (bool add in new[] { false, true })
        {
            float[,] result = Multiply(CpuKernels.OfWidth(bits), isBfloat16 ? PanelType.Bfloat16 : PanelType.Float32, left, right, before, add, bias, arePaired: true);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    double expected = (add ? before[row, column] : 0) + bias[column], magnitude = 1;
                    for (int k = 0; k < inner; k++)
                    {
                        expected += (double)left[row, k] * right[column, k];
                        magnitude += Math.Abs(left[row, k] * right[column, k]);
                    }
                    Assert.Equal(expected, result[row, column], 4e-7 * magnitude);
                }
            }
        }
    }

    [Theory, MemberData(nameof(WeightProducts))]
    public void A_row_has_the_same_bits_whatever_is_multiplied_with_the_same_weights(int bits, int rows, int inner, int columns, bool isBfloat16)
    {
        float[,] left = Numbers(1, rows, inner), right = Numbers(2, columns, inner);
        AssertSameBitsAlone(CpuKernels.OfWidth(bits), isBfloat16 ? PanelType.Bfloat16 : PanelType.Float32, left, right, arePaired: true);
    }

    private static void AssertSameBitsAlone(CpuKernels kernels, PanelType type, float[,] left, float[,] right, bool arePaired)
    {
        int rows = left.GetLength(0), inner = left.GetLength(1), columns = right.GetLength(0);
        float[,] together = Multiply(kernels, type, left, right, new float[rows, columns], false, null, arePaired: arePaired);
        foreach (int count in new[] { 1, 2, 5 })
        {
            for (int first = 0; first + count <= rows; first += count)
            {
                var some = new float[count, inner];
                for (int i = 0; i < count; i++)
                    for (int k = 0; k < inner; k++) some[i, k] = left[first + i, k];
                float[,] apart = Multiply(kernels, type, some, right, new float[count, columns], false, null, panelsAtOnce: 2, arePaired);
                for (int i = 0; i < count; i++)
                    for (int column = 0; column < columns; column++) Assert.Equal(together[first + i, column], apart[i, column]);
            }
        }
    }

    public static TheoryData<int, int, bool> CachedTokens =>
        [.. from width in new[] { 128, 256, 512, 0 }
            from tokens in new[] { 1, 16, 63, 64, 65, 300 }
            from isBfloat16 in new[] { false, true }
            select (width, tokens, isBfloat16)];

    /// <summary>What was stored token by token comes out of both products of attention, with the same bits for any rows.</summary>
    [Theory, MemberData(nameof(CachedTokens))]
    public void Products_with_cached_keys_and_values_equal_the_scalar_sum(int bits, int tokens, bool isBfloat16)
    {
        const int HeadDim = 72, Queries = 7;
        var (kernels, type) = (CpuKernels.OfWidth(bits), isBfloat16 ? PanelType.Bfloat16 : PanelType.Float32);
        var layout = new KvLayout(Layers: 2, Heads: 3, HeadDim, kernels.Width, type, kernels.TakeCacheTogether(type));
        float[,] keys = Numbers(1, tokens, HeadDim), values = Numbers(2, tokens, HeadDim), queries = Numbers(3, Queries, HeadDim), weights = Numbers(4, Queries, tokens), before = Numbers(5, Queries, HeadDim);
        if (isBfloat16)
        {
            foreach (float[,] matrix in new[] { keys, values, queries, weights }) Round(matrix);
        }
        using var block = new KvBlock(layout, tokens);
        Fill(block, layout);
        fixed (float* key = keys, value = values)
        {
            for (int token = 0; token < tokens; token++) block.Store(1, 2, token, key + token * HeadDim, value + token * HeadDim, clearRest: true);
        }

        float[,] scores = Multiply(queries, block.Keys(1, 2, tokens), new float[Queries, tokens], add: false), mixed = Multiply(weights, block.Values(1, 2, tokens), before, add: true);
        for (int query = 0; query < Queries; query++)
        {
            for (int token = 0; token < tokens; token++)
                Assert.Equal(Enumerable.Range(0, HeadDim).Sum(i => (double)queries[query, i] * keys[token, i]), scores[query, token], 4e-7 * HeadDim);
            for (int i = 0; i < HeadDim; i++)
                Assert.Equal(before[query, i] + Enumerable.Range(0, tokens).Sum(token => (double)weights[query, token] * values[token, i]), mixed[query, i], 4e-7 * (tokens + 1));
        }
        for (int query = 0; query < Queries; query++)
        {
            float[,] alone = Multiply(Take(weights, query), block.Values(1, 2, tokens), Take(before, query), add: true), score = Multiply(Take(queries, query), block.Keys(1, 2, tokens), new float[1, tokens], add: false);
            for (int i = 0; i < HeadDim; i++) Assert.Equal(mixed[query, i], alone[0, i]);
            for (int token = 0; token < tokens; token++) Assert.Equal(scores[query, token], score[0, token]);
        }

        // As attention has it: rows with zeros behind what is used.
        float[,] Multiply(float[,] left, Panels right, float[,] start, bool add)
        {
            int rows = left.GetLength(0), inner = left.GetLength(1), columns = start.GetLength(1), width = kernels.Width;
            int stride = layout.Padded(inner), resultStride = Panel.Count(columns, width) * width;
            using var x = NativeBuffer.OfFloats(rows * stride);
            using var y = NativeBuffer.OfFloats(rows * resultStride);
            for (int row = 0; row < rows; row++)
            {
                for (int k = 0; k < inner; k++) x.Floats[row * stride + k] = left[row, k];
                for (int column = 0; column < columns; column++) y.Floats[row * resultStride + column] = start[row, column];
            }
            kernels.MultiplyCache(new((nint)x.Floats, stride, rows), right, new((nint)y.Floats, resultStride, rows), add);
            var result = new float[rows, columns];
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < columns; column++) result[row, column] = y.Floats[row * resultStride + column];
            return result;
        }

        static float[,] Take(float[,] matrix, int row)
        {
            var taken = new float[1, matrix.GetLength(1)];
            for (int i = 0; i < matrix.GetLength(1); i++) taken[0, i] = matrix[row, i];
            return taken;
        }
    }

    /// <summary>What an earlier sequence may have left in a block: no numbers.</summary>
    private static void Fill(KvBlock block, KvLayout layout)
    {
        float[] nothing = [.. Enumerable.Repeat(float.NaN, layout.HeadDim)];
        fixed (float* x = nothing)
        {
            for (int token = 0; token < block.Capacity; token++)
                for (int layer = 0; layer < layout.Layers; layer++)
                    for (int head = 0; head < layout.Heads; head++) block.Store(layer, head, token, x, x, clearRest: false);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void RmsNorm_equals_its_formula(int bits)
    {
        foreach (int count in new[] { 4, 17, 64, 576 })
        {
            float[] input = Row(Numbers(4, 1, count)), weight = Row(Numbers(5, 1, count)), output = new float[count];
            fixed (float* x = input, w = weight, y = output) CpuKernels.OfWidth(bits).RmsNorm(x, w, 1e-5f, y, count);
            double scale = 1 / Math.Sqrt(input.Sum(value => (double)value * value) / count + 1e-5);
            for (int i = 0; i < count; i++) Assert.Equal(input[i] * scale * weight[i], output[i], 2e-6);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void Softmax_equals_its_formula_and_gives_nothing_to_hidden_entries(int bits)
    {
        foreach (int count in new[] { 16, 64, 336 })
        {
            float[] scores = Row(Numbers(6, 1, count));
            for (int i = 0; i < count; i++) scores[i] *= 40;
            for (int i = 3; i < count; i += 5) scores[i] = float.NegativeInfinity;
            float[] before = [.. scores];
            fixed (float* x = scores) CpuKernels.OfWidth(bits).Softmax(x, 0.25f, count);
            double max = before.Max() * 0.25, sum = before.Sum(value => Math.Exp(0.25 * value - max));
            for (int i = 0; i < count; i++)
            {
                double expected = Math.Exp(0.25 * before[i] - max) / sum;
                if (expected == 0) Assert.Equal(0, scores[i]);
                else Assert.Equal(expected, scores[i], 3e-6 * expected + 1e-37);
            }
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void SwiGlu_equals_its_formula_from_the_lowest_to_the_highest_gate(int bits)
    {
        var kernels = CpuKernels.OfWidth(bits);
        const int count = 1024;
        float[] gate = [.. Enumerable.Range(0, count).Select(i => (i - 512) * 0.25f)], up = Row(Numbers(7, 1, count)), output = new float[count];
        var gateUp = new float[2 * count];
        for (int i = 0; i < count; i++)
        {
            int place = i / kernels.Width * 2 * kernels.Width + i % kernels.Width;
            (gateUp[place], gateUp[place + kernels.Width]) = (gate[i], up[i]);
        }
        fixed (float* x = gateUp, y = output) kernels.SwiGlu(x, y, count);
        for (int i = 0; i < count; i++)
        {
            double expected = gate[i] / (1 + Math.Exp(-gate[i])) * up[i];
            Assert.Equal(expected, output[i], 1e-6 * Math.Abs(expected) + 1e-35);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void Rotation_equals_its_formula(int bits)
    {
        foreach (int half in new[] { 4, 8, 12, 32, 33 })
        {
            float[] head = Row(Numbers(8, 1, 2 * half)), before = [.. head], cosines = new float[half], sines = new float[half];
            for (int i = 0; i < half; i++) (sines[i], cosines[i]) = MathF.SinCos(i * 0.37f);
            fixed (float* x = head, c = cosines, s = sines) CpuKernels.OfWidth(bits).Rotate(x, c, s, half);
            for (int i = 0; i < half; i++)
            {
                Assert.Equal(before[i] * (double)cosines[i] - before[half + i] * (double)sines[i], head[i], 5e-7);
                Assert.Equal(before[i] * (double)sines[i] + before[half + i] * (double)cosines[i], head[half + i], 5e-7);
            }
        }
    }

    [Fact]
    public void Bfloat16_rounds_to_the_nearest_even()
    {
        Assert.Equal(0x3F80, Bfloat16.FromSingle(1));
        Assert.Equal(0x3F80, Bfloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x3F808000)));
        Assert.Equal(0x3F82, Bfloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x3F818000)));
        Assert.Equal(0x3F81, Bfloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x3F808001)));
        Assert.True(float.IsNaN(Bfloat16.ToSingle(Bfloat16.FromSingle(BitConverter.UInt32BitsToSingle(0x7F800001)))));
        Assert.Equal(float.NegativeInfinity, Bfloat16.ToSingle(Bfloat16.FromSingle(float.NegativeInfinity)));

        float[] numbers = [.. Enumerable.Range(0, 70).Select(i => i switch { 3 or 69 => float.NaN, 5 => float.NegativeInfinity, 6 => BitConverter.UInt32BitsToSingle(0x7FFFFFFF), _ => BitConverter.UInt32BitsToSingle(0x3F800000u + (uint)i * 0x2345u) })];
        var rounded = new ushort[numbers.Length];
        fixed (float* source = numbers)
        fixed (ushort* target = rounded) Bfloat16.Round(source, target, numbers.Length);
        for (int i = 0; i < numbers.Length; i++) Assert.Equal(Bfloat16.ToSingle(Bfloat16.FromSingle(numbers[i])), Bfloat16.ToSingle(rounded[i]));
    }

    private static float[,] Multiply(
        CpuKernels kernels, PanelType type, float[,] left, float[,] right, float[,] before, bool add, float[]? bias, int panelsAtOnce = int.MaxValue, bool arePaired = false)
    {
        int rows = left.GetLength(0), inner = left.GetLength(1), columns = right.GetLength(0), width = kernels.Width;
        int panels = arePaired ? 2 * Panel.Count(columns, 2 * width) : Panel.Count(columns, width), stride = (inner + 1) / 2 * 2, resultStride = panels * width;
        int pairBytes = Panel.PairBytes(type, width);
        nint panelBytes = (nint)stride / 2 * pairBytes;
        using var packed = new NativeBuffer(panelBytes * panels);
        using var x = NativeBuffer.OfFloats(rows * stride);
        using var y = NativeBuffer.OfFloats(rows * resultStride);
        using var b = NativeBuffer.OfFloats(panels * width);
        var weights = new Panels((nint)packed.Pointer, panelBytes, inner, columns, type, Together: arePaired ? 2 : 1);
        var source = new byte[columns * inner * Panel.ElementBytes(type)];
        fixed (byte* numbers = source)
        {
            for (int column = 0; column < columns; column++)
            {
                for (int k = 0; k < inner; k++)
                {
                    if (type == PanelType.Float32) ((float*)numbers)[column * inner + k] = right[column, k];
                    else ((ushort*)numbers)[column * inner + k] = Bfloat16.FromSingle(right[column, k]);
                }
            }
            nint* lanes = stackalloc nint[width];
            for (int panel = 0; panel < panels; panel++)
            {
                for (int lane = 0; lane < width; lane++)
                {
                    int column = panel * width + lane;
                    lanes[lane] = column < columns ? (nint)(numbers + column * inner * Panel.ElementBytes(type)) : 0;
                }
                Panel.Pack(lanes, inner, type, width, weights[panel, pairBytes], weights.Step(pairBytes));
            }
        }
        for (int row = 0; row < rows; row++)
        {
            for (int k = 0; k < inner; k++) x.Floats[row * stride + k] = left[row, k];
            for (int column = 0; column < columns; column++) y.Floats[row * resultStride + column] = before[row, column];
        }
        for (int i = 0; bias is not null && i < columns; i++) b.Floats[i] = bias[i];

        Rows leftRows = new((nint)x.Floats, stride, rows), resultRows = new((nint)y.Floats, resultStride, rows);
        var epilogue = new Epilogue(add, bias is null ? 0 : (nint)b.Floats);
        for (int panel = 0, end; panel < panels; panel = end)
        {
            end = panelsAtOnce < panels - panel ? panel + panelsAtOnce : panels;
            if (arePaired) kernels.MultiplyWeights(leftRows, weights, panel, end, resultRows, epilogue);
            else kernels.Multiply(leftRows, weights, panel, end, resultRows, epilogue);
        }
        var result = new float[rows, columns];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) result[row, column] = y.Floats[row * resultStride + column];
        return result;
    }

    private static float[,] Numbers(int address, int rows, int columns)
    {
        var stream = new AddressedRandom(11, RandomPurpose.Verification).Stream(address);
        var numbers = new float[rows, columns];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) numbers[row, column] = (float)(2 * stream.Uniform() - 1);
        return numbers;
    }

    private static float[] Row(float[,] matrix) => [.. matrix.Cast<float>()];

    private static void Round(float[,] matrix)
    {
        for (int row = 0; row < matrix.GetLength(0); row++)
            for (int column = 0; column < matrix.GetLength(1); column++) matrix[row, column] = Bfloat16.ToSingle(Bfloat16.FromSingle(matrix[row, column]));
    }
}
