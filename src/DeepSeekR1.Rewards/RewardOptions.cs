using System.Globalization;

namespace DeepSeekR1.Rewards;

/// <summary>The options of one reward as written in a config or on a command line. Each may be read once by name; leftovers are errors.</summary>
public sealed class RewardOptions
{
    private readonly string _reward;
    private readonly IReadOnlyDictionary<string, string> _values;
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    internal RewardOptions(string reward, IReadOnlyDictionary<string, string> values)
    {
        _reward = reward;
        _values = new Dictionary<string, string>(values, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A text; null where the option is not given.</summary>
    public string? Text(string option)
    {
        _known.Add(option);
        return _values.GetValueOrDefault(option);
    }

    /// <summary>A number; <paramref name="otherwise"/> where the option is not given.</summary>
    /// <exception cref="FormatException">The value is not a finite number.</exception>
    public double Number(string option, double otherwise) => OptionalNumber(option) ?? otherwise;

    /// <summary>A number; null where the option is not given.</summary>
    /// <exception cref="FormatException">The value is not a finite number.</exception>
    public double? OptionalNumber(string option)
    {
        if (Text(option) is not { } text) return null;
        bool isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);
        return isNumber ? value : throw Wrong(option, text, "a number");
    }

    /// <summary>A whole number that must be given.</summary>
    /// <exception cref="FormatException">The option is absent, or not a whole number.</exception>
    public int RequiredInteger(string option) =>
        Text(option) is null ? throw new FormatException($"reward '{_reward}': option '{option}' is required") : Integer(option, 0);

    /// <summary>A whole number; <paramref name="otherwise"/> where the option is not given.</summary>
    /// <exception cref="FormatException">The value is not a whole number.</exception>
    public int Integer(string option, int otherwise)
    {
        if (Text(option) is not { } text) return otherwise;
        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : throw Wrong(option, text, "a whole number");
    }

    /// <summary><c>true</c> or <c>false</c>; <paramref name="otherwise"/> where the option is not given.</summary>
    /// <exception cref="FormatException">The value is neither.</exception>
    public bool Flag(string option, bool otherwise)
    {
        if (Text(option) is not { } text) return otherwise;
        return bool.TryParse(text, out bool value) ? value : throw Wrong(option, text, "true or false");
    }

    /// <summary>
    /// One of an enum's names, in any case and with or without hyphens (<c>open-r1</c>); <paramref name="otherwise"/> where the option is
    /// not given.
    /// </summary>
    /// <exception cref="FormatException">The value is not one of the names.</exception>
    public T Choice<T>(string option, T otherwise)
        where T : struct, Enum => Text(option) is { } text ? ParseChoice<T>(option, text) : otherwise;

    /// <summary>Several of an enum's names joined by <c>+</c>, in order; <paramref name="otherwise"/> where the option is not given.</summary>
    /// <exception cref="FormatException">A value is not one of the names.</exception>
    public IReadOnlyList<T> Choices<T>(string option, IReadOnlyList<T> otherwise)
        where T : struct, Enum => Text(option) is { } text ? [.. text.Split('+').Select(part => ParseChoice<T>(option, part))] : otherwise;

    internal void RejectUnknown()
    {
        foreach (string option in _values.Keys)
            if (!_known.Contains(option))
                throw new ArgumentException($"reward '{_reward}' has no option '{option}'{Nearest.Hint(option, _known)}");
    }

    private T ParseChoice<T>(string option, string text)
        where T : struct, Enum
    {
        string bare = text.Trim().Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        foreach (string name in Enum.GetNames<T>())
            if (string.Equals(name, bare, StringComparison.OrdinalIgnoreCase)) return Enum.Parse<T>(name);
        throw Wrong(option, text, "one of " + string.Join(", ", Enum.GetNames<T>().Select(Nearest.Kebab)));
    }

    private FormatException Wrong(string option, string text, string expected) =>
        new($"reward '{_reward}': option '{option}' is '{text}', expected {expected}");
}
