using System.Diagnostics;
using System.Text;

namespace DeepSeekR1.Rewards;

/// <summary>A process in the sandbox that is talked to line by line. Disposing it ends it and everything in its box.</summary>
internal sealed class BoxedProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HandedFiles _handed;
    private readonly int _maxBytes;
    private readonly byte[] _buffer = new byte[16_384];
    private int _from, _until, _read;

    /// <param name="process">The shell that becomes the box.</param>
    /// <param name="handed">Files that it opens; they are freed with it.</param>
    /// <param name="maxBytes">What it may write.</param>
    public BoxedProcess(Process process, HandedFiles handed, int maxBytes) => (_process, _handed, _maxBytes) = (process, handed, maxBytes);

    /// <summary>Sends a line. A process that has ended does not hear it.</summary>
    public async Task WriteLineAsync(string line, CancellationToken cancellationToken)
    {
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken).ConfigureAwait(false);
            await _process.StandardInput.BaseStream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Its silence says the same.
        }
    }

    /// <summary>Sends a text and says that there is no more.</summary>
    public async Task WriteAllAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A program need not read its input.
        }
    }

    /// <summary>The next line without its end; null when there is none any more, or it has written more than it may.</summary>
    public async Task<byte[]?> ReadLineAsync(CancellationToken cancellationToken)
    {
        using var line = new MemoryStream();
        while (true)
        {
            int end = _buffer.AsSpan(_from, _until - _from).IndexOf((byte)'\n');
            line.Write(_buffer, _from, end < 0 ? _until - _from : end);
            if (end >= 0)
            {
                _from += end + 1;
                return line.ToArray();
            }
            if (!await FillAsync(cancellationToken).ConfigureAwait(false)) return null;
        }
    }

    /// <summary>All that it writes until its end; null where that is more than it may write.</summary>
    public async Task<byte[]?> ReadAllAsync(CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        while (await FillAsync(cancellationToken).ConfigureAwait(false)) all.Write(_buffer, _from, _until - _from);
        return _read > _maxBytes ? null : all.ToArray();
    }

    /// <summary>How it ended.</summary>
    public async Task<int> ExitCodeAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>What it complained about, shortened; to be asked after its end.</summary>
    public async Task<string> ComplaintAsync(CancellationToken cancellationToken)
    {
        char[] text = new char[400];
        int length = await _process.StandardError.ReadBlockAsync(text, cancellationToken).ConfigureAwait(false);
        return new string(text, 0, length).Trim();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // The box's first process is a child of this one and asked to die with it; with it dies all else in its namespace.
            if (!_process.HasExited) _process.Kill();
            await _process.WaitForExitAsync().ConfigureAwait(false);
        }
        finally
        {
            _process.Dispose();
            _handed.Dispose();
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        (_from, _until) = (0, 0);
        if (_read > _maxBytes) return false;
        _until = await _process.StandardOutput.BaseStream.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false);
        _read += _until;
        return _until > 0 && _read <= _maxBytes;
    }
}
