using System.IO.Compression;
using System.Text;

namespace DeepSeekR1.Tests.Data;

/// <summary>A folder for the files of one test, removed with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-data-");

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public string Write(string name, params string[] lines) => Write(name, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(Path(name), bytes);
        return Path(name);
    }

    public string WriteGzip(string name, string text)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return Write(name, memory.ToArray());
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
