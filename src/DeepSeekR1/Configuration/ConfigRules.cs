using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace DeepSeekR1.Configuration;

/// <summary>What types cannot say: ranges of numbers, and combinations that a record itself calls impossible.</summary>
public static class ConfigRules
{
    /// <summary>Checks a record that was made in code, with all records inside it.</summary>
    /// <param name="config">The record.</param>
    /// <param name="name">What the message calls it.</param>
    /// <exception cref="R1Exception">A number lies outside its range, or a combination is impossible.</exception>
    public static void Check(object config, string name) => CheckRecord(config, "", _ => new ConfigPosition(name));

    internal static void CheckRecord(object record, string path, Func<string, ConfigPosition?> locate)
    {
        foreach (var property in ConfigProperty.Of(record.GetType()))
            CheckValue(property.GetValue(record), ConfigShape.Of(property.Type), property.Range, ConfigBinder.Join(path, property.Name), locate);
        if (record is not IValidatedConfig validated) return;
        foreach (var problem in validated.Validate())
        {
            string at = ConfigBinder.Join(path, ConfigProperty.NameOf(problem.Property));
            throw ConfigBinder.Error(locate(at), at, problem.Message + ".");
        }
    }

    private static void CheckValue(object? value, ConfigShape shape, RangeAttribute? range, string path, Func<string, ConfigPosition?> locate)
    {
        if (value is null) return;
        switch (shape.Kind)
        {
            case ConfigKind.Integer or ConfigKind.Number when range is not null:
                CheckRange((IConvertible)value, range, path, locate);
                break;
            case ConfigKind.Record:
                CheckRecord(value, path, locate);
                break;
            case ConfigKind.List:
                int index = 0;
                foreach (object? item in (IEnumerable)value) CheckValue(item, ConfigShape.Of(shape.Element!), range, $"{path}[{index++}]", locate);
                break;
            case ConfigKind.Map:
                foreach (var (name, entry) in ConfigBinder.Entries((IEnumerable)value))
                    CheckValue(entry, ConfigShape.Of(shape.Element!), range, ConfigBinder.Join(path, name), locate);
                break;
        }
    }

    private static void CheckRange(IConvertible value, RangeAttribute range, string path, Func<string, ConfigPosition?> locate)
    {
        double number = value.ToDouble(CultureInfo.InvariantCulture);
        var (least, most) = (Bound(range.Minimum), Bound(range.Maximum));
        bool isHighEnough = range.MinimumIsExclusive ? number > least : number >= least;
        bool isLowEnough = range.MaximumIsExclusive ? number < most : number <= most;
        if (isHighEnough && isLowEnough) return;
        string lower = $"{(range.MinimumIsExclusive ? "more than" : "at least")} {least}", upper = $"{(range.MaximumIsExclusive ? "less than" : "at most")} {most}";
        string expected = !IsBounded(most) ? lower : !IsBounded(least) ? upper : $"{lower} and {upper}";
        throw ConfigBinder.Error(locate(path), path, $"must be {expected}, but is {value.ToString(CultureInfo.InvariantCulture)}.");
    }

    internal static double Bound(object bound) => Convert.ToDouble(bound, CultureInfo.InvariantCulture);

    /// <summary>A bound at the end of its type is no bound that a user needs to read.</summary>
    internal static bool IsBounded(double bound) => Math.Abs(bound) < int.MaxValue;
}
