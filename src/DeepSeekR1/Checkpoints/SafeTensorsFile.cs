using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using TorchSharp;
using static TorchSharp.torch;

namespace DeepSeekR1.Checkpoints;

/// <summary>
/// An open SafeTensors file. Tensors are read straight into their own memory, so that loading holds no second copy, and a file that
/// shrinks meanwhile is an error, not the end of the process (as it would be with a memory map).
/// </summary>
public sealed class SafeTensorsFile : IDisposable
{
    /// <summary>What is read at a time where a dtype is converted or a device filled: small beside a model, large beside a disk block.</summary>
    private const long ChunkElements = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly SafeTensorsHeader _header;

    private SafeTensorsFile(string path, SafeFileHandle handle, SafeTensorsHeader header) => (Path, _handle, _header) = (path, handle, header);

    /// <summary>Where it stands.</summary>
    public string Path { get; }

    /// <summary>Every tensor, by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _header.Tensors;

    /// <summary>The strings of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file and checks its header against its size.</summary>
    /// <exception cref="R1Exception">The file is missing, unreadable, or not a valid SafeTensors file.</exception>
    public static SafeTensorsFile Open(string path)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path);
            return new SafeTensorsFile(path, handle, SafeTensorsHeader.Read(handle, path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            handle?.Dispose();
            throw new R1Exception($"{path}: cannot be read: {error.Message}", error);
        }
        catch
        {
            handle?.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor into new memory.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dtype">What to convert to; null keeps the file's.</param>
    /// <param name="device">Where to put it; null is the CPU.</param>
    /// <param name="requireFinite">Refuse NaN and infinity in floating-point tensors.</param>
    /// <returns>A contiguous tensor that the caller owns.</returns>
    /// <exception cref="R1Exception">No such tensor; or not finite; or the file cannot be read.</exception>
    public Tensor Read(string name, ScalarType? dtype = null, Device? device = null, bool requireFinite = false)
    {
        if (!Tensors.TryGetValue(name, out var entry)) throw new R1Exception($"{Path}: lacks tensor {name}.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var target = empty(entry.Shape.ToArray(), dtype ?? entry.Dtype, device ?? CPU);
        using var flat = target.view(-1);
        bool direct = target.dtype == entry.Dtype && target.device_type == DeviceType.CPU;
        for (long start = 0; start < entry.Elements; start += ChunkElements)
        {
            using var chunkScope = NewDisposeScope();
            long count = Math.Min(ChunkElements, entry.Elements - start);
            var destination = flat.narrow(0, start, count);
            var chunk = direct ? destination : empty([count], entry.Dtype);
            FillFromFile(chunk.bytes, entry, start);
            if (requireFinite) CheckFinite(chunk.bytes, entry, start);
            if (!direct) destination.copy_(chunk);
        }
        return target.MoveToOuterDisposeScope();
    }

    /// <summary>Reads a part of a floating-point tensor as float32, without LibTorch.</summary>
    /// <exception cref="R1Exception">A number is not finite; or the file cannot be read.</exception>
    internal void ReadFloats(TensorEntry entry, long firstElement, Span<float> numbers)
    {
        int size = SafeTensorsDtype.Size(entry.Dtype);
        byte[] rented = ArrayPool<byte>.Shared.Rent(numbers.Length * size);
        try
        {
            var bytes = rented.AsSpan(0, numbers.Length * size);
            FillFromFile(bytes, entry, firstElement);
            CheckFinite(bytes, entry, firstElement);
            SafeTensorsDtype.ToFloats(entry.Dtype, bytes, numbers);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private void FillFromFile(Span<byte> bytes, TensorEntry entry, long firstElement)
    {
        long offset = entry.Offset + firstElement * SafeTensorsDtype.Size(entry.Dtype);
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0) throw new R1Exception($"{Path}: the file ended at byte {offset} while tensor {entry.Name} was read; it changed after it was opened.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    private void CheckFinite(ReadOnlySpan<byte> bytes, TensorEntry entry, long firstElement)
    {
        int bad = entry.Dtype switch
        {
            ScalarType.Float64 => FirstNotFinite<ulong>(MemoryMarshal.Cast<byte, ulong>(bytes), 0x7FF0_0000_0000_0000),
            ScalarType.Float32 => FirstNotFinite<uint>(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u),
            ScalarType.BFloat16 => FirstNotFinite<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7F80),
            ScalarType.Float16 => FirstNotFinite<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7C00),
            _ => -1,
        };
        if (bad < 0) return;
        bool isNaN = entry.Dtype switch
        {
            ScalarType.Float64 => double.IsNaN(MemoryMarshal.Cast<byte, double>(bytes)[bad]),
            ScalarType.Float32 => float.IsNaN(MemoryMarshal.Cast<byte, float>(bytes)[bad]),
            ScalarType.BFloat16 => (MemoryMarshal.Cast<byte, ushort>(bytes)[bad] & 0x7F) != 0,
            _ => Half.IsNaN(MemoryMarshal.Cast<byte, Half>(bytes)[bad]),
        };
        throw new R1Exception($"{Path}: tensor {entry.Name} holds {(isNaN ? "NaN" : "infinity")} (first index {firstElement + bad}); the weights are damaged.");
    }

    /// <summary>Index of the first number whose exponent bits are all ones, which is NaN or infinity; -1 where there is none.</summary>
    private static int FirstNotFinite<T>(ReadOnlySpan<T> values, T exponentMask) where T : unmanaged, IBinaryInteger<T>
    {
        int i = 0;
        var mask = new Vector<T>(exponentMask);
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
            if (Vector.EqualsAny(new Vector<T>(values[i..]) & mask, mask)) break;
        for (; i < values.Length; i++)
            if ((values[i] & exponentMask) == exponentMask) return i;
        return -1;
    }
}
