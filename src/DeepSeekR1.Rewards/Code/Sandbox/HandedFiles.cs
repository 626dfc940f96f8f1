namespace DeepSeekR1.Rewards;

/// <summary>
/// Contents that a shell is handed as open files without a name, so that nothing is left behind whatever happens. They must live until the
/// shell has opened them.
/// </summary>
internal sealed class HandedFiles : IDisposable
{
    /// <summary>Shells take one digit.</summary>
    private const int HighestNumber = 9, LowestNumber = 3;

    private readonly List<FileStream> _files = [];

    /// <summary>Redirections that open them, for the end of a shell command.</summary>
    public string Redirections => string.Concat(_files.Select((file, i) => $" {HighestNumber - i}</proc/{Environment.ProcessId}/fd/{file.SafeFileHandle.DangerousGetHandle()}"));

    /// <summary>Hands a content.</summary>
    /// <returns>The number under which the shell's program finds it.</returns>
    public int Add(byte[] content)
    {
        if (_files.Count > HighestNumber - LowestNumber) throw new InvalidOperationException("a shell is handed at most seven files");
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, content);
        _files.Add(File.OpenRead(path));
        File.Delete(path);
        return HighestNumber - _files.Count + 1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }
}
