using DeepSeekR1.Configuration;

namespace DeepSeekR1.Stages;

/// <summary>Models that come inside the library, as Hugging Face folders: <c>embedded:mini-base</c>.</summary>
public static class EmbeddedModels
{
    private const string Scheme = "embedded:", Resources = "models/";

    /// <summary>All names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(EmbeddedModels).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Resources, StringComparison.Ordinal)).Select(name => name.Split('/')[1]).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Where embedded models are unpacked outside a run folder.</summary>
    public static string Cache { get; } = Path.Combine(Path.GetTempPath(), "deepseekr1-models");

    /// <summary>The folder of a model: the path itself, or where an embedded model was unpacked.</summary>
    /// <param name="path">A folder, or <c>embedded:NAME</c>.</param>
    /// <param name="unpackInto">The folder in which embedded models are unpacked.</param>
    /// <exception cref="R1Exception">There is no embedded model of that name, or it cannot be unpacked.</exception>
    public static string Resolve(string path, string unpackInto)
    {
        if (!path.StartsWith(Scheme, StringComparison.Ordinal)) return path;
        string name = path[Scheme.Length..];
        if (!Names.Contains(name)) throw new R1Exception($"There is no embedded model '{name}'; {NearestName.Hint(name, Names)}");
        string folder = Path.Combine(unpackInto, name);
        try
        {
            Directory.CreateDirectory(folder);
            foreach (string resource in typeof(EmbeddedModels).Assembly.GetManifestResourceNames().Where(resource => resource.StartsWith($"{Resources}{name}/", StringComparison.Ordinal)))
            {
                using var content = typeof(EmbeddedModels).Assembly.GetManifestResourceStream(resource)!;
                using var file = File.Create(Path.Combine(folder, resource.Split('/')[2]));
                content.CopyTo(file);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"{folder}: the embedded model '{name}' cannot be unpacked: {failure.Message}", failure);
        }
        return folder;
    }
}
