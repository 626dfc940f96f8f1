using System.Globalization;
using DeepSeekR1.Text;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Checkpoints.Gguf;

/// <summary>A folder's tokenizer and chat template as metadata of a GGUF file.</summary>
internal static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.", NoTokenizer = "none", ByteLevel = "gpt2", SentencePiece = "llama";

    /// <summary>What llama.cpp calls the kinds of tokens (<c>llama_token_type</c>).</summary>
    private enum Kind
    {
        Normal = 1,
        Unknown,
        Control,
        UserDefined,
        Unused,
        Byte,
    }

    /// <summary>Adds the tokenizer; a folder without one gives a file that only takes ids.</summary>
    /// <exception cref="R1Exception">A file is broken, or the tokenizer is of a kind that llama.cpp does not have.</exception>
    public static void AddTo(GgufMetadata metadata, string folder, int vocabularySize)
    {
        string path = Path.Combine(folder, HfTokenizer.TokenizerFile);
        if (!File.Exists(path))
        {
            metadata.Add(Prefix + "model", NoTokenizer);
            return;
        }
        var tokenizer = HfTokenizer.Load(folder);
        var root = JsonField.Read(path);
        var model = root.Get("model");
        if (model.Find("merges") is null) throw model.Error("GGUF has no tokenizers but those of byte-pair encoding");
        if (tokenizer.VocabularySize > vocabularySize)
            throw new R1Exception($"{path}: the tokenizer has {tokenizer.VocabularySize} tokens, config.json says vocab_size {vocabularySize}; they do not belong together.");

        AddModel(metadata, root, model);
        AddTokens(metadata, root, tokenizer, vocabularySize);
        AddSpecialTokens(metadata, tokenizer);
        AddTemplate(metadata, tokenizer, ChatTemplate.TryLoad(folder));
    }

    /// <summary>How text is cut and merged: by ranked merges of bytes, or by scores as SentencePiece has them.</summary>
    private static void AddModel(GgufMetadata metadata, JsonField root, JsonField model)
    {
        bool isSentencePiece = model.Flag("byte_fallback");
        metadata.Add(Prefix + "model", isSentencePiece ? SentencePiece : ByteLevel);
        if (isSentencePiece)
        {
            metadata.Add(Prefix + "pre", "default");
            metadata.Add(Prefix + "add_space_prefix", AddsSpace(root));
            return;
        }
        metadata.Add(Prefix + "pre", GgufPreTokenizer.NameOf(root.Get("pre_tokenizer"), model.Flag("ignore_merges")));
        metadata.Add(Prefix + "merges", [.. Merges(model).Select(merge => $"{merge.Left} {merge.Right}")]);
    }

    private static void AddTokens(GgufMetadata metadata, JsonField root, HfTokenizer tokenizer, int vocabularySize)
    {
        var model = root.Get("model");
        var added = (root.Find("added_tokens")?.Items() ?? []).Select(AddedToken.Parse).ToDictionary(token => token.Id);
        string? unknown = model.Find("unk_token")?.String();
        bool isSentencePiece = model.Flag("byte_fallback");
        var tokens = new string[vocabularySize];
        var kinds = new int[vocabularySize];
        for (int id = 0; id < vocabularySize; id++)
        {
            tokens[id] = tokenizer.TokenOf(id) ?? $"[PAD{id.ToString(CultureInfo.InvariantCulture)}]";
            kinds[id] = (int)(
                tokenizer.TokenOf(id) is null ? Kind.Unused
                : isSentencePiece && tokens[id] == unknown ? Kind.Unknown
                : added.TryGetValue(id, out var token) ? token.IsControl ? Kind.Control : Kind.UserDefined
                : isSentencePiece && IsByte(tokens[id]) ? Kind.Byte
                : Kind.Normal);
        }
        metadata.Add(Prefix + "tokens", tokens);
        metadata.Add(Prefix + "token_type", kinds);
        if (isSentencePiece) metadata.Add(Prefix + "scores", Scores(tokens, model));
    }

    /// <summary>SentencePiece merges the pair of the highest score first, so a token scores minus the rank of the first merge that makes it.</summary>
    private static float[] Scores(string[] tokens, JsonField model)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        int rank = 0;
        foreach (var (left, right) in Merges(model)) ranks.TryAdd(left + right, rank++);
        return [.. tokens.Select(token => ranks.TryGetValue(token, out int made) ? -(float)made : 0)];
    }

    private static void AddSpecialTokens(GgufMetadata metadata, HfTokenizer tokenizer)
    {
        AddId("bos", tokenizer.BosId);
        AddId("eos", tokenizer.EosId);
        AddId("unknown", tokenizer.IdOf(tokenizer.Config.RoleTokens.GetValueOrDefault("unk_token")));
        AddId("padding", tokenizer.PadId);
        int[] around = tokenizer.EncodeWithSpecialTokens("");
        metadata.Add(Prefix + "add_bos_token", around.Length > 0 && around[0] == tokenizer.BosId);
        metadata.Add(Prefix + "add_eos_token", around.Length > 0 && around[^1] == tokenizer.EosId);

        void AddId(string role, int? id)
        {
            if (id is { } known) metadata.Add($"{Prefix}{role}_token_id", (uint)known);
        }
    }

    private static void AddTemplate(GgufMetadata metadata, HfTokenizer tokenizer, ChatTemplate? template)
    {
        if (template is null) return;
        metadata.Add("tokenizer.chat_template", template.Source);
        if (StopTokens.EndOfTurn(template, tokenizer) is { } endOfTurn) metadata.Add(Prefix + "eot_token_id", (uint)endOfTurn);
    }

    /// <summary>True where a text begins with a space of the tokenizer's own.</summary>
    private static bool AddsSpace(JsonField root) =>
        (root.Find("normalizer") is { } normalizer && Parts(normalizer, "normalizers").Any(part => part.Type == "Prepend"))
        || (root.Find("pre_tokenizer") is { } cut && Parts(cut, "pretokenizers").Any(part => part.Type == "Metaspace" && part.Find("prepend_scheme")?.String() is null or "first" or "always"));

    private static IEnumerable<JsonField> Parts(JsonField field, string list) => field.Type == "Sequence" ? field.Get(list).Items() : [field];

    private static IEnumerable<(string Left, string Right)> Merges(JsonField model) => model.Get("merges").Items().Select(merge =>
    {
        string[] parts = merge.Value.ValueKind == System.Text.Json.JsonValueKind.String ? merge.String().Split(' ') : [.. merge.Items().Select(part => part.String())];
        return (parts[0], parts[1]);
    });

    private static bool IsByte(string token) => token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>';
}
