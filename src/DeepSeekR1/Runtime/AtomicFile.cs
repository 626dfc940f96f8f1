using System.Text;

namespace DeepSeekR1.Runtime;

/// <summary>Writes whole files so that a reader, or a crash, finds the old content or the new, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>The ending of a file that is still being written.</summary>
    private const string Aside = ".partial";

    /// <summary>Writes aside, brings it to the disk, and renames over the old file.</summary>
    /// <exception cref="R1Exception">The file cannot be written; the old one stays.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string aside = path + Aside;
        try
        {
            using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{path}: cannot be written: {failure.Message.TrimEnd('.')}. Free space, or write to another place.", failure);
        }
        finally
        {
            // There only where something failed, be it here or in what writes.
            if (File.Exists(aside)) File.Delete(aside);
        }
    }

    /// <summary>Writes a text as UTF-8.</summary>
    /// <exception cref="R1Exception">The file cannot be written; the old one stays.</exception>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
