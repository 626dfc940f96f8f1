using System.Text;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>The key-value part of a GGUF file, in the bytes of the format (version 3, little endian).</summary>
internal sealed class GgufMetadata : IDisposable
{
    private readonly MemoryStream _bytes = new();
    private readonly BinaryWriter _writer;

    public GgufMetadata() => _writer = new BinaryWriter(_bytes);

    /// <summary>Keys so far.</summary>
    public ulong Count { get; private set; }

    public void Add(string key, uint value)
    {
        Begin(key, GgufValue.UInt32);
        _writer.Write(value);
    }

    public void Add(string key, float value)
    {
        Begin(key, GgufValue.Float32);
        _writer.Write(value);
    }

    public void Add(string key, bool value)
    {
        Begin(key, GgufValue.Bool);
        _writer.Write(value);
    }

    public void Add(string key, string value)
    {
        Begin(key, GgufValue.Text);
        WriteText(_writer, value);
    }

    public void Add(string key, IReadOnlyCollection<string> values) => AddList(key, GgufValue.Text, values, value => WriteText(_writer, value));

    public void Add(string key, IReadOnlyCollection<int> values) => AddList(key, GgufValue.Int32, values, _writer.Write);

    public void Add(string key, IReadOnlyCollection<float> values) => AddList(key, GgufValue.Float32, values, _writer.Write);

    public void WriteTo(Stream stream)
    {
        _writer.Flush();
        _bytes.WriteTo(stream);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _bytes.Dispose();
    }

    /// <summary>A length in bytes, and the text in UTF-8.</summary>
    public static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private void AddList<T>(string key, GgufValue type, IReadOnlyCollection<T> values, Action<T> write)
    {
        Begin(key, GgufValue.List);
        _writer.Write((uint)type);
        _writer.Write((ulong)values.Count);
        foreach (var value in values) write(value);
    }

    private void Begin(string key, GgufValue type)
    {
        Count++;
        WriteText(_writer, key);
        _writer.Write((uint)type);
    }
}

/// <summary>The numbers that stand for the types of values.</summary>
internal enum GgufValue : uint
{
    UInt8,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    Float32,
    Bool,
    Text,
    List,
    UInt64,
    Int64,
    Float64,
}
