namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>A tensor on its way into a GGUF file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Type">What its numbers become.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="ReadRow">Fills the numbers of a row, which is as wide as the innermost dimension.</param>
internal sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, Action<long, Span<float>> ReadRow)
{
    public int RowWidth => (int)Shape[^1];

    public long Rows => Shape.Take(Shape.Count - 1).Aggregate(1L, (product, dimension) => product * dimension);

    public long Bytes => Rows * GgufEncoding.BytesOf(Type, RowWidth);
}

/// <summary>
/// The GGUF container, version 3: header, metadata, descriptions of all tensors, then their data, each at a multiple of 32 bytes.
/// Tensors are written row by row, so that memory does not grow with the model.
/// </summary>
internal static class GgufWriter
{
    public const uint Magic = 0x46554747, Version = 3;

    /// <summary>Where <c>general.alignment</c> is not given.</summary>
    public const int Alignment = 32;

    public static void Write(Stream stream, GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write(metadata.Count);
        writer.Flush();
        metadata.WriteTo(stream);
        WriteDescriptions(writer, tensors);
        writer.Flush();
        Pad(stream, stream.Position);
        foreach (var tensor in tensors) WriteData(stream, tensor);
    }

    private static void WriteDescriptions(BinaryWriter writer, IReadOnlyList<GgufTensor> tensors)
    {
        long offset = 0;
        foreach (var tensor in tensors)
        {
            GgufMetadata.WriteText(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Count);
            foreach (long dimension in tensor.Shape.Reverse()) writer.Write((ulong)dimension);
            writer.Write(GgufEncoding.TensorCode(tensor.Type));
            writer.Write((ulong)offset);
            offset += tensor.Bytes + Padding(tensor.Bytes);
        }
    }

    private static void WriteData(Stream stream, GgufTensor tensor)
    {
        var row = new float[tensor.RowWidth];
        var bytes = new byte[GgufEncoding.BytesOf(tensor.Type, row.Length)];
        for (long i = 0; i < tensor.Rows; i++)
        {
            tensor.ReadRow(i, row);
            GgufEncoding.Encode(tensor.Type, row, bytes);
            stream.Write(bytes);
        }
        Pad(stream, tensor.Bytes);
    }

    private static long Padding(long bytes) => -bytes & (Alignment - 1);

    private static void Pad(Stream stream, long bytes) => stream.Write(stackalloc byte[(int)Padding(bytes)]);
}
