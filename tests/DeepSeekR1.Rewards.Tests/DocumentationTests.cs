using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>Everything that others may call says what it is.</summary>
public class DocumentationTests
{
    [Fact]
    public void Every_public_member_is_documented()
    {
        var assembly = typeof(IReward).Assembly;
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member")
            .Where(member => member.Element("inheritdoc") is not null || member.Elements().Any(element => element.Name.LocalName is "summary" or "param" && element.Value.Trim().Length > 0))
            .Select(member => member.Attribute("name")!.Value.Split('(', '`')[0]).ToHashSet();
        string[] members = [.. assembly.GetExportedTypes().SelectMany(Members)];
        Assert.True(members.Length > 200, $"{members.Length} members");
        Assert.Empty(members.Except(documented));
    }

    /// <summary>Types, fields, properties and methods that were written by hand, without their parameters. The compiler looks after constructors.</summary>
    private static IEnumerable<string> Members(Type type)
    {
        string name = type.FullName!.Replace('+', '.');
        yield return $"T:{name}";
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        bool isRecord = type.GetMethod("<Clone>$") is not null || type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null;
        string[] ofPrimaryConstructor = isRecord ? [.. type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.Name!)] : [];
        foreach (var field in type.GetFields(Declared).Where(field => !field.IsSpecialName)) yield return $"F:{name}.{field.Name}";
        foreach (var method in type.GetMethods(Declared).Where(method => (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && method.GetCustomAttribute<CompilerGeneratedAttribute>() is null))
            yield return $"M:{name}.{method.Name}";
        foreach (var property in type.GetProperties(Declared).Where(property => property.Name != "EqualityContract" && !ofPrimaryConstructor.Contains(property.Name))) yield return $"P:{name}.{property.Name}";
    }
}
