using System.Buffers;
using System.IO.Compression;
using System.Text.Unicode;

namespace DeepSeekR1.Data;

/// <summary>One line of a file, its end cut off. The bytes are UTF-8 and hold until the next line is read.</summary>
internal readonly record struct FileLine(int Number, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Reads a text file line by line without holding more than one line: plain or gzip (told by its first bytes), with or without byte
/// order mark, lines ended by LF or CRLF. The file is untrusted: the length of a line is bounded and its encoding checked.
/// </summary>
internal static class LineReader
{
    public const int LongestLine = 16 << 20;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="R1Exception">The file cannot be read, a line is too long or is not UTF-8.</exception>
    public static IEnumerable<FileLine> Read(string path, int longestLine = LongestLine)
    {
        using var stream = Open(path);
        byte[] buffer = new byte[Math.Min(1 << 16, longestLine + 1)];
        int start = 0, end = 0, number = 0;
        while (true)
        {
            int length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (length < 0)
            {
                if (end - start > longestLine)
                    throw new R1Exception($"{path}, line {number + 1}: longer than {longestLine >> 20} MiB. Is it a text file with one row a line?");
                MakeRoom(ref buffer, ref start, ref end);
                int read = ReadSome(stream, path, buffer.AsSpan(end));
                end += read;
                if (read > 0) continue;
                if (end > start) yield return Line(path, ++number, buffer.AsMemory(start, end - start));
                yield break;
            }
            yield return Line(path, ++number, buffer.AsMemory(start, length));
            start += length + 1;
        }
    }

    private static Stream Open(string path)
    {
        if (Directory.Exists(path)) throw new R1Exception($"{path} is a folder; expected a data file, such as train.jsonl.");
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            Span<byte> magic = stackalloc byte[2];
            bool isGzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1F, 0x8B];
            file.Position = 0;
            return isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new R1Exception($"{path} does not exist. Check the path of the data file; relative paths start from {Environment.CurrentDirectory}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path} cannot be opened: {e.Message}", e);
        }
    }

    private static int ReadSome(Stream stream, string path, Span<byte> buffer)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new R1Exception($"{path} cannot be read to its end ({e.Message}). Is the file damaged or its download incomplete?", e);
        }
    }

    private static void MakeRoom(ref byte[] buffer, ref int start, ref int end)
    {
        if (end < buffer.Length) return;
        byte[] target = start > 0 ? buffer : new byte[buffer.Length * 2];
        buffer.AsSpan(start, end - start).CopyTo(target);
        (buffer, start, end) = (target, 0, end - start);
    }

    private static FileLine Line(string path, int number, ReadOnlyMemory<byte> bytes)
    {
        if (number == 1 && bytes.Span.StartsWith(ByteOrderMark)) bytes = bytes[ByteOrderMark.Length..];
        if (bytes.Span is [.., (byte)'\r']) bytes = bytes[..^1];
        if (!Utf8.IsValid(bytes.Span))
            throw new R1Exception($"{path}, line {number}: not UTF-8 text (at byte {InvalidByte(bytes.Span) + 1} of the line). Save the file as UTF-8.");
        return new FileLine(number, bytes);
    }

    private static int InvalidByte(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (System.Text.Rune.DecodeFromUtf8(bytes[at..], out _, out int consumed) == OperationStatus.Done) at += consumed;
        return at;
    }
}
