namespace DeepSeekR1.Text.Tokenization;

/// <summary>The post-processors of tokenizer.json, for one text: the special tokens that stand before and after it.</summary>
/// <param name="Before">Ids before the text.</param>
/// <param name="After">Ids after it.</param>
internal sealed record PostProcessor(int[] Before, int[] After)
{
    private const string Known = "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing";

    /// <summary>Adds nothing.</summary>
    public static PostProcessor None { get; } = new([], []);

    /// <summary>Reads the field "post_processor".</summary>
    public static PostProcessor Parse(JsonField field) => field.Type switch
    {
        "ByteLevel" => None,
        "Sequence" => field.Get("processors").Items().Select(Parse).Aggregate(None, (inner, outer) =>
            new PostProcessor([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])),
        "TemplateProcessing" => Template(field),
        "BertProcessing" or "RobertaProcessing" => new PostProcessor([TokenAndId(field.Get("cls"))], [TokenAndId(field.Get("sep"))]),
        _ => throw field.UnknownKind(Known),
    };

    private static PostProcessor Template(JsonField field)
    {
        List<int> before = [], after = [];
        bool seenText = false;
        foreach (var part in field.Get("single").Items())
        {
            if (part.Find("Sequence") is not null)
            {
                if (seenText) throw part.Error("the text stands twice in the template");
                seenText = true;
                continue;
            }
            var id = part.Get("SpecialToken").Get("id");
            (seenText ? after : before).AddRange(field.Get("special_tokens").Get(id.String()).Get("ids").Items().Select(item => item.Int(0, HfTokenizer.LargestId)));
        }
        return new PostProcessor([.. before], [.. after]);
    }

    private static int TokenAndId(JsonField pair) =>
        pair.Items().ToArray() is [_, var id] ? id.Int(0, HfTokenizer.LargestId) : throw pair.Error("expected [token, id]");
}
