using System.Reflection;
using System.Reflection.Emit;

namespace DeepSeekR1.Tests;

/// <summary>Which types a type knows: in its signatures and in the bodies of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> _opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>All types that a type mentions, those nested in it (lambdas, async methods) left to their own call.</summary>
    public static IEnumerable<Type> Of(Type type)
    {
        IEnumerable<Type?> mentioned =
        [
            type.BaseType,
            .. type.GetInterfaces(),
            .. type.GetFields(Declared).Select(field => field.FieldType),
            .. type.GetCustomAttributesData().Select(attribute => attribute.AttributeType),
            .. type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)).SelectMany(OfMethod),
        ];
        return mentioned.OfType<Type>().SelectMany(Unwrap).Distinct();
    }

    private static IEnumerable<Type?> OfMethod(MethodBase method) =>
    [
        (method as MethodInfo)?.ReturnType,
        .. method.GetParameters().Select(parameter => parameter.ParameterType),
        .. method.GetMethodBody() is { } body ? body.LocalVariables.Select(local => local.LocalType).Concat(OfBody(method, body)) : [],
    ];

    /// <summary>Types behind the metadata tokens of a method's instructions.</summary>
    private static IEnumerable<Type?> OfBody(MethodBase method, MethodBody body)
    {
        byte[] code = body.GetILAsByteArray()!;
        Type[] typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : [];
        Type[] methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < code.Length;)
        {
            short value = code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at];
            var operation = _opCodes[value];
            at += operation.Size;
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                foreach (var type in OfMember(method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments)))
                    yield return type;
            at += OperandSize(operation.OperandType, code, at);
        }
    }

    private static IEnumerable<Type?> OfMember(MemberInfo? member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType, field.FieldType],
        MethodBase method => [method.DeclaringType, (method as MethodInfo)?.ReturnType, .. method.GetParameters().Select(parameter => parameter.ParameterType),
            .. method.IsGenericMethod ? method.GetGenericArguments() : []],
        _ => [],
    };

    private static int OperandSize(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
        _ => 4,
    };

    /// <summary>Dictionary&lt;string, Foo[]&gt; mentions Foo.</summary>
    private static IEnumerable<Type> Unwrap(Type type) =>
        type.HasElementType ? Unwrap(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Unwrap).Append(type.GetGenericTypeDefinition())
        : [type];
}
