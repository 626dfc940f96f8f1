using System.Text;

namespace DeepSeekR1.Telemetry;

/// <summary>Writes whole files so that a reader, or a crash, finds the old content or the new, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>Writes aside, brings it to the disk, and renames over the old file.</summary>
    /// <exception cref="R1Exception">The file cannot be written; nothing half-written stays.</exception>
    public static void Write(string path, string text)
    {
        string aside = path + ".tmp";
        try
        {
            using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                stream.Write(Encoding.UTF8.GetBytes(text));
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            DeleteQuietly(aside);
            throw new R1Exception($"'{path}' cannot be written: {failure.Message} Free space or choose another --output, then go on with --resume.", failure);
        }
    }

    /// <summary>What could not be written may not be deletable either; the failure to write is the one to tell.</summary>
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            System.Diagnostics.Debug.WriteLine(failure);
        }
    }
}
