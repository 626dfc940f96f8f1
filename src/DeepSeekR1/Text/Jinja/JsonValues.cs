using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace DeepSeekR1.Text.Jinja;

/// <summary>JSON as template values.</summary>
internal static class JsonValues
{
    private const int LongestNumeral = 4300;

    /// <summary>The value; integers of any size stay exact.</summary>
    /// <exception cref="R1Exception">A number is too long, or a string has half a surrogate pair.</exception>
    public static object? From(JsonElement element, Operations operations)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return Text(element);
            case JsonValueKind.Number: return Number(element.GetRawText());
            case JsonValueKind.Array: return new PyList([.. element.EnumerateArray().Select(item => From(item, operations))]);
            case JsonValueKind.Object:
                var dict = operations.NewDict();
                foreach (var member in element.EnumerateObject()) dict[member.Name] = From(member.Value, operations);
                return dict;
            default: return null;
        }
    }

    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new R1Exception("A string of the conversation has half a surrogate pair.", failure);
        }
    }

    private static object Number(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0) return double.Parse(text, CultureInfo.InvariantCulture);
        if (text.Length > LongestNumeral) throw new R1Exception($"A number of the conversation has over {LongestNumeral} digits.");
        return BigInteger.Parse(text, CultureInfo.InvariantCulture);
    }
}
