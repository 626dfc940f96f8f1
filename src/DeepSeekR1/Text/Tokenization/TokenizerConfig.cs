using System.Text.Json;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>What is read of <c>tokenizer_config.json</c>: the roles of special tokens and the chat template.</summary>
internal sealed record TokenizerConfig(IReadOnlyDictionary<string, string> RoleTokens, string? ChatTemplate)
{
    public const string FileName = "tokenizer_config.json";

    private static readonly string[] _roles = ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];

    public static TokenizerConfig Empty { get; } = new(new Dictionary<string, string>(), null);

    public string? Bos => RoleTokens.GetValueOrDefault("bos_token");

    public string? Eos => RoleTokens.GetValueOrDefault("eos_token");

    public string? Pad => RoleTokens.GetValueOrDefault("pad_token");

    public static TokenizerConfig Parse(JsonField root)
    {
        var roles = new Dictionary<string, string>();
        foreach (string role in _roles)
            if (root.Find(role) is { } token)
                roles[role] = token.Value.ValueKind == JsonValueKind.Object ? token.Get("content").String() : token.String();
        return new TokenizerConfig(roles, root.Find("chat_template") is { } template ? Template(template) : null);
    }

    /// <summary>One template, or a list of named ones, of which "default" counts.</summary>
    private static string Template(JsonField field)
    {
        if (field.Value.ValueKind == JsonValueKind.String) return field.String();
        foreach (var named in field.Items())
            if (named.Get("name").String() == "default") return named.Get("template").String();
        throw field.Error("no template is named 'default'");
    }
}
