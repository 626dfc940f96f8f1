namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The numbers of a panel.</summary>
internal enum PanelType
{
    Float32,
    Bfloat16,
}

/// <summary>
/// A right-hand matrix [inner, columns] cut into panels of one vector's width, each contiguous over the inner dimension: weights
/// (inner = inputs), cached keys (inner = head dimension, columns = positions) and cached values (inner = positions).
/// </summary>
/// <param name="Data">The first panel.</param>
/// <param name="Stride">Bytes from one panel to the next.</param>
/// <param name="Inner">Inner dimension; the panels hold it rounded up to even, the last row zero.</param>
/// <param name="Columns">Columns; the last panel may be partly unused.</param>
/// <param name="Type">What the numbers are.</param>
internal readonly unsafe record struct Panels(nint Data, nint Stride, int Inner, int Columns, PanelType Type);

/// <summary>Rows of a left-hand matrix or of a result, float32.</summary>
/// <param name="Data">The first row.</param>
/// <param name="Stride">Floats from one row to the next.</param>
/// <param name="Count">Number of rows.</param>
internal readonly unsafe record struct Rows(nint Data, nint Stride, int Count)
{
    public float* this[int row] => (float*)Data + row * Stride;
}

/// <summary>What happens to a product before it is stored.</summary>
/// <param name="Add">Adds it to what the result holds, instead of replacing that.</param>
/// <param name="Bias">One number a column to add, or zero for none.</param>
internal readonly record struct Epilogue(bool Add = false, nint Bias = 0);
