using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeepSeekR1.Configuration;

/// <summary>Choices as users write them, in configs and on the command line: kebab-case (<c>DrGrpo</c> is <c>dr-grpo</c>) or the name of their attribute, and only so.</summary>
public static class EnumNames
{
    /// <summary>The written name of a choice.</summary>
    public static string Name<T>(T value) where T : struct, Enum => Name((object)value);

    /// <summary>All written names of an enumeration, in its order.</summary>
    public static IReadOnlyList<string> All<T>() where T : struct, Enum => All(typeof(T));

    /// <summary>The choice with this name.</summary>
    /// <param name="text">The name as written.</param>
    /// <param name="what">What is chosen, for the message: "stage".</param>
    /// <exception cref="R1Exception">There is none of this name; the message has the nearest one and all.</exception>
    public static T Parse<T>(string text, string what) where T : struct, Enum =>
        TryParse(typeof(T), text, out var value) ? (T)value : throw new R1Exception($"unknown {what} '{text}'; {NearestName.HintWithAll(text, All<T>())}");

    internal static string Name(object value) => Name(value.GetType(), value.ToString()!);

    internal static IReadOnlyList<string> All(Type type) => [.. Enum.GetNames(type).Select(member => Name(type, member))];

    internal static bool TryParse(Type type, string text, out object value)
    {
        int index = All(type).ToList().IndexOf(text);
        value = index < 0 ? Enum.ToObject(type, 0) : Enum.Parse(type, Enum.GetNames(type)[index]);
        return index >= 0;
    }

    private static string Name(Type type, string member) =>
        type.GetField(member)?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(member);
}
