namespace DeepSeekR1.Configuration;

/// <summary>Where a setting was written: a file with line and column (1-based), or a <c>--set</c> argument.</summary>
internal readonly record struct ConfigPosition(string Source, int Line = 0, int Column = 0)
{
    public override string ToString() => Line == 0 ? Source : $"{Source}({Line},{Column})";
}

/// <summary>A piece of configuration as written, before it has a type; each piece knows where it came from.</summary>
internal abstract record ConfigNode(ConfigPosition Position)
{
    /// <summary>The node as an error message shows it.</summary>
    public abstract string Shown { get; }
}

/// <summary>Named settings, in the order in which they were written.</summary>
internal sealed record ConfigObject(ConfigPosition Position, OrderedDictionary<string, ConfigMember> Members) : ConfigNode(Position)
{
    public override string Shown => "an object {…}";

    /// <summary>This object with another laid over it: objects merge key by key, everything else is replaced.</summary>
    public ConfigObject Overlay(ConfigObject over)
    {
        var members = new OrderedDictionary<string, ConfigMember>(Members);
        foreach (var (name, member) in over.Members)
        {
            bool bothAreObjects = member.Value is ConfigObject && members.TryGetValue(name, out var below) && below.Value is ConfigObject;
            members[name] = bothAreObjects
                ? member with { Value = ((ConfigObject)members[name].Value).Overlay((ConfigObject)member.Value) }
                : member;
        }
        return new ConfigObject(over.Position, members);
    }

    /// <summary>This object without one member.</summary>
    public ConfigObject Without(string name)
    {
        var members = new OrderedDictionary<string, ConfigMember>(Members);
        members.Remove(name);
        return this with { Members = members };
    }
}

/// <summary>The value of a named setting, and where the name stands.</summary>
internal sealed record ConfigMember(ConfigPosition NamePosition, ConfigNode Value);

/// <summary>A list of values.</summary>
internal sealed record ConfigList(ConfigPosition Position, IReadOnlyList<ConfigNode> Items) : ConfigNode(Position)
{
    public override string Shown => "a list […]";
}

/// <summary>What kind of single value was written.</summary>
internal enum ScalarKind
{
    Null,
    True,
    False,
    Number,
    Text,
    /// <summary>The bare value of a <c>--set</c> argument: the setting's type decides what it is.</summary>
    Argument,
}

/// <summary>A single value; <paramref name="Text"/> is its spelling (of a string: its content).</summary>
internal sealed record ConfigScalar(ConfigPosition Position, ScalarKind Kind, string Text) : ConfigNode(Position)
{
    public bool IsNull => Kind == ScalarKind.Null || (Kind == ScalarKind.Argument && Text == "null");

    public bool IsText => Kind is ScalarKind.Text or ScalarKind.Argument;

    public bool IsNumber => Kind is ScalarKind.Number or ScalarKind.Argument;

    public override string Shown => Kind switch
    {
        ScalarKind.Text => $"\"{Shorten(Text)}\"",
        ScalarKind.Argument => $"'{Shorten(Text)}'",
        _ => Shorten(Text),
    };

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
