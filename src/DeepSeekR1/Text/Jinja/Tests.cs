using System.Numerics;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Jinja's tests: what may follow <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, (string[] Names, Func<Operations, object?, Parameters, bool> Holds)> _all = new()
    {
        ["boolean"] = ([], (_, value, _) => value is bool),
        ["callable"] = ([], (_, value, _) => value is Function or Loop { Recurse: not null }),
        ["defined"] = ([], (_, value, _) => value is not Undefined),
        ["divisibleby"] = (["num"], (operations, value, p) => operations.AreEqual(operations.Apply("%", value, p.Value(0)), BigInteger.Zero)),
        ["eq"] = (["other"], (operations, value, p) => operations.AreEqual(value, p.Value(0))),
        ["even"] = ([], (operations, value, _) => operations.AreEqual(operations.Apply("%", value, new BigInteger(2)), BigInteger.Zero)),
        ["false"] = ([], (_, value, _) => value is false),
        ["filter"] = ([], (_, value, _) => value is string name && Filters.Exists(name)),
        ["float"] = ([], (_, value, _) => value is double),
        ["ge"] = (["other"], (operations, value, p) => operations.Compare(value, p.Value(0), ">=") >= 0),
        ["gt"] = (["other"], (operations, value, p) => operations.Compare(value, p.Value(0), ">") > 0),
        ["in"] = (["seq"], (operations, value, p) => operations.Contains(p.Value(0), value)),
        ["integer"] = ([], (_, value, _) => value is BigInteger),
        ["iterable"] = ([], (_, value, _) => value is string or Sequence or PyDict or PyIterable or Undefined),
        ["le"] = (["other"], (operations, value, p) => operations.Compare(value, p.Value(0), "<=") <= 0),
        ["lower"] = ([], (operations, value, _) => PythonString.IsCased(operations.Text(value), upper: false)),
        ["lt"] = (["other"], (operations, value, p) => operations.Compare(value, p.Value(0), "<") < 0),
        ["mapping"] = ([], (_, value, _) => value is PyDict),
        ["ne"] = (["other"], (operations, value, p) => !operations.AreEqual(value, p.Value(0))),
        ["none"] = ([], (_, value, _) => value is null),
        ["number"] = ([], (_, value, _) => value is BigInteger or double or bool),
        ["odd"] = ([], (operations, value, _) => operations.AreEqual(operations.Apply("%", value, new BigInteger(2)), BigInteger.One)),
        ["sameas"] = (["other"], (_, value, p) => ReferenceEquals(value, p.Value(0)) || (value is bool or string && Equals(value, p.Value(0)))),
        ["sequence"] = ([], (_, value, _) => value is string or Sequence or PyDict or Undefined),
        ["string"] = ([], (_, value, _) => value is string),
        ["test"] = ([], (_, value, _) => value is string name && Exists(name)),
        ["true"] = ([], (_, value, _) => value is true),
        ["undefined"] = ([], (_, value, _) => value is Undefined),
        ["upper"] = ([], (operations, value, _) => PythonString.IsCased(operations.Text(value), upper: true)),
    };

    private static readonly Dictionary<string, string> _aliases = new()
    {
        ["equalto"] = "eq",
        ["=="] = "eq",
        ["!="] = "ne",
        [">"] = "gt",
        ["greaterthan"] = "gt",
        [">="] = "ge",
        ["<"] = "lt",
        ["lessthan"] = "lt",
        ["<="] = "le",
    };

    public static bool Exists(string name) => _all.ContainsKey(_aliases.GetValueOrDefault(name, name));

    /// <summary>Whether the test holds.</summary>
    public static bool Holds(Operations operations, string name, object? value, Arguments arguments)
    {
        operations.Meter.Step();
        if (name is "lower" or "upper") operations.Meter.Read(value);
        if (!_all.TryGetValue(_aliases.GetValueOrDefault(name, name), out var test)) throw new JinjaException($"no test is named '{name}'");
        return test.Holds(operations, value, new Parameters(name, test.Names, arguments));
    }
}
