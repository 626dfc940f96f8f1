using System.Security.Cryptography;
using System.Text.Json;
using DeepSeekR1.Runtime;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Stages;

/// <summary>What a stage was when it was saved.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Seconds">Time that the stage has taken so far.</param>
/// <param name="Logs">Lengths of the run's growing files.</param>
/// <param name="Digests">SHA-256 of every file beside this one, by name.</param>
internal sealed record StageMark(int Step, double Seconds, LogLengths Logs, IReadOnlyDictionary<string, string> Digests)
{
    /// <summary>The best evaluation so far; null where none is kept.</summary>
    public BestModel? Best { get; init; }

    /// <summary>Evaluations so far that were compared.</summary>
    public int Evaluations { get; init; }
}

/// <summary>The best evaluation of a stage.</summary>
/// <param name="Step">Steps done then.</param>
/// <param name="Evaluation">Which of the evaluations it was, from 1.</param>
/// <param name="Worth">What it was worth.</param>
internal sealed record BestModel(int Step, int Evaluation, double Worth);

/// <summary>
/// The folder of one stage: <c>checkpoint-N</c> while it runs, <c>model</c> when it is done. Each is written aside and renamed when it
/// is whole and on the disk, so that a folder of that name is complete; digests tell damage afterwards.
/// </summary>
internal sealed class StageCheckpoints(string folder, int keep)
{
    private const string Prefix = "checkpoint-", Final = "model", Best = "best", MarkFile = "stage.json", Aside = ".part";

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, IncludeFields = true };

    /// <summary>Where the finished stage's model stands.</summary>
    public string FinalFolder => Path.Combine(folder, Final);

    /// <summary>Where the model of the best evaluation stands while the stage runs.</summary>
    public string BestFolder => Path.Combine(folder, Best);

    /// <summary>What the stage was when it ended; null while it has not.</summary>
    public StageMark? Finished() => Directory.Exists(FinalFolder) ? Read(FinalFolder) : null;

    /// <summary>The newest checkpoint that is whole; null when there is none.</summary>
    /// <param name="warn">Told of damaged ones.</param>
    public (string Folder, StageMark Mark)? Newest(Action<string> warn)
    {
        foreach (string candidate in All().Reverse())
            try
            {
                return (candidate, Read(candidate));
            }
            catch (R1Exception damaged)
            {
                warn($"{damaged.Message} The checkpoint before it is taken.");
            }
        return null;
    }

    /// <summary>Writes <c>checkpoint-N</c> and deletes the oldest beyond those that are kept.</summary>
    public void Save(StageMark mark, Action<string> write)
    {
        Write(Path.Combine(folder, $"{Prefix}{mark.Step}"), mark, write);
        foreach (string old in All().SkipLast(keep)) Directory.Delete(old, recursive: true);
    }

    /// <summary>Writes the model of the best evaluation in place of the one before.</summary>
    public void SaveBest(Action<string> write) => Write(BestFolder, new StageMark(0, 0, default, new Dictionary<string, string>()), write);

    /// <summary>Writes the finished model; the checkpoints have served.</summary>
    public void Finish(StageMark mark, Action<string> write)
    {
        Write(FinalFolder, mark, write);
        if (Directory.Exists(BestFolder)) Directory.Delete(BestFolder, recursive: true);
        foreach (string old in All()) Directory.Delete(old, recursive: true);
    }

    private IEnumerable<string> All() => !Directory.Exists(folder) ? [] : Directory.EnumerateDirectories(folder, Prefix + "*")
        .Where(path => int.TryParse(Path.GetFileName(path)[Prefix.Length..], out _))
        .OrderBy(path => int.Parse(Path.GetFileName(path)[Prefix.Length..], System.Globalization.CultureInfo.InvariantCulture));

    private static void Write(string path, StageMark mark, Action<string> write)
    {
        string aside = path + Aside;
        try
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            Directory.CreateDirectory(aside);
            write(aside);
            var digests = Directory.EnumerateFiles(aside, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToDictionary(file => Path.GetRelativePath(aside, file), Digest);
            AtomicFile.WriteText(Path.Combine(aside, MarkFile), JsonSerializer.Serialize(mark with { Digests = digests }, _indented));
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            Directory.Move(aside, path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or R1Exception)
        {
            // What was written so far would only take the room that is missing.
            TryDelete(aside);
            var cause = failure.InnerException is IOException or UnauthorizedAccessException ? failure.InnerException : failure;
            if (cause is R1Exception) throw;
            throw new R1Exception($"{path}: the checkpoint cannot be written: {cause.Message} Free space or permissions, then go on with --resume.", failure);
        }
    }

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to tell.
        }
    }

    private static StageMark Read(string path)
    {
        string file = Path.Combine(path, MarkFile);
        try
        {
            var mark = JsonSerializer.Deserialize<StageMark>(File.ReadAllBytes(file), _indented) ?? throw new JsonException("it is null");
            foreach (var (name, digest) in mark.Digests)
                if (Digest(Path.Combine(path, name)) != digest)
                    throw new R1Exception($"{Path.Combine(path, name)} is damaged: its SHA-256 is not the one in {MarkFile}.");
            return mark;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new R1Exception($"{file} is damaged: {failure.Message}", failure);
        }
    }

    private static string Digest(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
