using System.CommandLine;
using System.Globalization;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli;

/// <summary>Options that several commands share, and parsers whose errors a person understands.</summary>
internal static class Options
{
    public static Option<string?> Config() => new("--config") { Description = $"Config file, or the name of an embedded recipe ({string.Join(", ", EmbeddedRecipes.Names)}).", HelpName = "file" };

    public static Option<string[]> Set() => new("--set")
    {
        Description = "Overrides one setting of the config; may be repeated.",
        HelpName = "path=value",
        Arity = ArgumentArity.ZeroOrMore,
        DefaultValueFactory = _ => [],
    };

    public static Option<Runtime.DeviceChoice?> Device() => Choice<Runtime.DeviceChoice>("--device", "device", "Where to compute");

    public static Option<ulong?> Seed() => Number<ulong>("--seed", "a whole number from 0", "Seed of every random draw.");

    /// <summary>An option whose values are the names of an enumeration.</summary>
    public static Option<T?> Choice<T>(string name, string what, string description) where T : struct, Enum => new(name)
    {
        Description = $"{description}: {string.Join(", ", EnumNames.All<T>())}.",
        HelpName = what,
        CustomParser = result =>
        {
            try
            {
                return EnumNames.Parse<T>(result.Tokens[0].Value, what);
            }
            catch (R1Exception unknown)
            {
                result.AddError(unknown.Message);
                return null;
            }
        },
    };

    /// <summary>An option whose value is a number.</summary>
    public static Option<T?> Number<T>(string name, string expected, string description, Func<T, bool>? isPossible = null) where T : struct, IParsable<T> => new(name)
    {
        Description = description,
        HelpName = "number",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (T.TryParse(text, CultureInfo.InvariantCulture, out var value) && isPossible?.Invoke(value) != false) return value;
            result.AddError($"{name}: expected {expected}, but found '{text}'.");
            return null;
        },
    };
}
