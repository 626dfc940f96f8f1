using System.Text.Encodings.Web;
using System.Text.Json;

namespace DeepSeekR1.Telemetry;

/// <summary>A file that grows by one JSON object a line; each line is handed to the system whole.</summary>
internal sealed class JsonLinesLog : IDisposable
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FileStream _file;

    public JsonLinesLog(string path)
    {
        // No buffer: a killed run loses no line that was appended.
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _file.Seek(0, SeekOrigin.End);
    }

    public long Length => _file.Length;

    /// <summary>Appends one object, whose members the action writes.</summary>
    public void Append(Action<Utf8JsonWriter> writeMembers)
    {
        using var line = new MemoryStream();
        using (var writer = new Utf8JsonWriter(line, _options))
        {
            writer.WriteStartObject();
            writeMembers(writer);
            writer.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        Guard(() => _file.Write(line.GetBuffer().AsSpan(0, (int)line.Length)));
    }

    /// <summary>Brings all lines to the disk.</summary>
    public void Sync() => Guard(() => _file.Flush(flushToDisk: true));

    /// <summary>Takes away what was appended after a length.</summary>
    /// <exception cref="R1Exception">The file is shorter than that.</exception>
    public void TruncateTo(long length)
    {
        if (_file.Length < length)
            throw new R1Exception($"'{_file.Name}' has {_file.Length} bytes, but the checkpoint was saved when it had {length}: the file was cut or replaced. Restore it, or begin anew in another --output.");
        Guard(() => _file.SetLength(length));
        _file.Seek(0, SeekOrigin.End);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>JSON has no NaN and no infinity: such a number is written as null.</summary>
    public static void WriteNumber(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) writer.WriteNumber(name, number);
        else writer.WriteNull(name);
    }

    private void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (IOException failure)
        {
            throw new R1Exception($"'{_file.Name}' cannot be written: {failure.Message} Free space, then go on with --resume.", failure);
        }
    }
}
