namespace DeepSeekR1.Checkpoints;

/// <summary>Files that are whole or absent: written aside, flushed to the disk, renamed.</summary>
internal static class AtomicFile
{
    /// <summary>The ending of a file that is still being written.</summary>
    private const string Aside = ".partial";

    /// <exception cref="R1Exception">The file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string aside = path + Aside;
        try
        {
            using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path}: cannot be written: {error.Message}", error);
        }
    }

    /// <exception cref="R1Exception">The file cannot be written.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
