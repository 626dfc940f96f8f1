namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>The numbers of a panel.</summary>
internal enum PanelType
{
    Float32,
    Bfloat16,
}

/// <summary>
/// A right-hand matrix [inner, columns] cut into panels of one vector's width: weights (inner = inputs), cached keys (inner = head
/// dimension, columns = positions) and cached values (inner = positions). A panel holds two rows of the inner dimension at a time.
/// Several panels may go together: two rows of the one, then two of the next, so that what is multiplied together is read as one stream.
/// </summary>
/// <param name="Data">The first panel.</param>
/// <param name="Stride">Bytes of a panel.</param>
/// <param name="Inner">Inner dimension; the panels hold it rounded up to even, the last row zero.</param>
/// <param name="Columns">Columns; the last panel may be partly unused.</param>
/// <param name="Type">What the numbers are.</param>
/// <param name="Together">How many panels go together; there is memory for a multiple of it.</param>
internal readonly unsafe record struct Panels(nint Data, nint Stride, int Inner, int Columns, PanelType Type, int Together = 1)
{
    /// <summary>Where a panel begins.</summary>
    /// <param name="panel">Its number.</param>
    /// <param name="pairBytes">Bytes of two inner rows of a panel.</param>
    public byte* this[int panel, int pairBytes] => (byte*)Data + panel / Together * Together * Stride + panel % Together * pairBytes;

    /// <summary>Bytes from two inner rows of a panel to its next two.</summary>
    public nint Step(int pairBytes) => Together * pairBytes;
}

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
