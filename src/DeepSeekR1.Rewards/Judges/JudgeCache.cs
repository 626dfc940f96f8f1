namespace DeepSeekR1.Rewards;

/// <summary>Answers on disk, one file each, named by a digest of the question. A file is there whole or not at all.</summary>
internal sealed class JudgeCache(string folder)
{
    private int _writes;

    public string? Find(string key)
    {
        string file = FileOf(key);
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }

    public void Keep(string key, string answer)
    {
        string file = FileOf(key);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        string aside = $"{file}.{Environment.ProcessId}-{Interlocked.Increment(ref _writes)}.part";
        File.WriteAllText(aside, answer);
        File.Move(aside, file, overwrite: true);
    }

    private string FileOf(string key) => Path.Combine(folder, key[..2], $"{key}.json");
}
