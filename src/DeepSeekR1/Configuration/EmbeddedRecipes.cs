namespace DeepSeekR1.Configuration;

/// <summary>The recipes that come inside the library, by name: <c>mini</c> is <c>configs/mini.json</c>.</summary>
public static class EmbeddedRecipes
{
    private const string Folder = "configs/", Extension = ".json", Schema = "schema";

    /// <summary>All names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(EmbeddedRecipes).Assembly.GetManifestResourceNames()
            .Where(resource => resource.StartsWith(Folder, StringComparison.Ordinal) && resource.EndsWith(Extension, StringComparison.Ordinal))
            .Select(resource => resource[Folder.Length..^Extension.Length])
            .Where(name => name != Schema)
            .Order(StringComparer.Ordinal)];

    /// <summary>The text (UTF-8) of a recipe; null when there is none of this name.</summary>
    internal static byte[]? Read(string name)
    {
        if (!Names.Contains(name)) return null;
        using var resource = typeof(EmbeddedRecipes).Assembly.GetManifestResourceStream(Folder + name + Extension)!;
        var text = new byte[resource.Length];
        resource.ReadExactly(text);
        return text;
    }
}
