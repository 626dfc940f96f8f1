using System.Text;

namespace DeepSeekR1.Configuration;

/// <summary>One <c>--set path=value</c> argument: <c>zero.steps=100</c>, <c>zero.rewards={"accuracy": 1}</c>.</summary>
internal static class ConfigOverride
{
    /// <summary>The argument as a nest of objects that is laid over the configuration like a file.</summary>
    /// <exception cref="R1Exception">There is no '=', or a part of the path is empty.</exception>
    public static ConfigObject Parse(string argument)
    {
        string source = $"--set {argument}";
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        string[] path = equals < 0 ? [] : argument[..equals].Trim().Split('.');
        if (path.Length == 0 || path.Any(string.IsNullOrWhiteSpace))
            throw new R1Exception($"{source}: expected path=value, for example --set zero.steps=100.");

        var node = ParseValue(argument[(equals + 1)..].Trim(), source);
        foreach (string name in path.Reverse()) node = Nest(name, node);
        return (ConfigObject)node;
    }

    private static ConfigNode ParseValue(string value, string source) =>
        value is ['{' or '[' or '"', ..]
            ? AtSource(ConfigParser.Parse(Encoding.UTF8.GetBytes(value), source), source)
            : new ConfigScalar(new ConfigPosition(source), ScalarKind.Argument, value);

    private static ConfigObject Nest(string name, ConfigNode value) =>
        new(value.Position, new OrderedDictionary<string, ConfigMember> { [name] = new ConfigMember(value.Position, value) });

    /// <summary>Lines and columns mean nothing within an argument.</summary>
    private static ConfigNode AtSource(ConfigNode node, string source)
    {
        var position = new ConfigPosition(source);
        return node switch
        {
            ConfigObject named => new ConfigObject(position, new OrderedDictionary<string, ConfigMember>(named.Members.Select(
                member => KeyValuePair.Create(member.Key, new ConfigMember(position, AtSource(member.Value.Value, source)))))),
            ConfigList list => new ConfigList(position, [.. list.Items.Select(item => AtSource(item, source))]),
            _ => node with { Position = position },
        };
    }
}
