namespace DeepSeekR1.Testing;

/// <summary>
/// Where the reference outputs stand: <c>../shared</c> beside the repository. <c>R1_GOLDEN</c> may name another draw of the golden
/// folder. Absent files skip the test with the reason; with <c>CI=true</c> they are required.
/// </summary>
internal static class Reference
{
    private static readonly string _repositoryRoot = FindRepositoryRoot();

    /// <summary>A path inside the repository.</summary>
    public static string Repository(params string[] parts) => Path.Combine([_repositoryRoot, .. parts]);

    /// <summary>A file or folder of golden outputs; skips (or, in CI, fails) the test where it is absent.</summary>
    public static string Golden(params string[] parts)
    {
        string root = Environment.GetEnvironmentVariable("R1_GOLDEN") is { Length: > 0 } other ? other : Repository("..", "shared", "golden");
        return Require(Path.GetFullPath(Path.Combine([root, .. parts])));
    }

    /// <summary>A file of the data folder.</summary>
    public static string Data(params string[] parts) => Require(Path.GetFullPath(Path.Combine([Repository("..", "shared", "data"), .. parts])));

    /// <summary>The folder of SmolLM2-135M-Instruct with its weights unpacked (beside the project, or in the cache where that is read-only).</summary>
    public static string SmolLm2()
    {
        string beside = Path.GetFullPath(Repository("..", "shared", "models", "smollm2-135m-instruct"));
        string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "", ".cache");
        string cached = Path.Combine(cache, "deepseekr1-models", "smollm2-135m-instruct");
        string folder = File.Exists(Path.Combine(beside, "model.safetensors")) ? beside : cached;
        Require(Path.Combine(folder, "model.safetensors"));
        return folder;
    }

    private static string Require(string path)
    {
        bool exists = File.Exists(path) || Directory.Exists(path);
        bool isStandardDraw = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("R1_GOLDEN"));
        if (!exists && Environment.GetEnvironmentVariable("CI") == "true" && isStandardDraw)
            Assert.Fail($"{path} is required in CI and is absent");
        Assert.SkipUnless(exists, $"reference file absent: {path}");
        return path;
    }

    private static string FindRepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DeepSeekR1.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("DeepSeekR1.sln not found above the test's folder");
    }
}
