using System.Buffers.Binary;
using System.Text;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Tests.Checkpoints;

/// <summary>Damages the header of a SafeTensors file: bytes, lengths, numbers, nesting, cuts.</summary>
internal static class HeaderMutation
{
    private static readonly string[] _numbers = ["-1", "0", "1e400", "9223372036854775807", "18446744073709551616", "4611686018427387920", "1.5", "null", "\"8\"", "[]"];
    private static readonly string[] _fragments = ["{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "null", "[[[[[[[[[[[[[[[[", "\"dtype\":\"F7\",", "\"__metadata__\":{},"];

    public static byte[] Apply(byte[] file, AddressedStream random)
    {
        byte[] copy = [.. file];
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(copy);
        return random.Next(6) switch
        {
            0 => FlipBytes(copy, length, random),
            1 => SetLength(copy, random),
            2 => copy[..random.Next(copy.Length)],
            3 => Rewrite(copy, length, header => ReplaceNumber(header, random)),
            4 => Rewrite(copy, length, header => header.Insert(random.Next(header.Length), random.Pick(_fragments))),
            _ => Rewrite(copy, length, header => header.Remove(random.Next(header.Length - 8), 1 + random.Next(8))),
        };
    }

    private static byte[] FlipBytes(byte[] file, int length, AddressedStream random)
    {
        for (int count = 1 + random.Next(4); count > 0; count--) file[8 + random.Next(length)] = (byte)random.Next(256);
        return file;
    }

    private static byte[] SetLength(byte[] file, AddressedStream random)
    {
        file[random.Next(8)] = (byte)random.Next(256);
        return file;
    }

    private static string ReplaceNumber(string header, AddressedStream random)
    {
        int start = header.IndexOfAny([.. "0123456789"], random.Next(header.Length / 2));
        int end = start;
        while (char.IsDigit(header[end])) end++;
        return header[..start] + random.Pick(_numbers) + header[end..];
    }

    private static byte[] Rewrite(byte[] file, int length, Func<string, string> change)
    {
        byte[] header = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(file.AsSpan(8, length))));
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        return [.. prefix, .. header, .. file[(8 + length)..]];
    }
}
