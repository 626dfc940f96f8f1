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
    private readonly Task<string> _complaint;
    private int _from, _until, _read;
    private bool _hasStarted;

    /// <param name="process">The shell that becomes the box.</param>
    /// <param name="handed">Files that it opens; they are freed with it.</param>
    /// <param name="maxBytes">What it may write.</param>
    public BoxedProcess(Process process, HandedFiles handed, int maxBytes)
    {
        (_process, _handed, _maxBytes) = (process, handed, maxBytes);
        _complaint = ReadComplaintAsync();
    }

    /// <summary>Waits until the box stands and its program begins; from then on the program answers for what happens.</summary>
    /// <exception cref="SandboxException">The box did not come up.</exception>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (await ReadLineAsync(cancellationToken).ConfigureAwait(false) is null) throw Sandbox.Refused(await _complaint.WaitAsync(cancellationToken).ConfigureAwait(false));
        _hasStarted = true;
    }

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
        all.Write(_buffer, _from, _until - _from);
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
    public Task<string> ComplaintAsync(CancellationToken cancellationToken) => _complaint.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // A box that stands dies with its first process; before that its parts are ended one by one.
            if (!_process.HasExited) _process.Kill(entireProcessTree: !_hasStarted);
            await _process.WaitForExitAsync().ConfigureAwait(false);
            await _complaint.ConfigureAwait(false);
        }
        finally
        {
            _process.Dispose();
            _handed.Dispose();
        }
    }

    /// <summary>Keeps the beginning and reads on, so that a program that complains much is not held up.</summary>
    private async Task<string> ReadComplaintAsync()
    {
        const int Kept = 400;
        char[] text = new char[Kept], rest = new char[Kept];
        int length = await _process.StandardError.ReadBlockAsync(text.AsMemory()).ConfigureAwait(false);
        while (await _process.StandardError.ReadAsync(rest.AsMemory()).ConfigureAwait(false) > 0)
        {
            // Nobody reads more than the beginning.
        }
        return new string(text, 0, length).Trim();
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
