namespace DeepSeekR1.Vectors;

/// <summary>
/// The vector operations that the kernels are written in, once for every width. Implementations are empty structs, so that the JIT
/// compiles each kernel per width with every call inlined.
/// </summary>
/// <typeparam name="TVector">Lanes of float32.</typeparam>
internal unsafe interface ISimd<TVector> where TVector : unmanaged
{
    /// <summary>Lanes of one vector.</summary>
    static abstract int Width { get; }

    /// <summary>Vector registers that the machine has; decides how large a tile of accumulators is held in them.</summary>
    static abstract int Registers { get; }

    static abstract TVector Create(float value);
    static abstract TVector Load(float* source);
    static abstract void Store(TVector value, float* destination);
    static abstract TVector Add(TVector a, TVector b);
    static abstract TVector Subtract(TVector a, TVector b);
    static abstract TVector Multiply(TVector a, TVector b);
    static abstract TVector Divide(TVector a, TVector b);
    static abstract TVector Max(TVector a, TVector b);
    static abstract TVector Min(TVector a, TVector b);

    /// <summary>a * b + c.</summary>
    static abstract TVector FusedMultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The lanes of <paramref name="value"/> where <paramref name="a"/> is not less than <paramref name="b"/>, zero elsewhere.</summary>
    static abstract TVector ZeroWhereLess(TVector a, TVector b, TVector value);

    static abstract TVector Round(TVector value);

    /// <summary>2^n for lanes that hold integers n in [-126, 127].</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    static abstract float Sum(TVector value);
    static abstract float MaxLane(TVector value);

    /// <summary>Each 32-bit lane holds two bfloat16 numbers: the one in the lower half is even, the one in the upper half odd.</summary>
    static abstract void LoadBfloat16Pairs(uint* source, out TVector even, out TVector odd);
}
