namespace DeepSeekR1.Configuration;

/// <summary>
/// Reads configs strictly: JSON with comments and trailing commas, camelCase names, kebab-case choices. Later layers win: the
/// record's defaults, then what the file <c>"extends"</c> (an embedded recipe's name, or another file), then the file, then
/// <c>--set</c> arguments. Objects and maps merge key by key (null takes a map's entry away); lists and values are replaced.
/// </summary>
/// <remarks>Every error names the file with line and column, the path of the setting, what was expected and the nearest known name.</remarks>
public static class ConfigReader
{
    private const string Extends = "extends", SchemaReference = "$schema";

    /// <summary>More than any config; a data set given by mistake is not read into memory.</summary>
    private const long LargestFile = 4 << 20;

    /// <summary>The config of a file, or of an embedded recipe, with overrides.</summary>
    /// <typeparam name="T">A record with a parameterless constructor.</typeparam>
    /// <param name="fileOrRecipe">A path, or the name of an embedded recipe; null: the record's defaults.</param>
    /// <param name="overrides"><c>path=value</c> each.</param>
    /// <exception cref="R1Exception">The file cannot be read, or anything in it or in the overrides is not as it should be.</exception>
    public static T Load<T>(string? fileOrRecipe, IEnumerable<string>? overrides = null) where T : class, new() =>
        (T)Bind(typeof(T), fileOrRecipe is null ? Empty : ReadLayers(Locate(fileOrRecipe), []), overrides);

    /// <summary>The config that a text describes.</summary>
    /// <typeparam name="T">A record with a parameterless constructor.</typeparam>
    /// <param name="json">The text.</param>
    /// <param name="name">What messages call the text; a relative path in its <c>"extends"</c> starts at the current folder.</param>
    /// <param name="overrides"><c>path=value</c> each.</param>
    /// <exception cref="R1Exception">Anything in it or in the overrides is not as it should be.</exception>
    public static T Parse<T>(string json, string name, IEnumerable<string>? overrides = null) where T : class, new() =>
        (T)Bind(typeof(T), ReadLayers(new Source(name, null, System.Text.Encoding.UTF8.GetBytes(json)), []), overrides);

    private static ConfigObject Empty => new(new ConfigPosition("defaults"), []);

    private static object Bind(Type type, ConfigObject layers, IEnumerable<string>? overrides)
    {
        foreach (string argument in overrides ?? []) layers = layers.Overlay(ConfigOverride.Parse(argument));
        var binder = new ConfigBinder();
        var config = binder.BindRecord(type, layers);
        ConfigRules.CheckRecord(config, "", binder.Locate);
        return config;
    }

    /// <summary>One text of configuration: its name in messages, its path when it is a file, its bytes.</summary>
    private sealed record Source(string Name, string? File, byte[] Utf8);

    private static ConfigObject ReadLayers(Source source, IReadOnlyList<string> outer)
    {
        if (outer.Contains(source.Name)) throw new R1Exception($"{source.Name}: \"extends\" goes in a circle: {string.Join(" → ", [.. outer, source.Name])}.");
        var node = ConfigParser.Parse(source.Utf8, source.Name);
        if (node is not ConfigObject layer) throw new R1Exception($"{node.Position}: expected an object {{…}}, but found {node.Shown}.");
        layer = layer.Without(SchemaReference);
        if (!layer.Members.TryGetValue(Extends, out var extends)) return layer;
        if (extends.Value is not ConfigScalar { Kind: ScalarKind.Text } below)
            throw ConfigBinder.Error(extends.Value.Position, Extends, $"expected the name of a recipe or a file in quotes, but found {extends.Value.Shown}.");
        return ReadLayers(LocateBelow(below, source), [.. outer, source.Name]).Overlay(layer.Without(Extends));
    }

    private static Source LocateBelow(ConfigScalar extends, Source from)
    {
        string path = Path.Combine(Path.GetDirectoryName(from.File) ?? "", extends.Text);
        if (File.Exists(path)) return ReadFile(path);
        if (EmbeddedRecipes.Read(extends.Text) is { } recipe) return new Source(extends.Text, null, recipe);
        throw ConfigBinder.Error(extends.Position, Extends, $"there is no file '{path}' and no recipe of that name; {NearestName.Hint(extends.Text, EmbeddedRecipes.Names)}");
    }

    private static Source Locate(string fileOrRecipe)
    {
        if (File.Exists(fileOrRecipe)) return ReadFile(fileOrRecipe);
        if (EmbeddedRecipes.Read(fileOrRecipe) is { } recipe) return new Source(fileOrRecipe, null, recipe);
        throw new R1Exception(Directory.Exists(fileOrRecipe)
            ? $"config '{fileOrRecipe}' is a folder; name a JSON file in it."
            : $"config '{fileOrRecipe}': there is no such file and no embedded recipe of that name; {NearestName.Hint(fileOrRecipe, EmbeddedRecipes.Names)}");
    }

    private static Source ReadFile(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            if (length > LargestFile) throw new R1Exception($"config '{path}' has {length:N0} bytes; a config has at most {LargestFile:N0}. Is it a data set?");
            return new Source(path, path, File.ReadAllBytes(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new R1Exception($"config '{path}' cannot be read: {failure.Message}", failure);
        }
    }
}
