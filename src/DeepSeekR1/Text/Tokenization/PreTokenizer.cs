using System.Globalization;
using System.Text;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>A piece of text that the model encodes by itself.</summary>
internal readonly record struct Piece(int Start, int Length);

/// <summary>A text on its way to the model: the characters and how they are cut so far.</summary>
internal sealed class PieceList(string text, bool isStartOfInput)
{
    private List<Piece> _spare = [];

    public string Text { get; private set; } = text;

    /// <summary>True unless an added token stands before this text.</summary>
    public bool IsStartOfInput { get; } = isStartOfInput;

    public List<Piece> Pieces { get; private set; } = text.Length > 0 ? [new Piece(0, text.Length)] : [];

    /// <summary>Cuts each piece further; empty pieces vanish.</summary>
    public void Cut(Action<ReadOnlySpan<char>, int, List<Piece>> cutPiece)
    {
        var (before, after) = (Pieces, _spare);
        after.Clear();
        foreach (var piece in before) cutPiece(Text.AsSpan(piece.Start, piece.Length), piece.Start, after);
        (Pieces, _spare) = (after, before);
    }

    /// <summary>Changes the characters of each piece; the function gets the piece and its number.</summary>
    public void Rewrite(Func<string, int, string> rewritePiece)
    {
        var result = new StringBuilder(Text.Length + 8);
        for (int i = 0; i < Pieces.Count; i++)
        {
            string changed = rewritePiece(Text.Substring(Pieces[i].Start, Pieces[i].Length), i);
            Pieces[i] = new Piece(result.Length, changed.Length);
            result.Append(changed);
        }
        Text = result.ToString();
    }
}

/// <summary>The pre-tokenizers of tokenizer.json: where a text is cut before the model sees it.</summary>
internal sealed class PreTokenizer
{
    private const string Known = "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit";

    /// <summary>GPT-2's pattern, built into ByteLevel.</summary>
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>\w of Rust's regular expressions, which the pre-tokenizer Whitespace uses: with joiners, without superscripts.</summary>
    private const string RustWord = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24B6-\u24E9\u200C\u200D";

    private readonly Action<PieceList> _apply;

    private PreTokenizer(Action<PieceList> apply, bool isByteLevel = false) => (_apply, IsByteLevel) = (apply, isByteLevel);

    /// <summary>Leaves the text in one piece.</summary>
    public static PreTokenizer None { get; } = new(_ => { });

    /// <summary>True where the model sees the pieces' bytes in <see cref="ByteLevelAlphabet"/>; the pieces here are still plain text.</summary>
    public bool IsByteLevel { get; }

    /// <summary>Cuts the text.</summary>
    public void Apply(PieceList text) => _apply(text);

    /// <summary>Reads the field "pre_tokenizer".</summary>
    public static PreTokenizer Parse(JsonField field) => field.Type switch
    {
        "Sequence" => Sequence(field.Get("pretokenizers")),
        "Split" => Split(SplitPattern.Parse(field.Get("pattern")).Find, Behavior(field.Get("behavior")), field.Flag("invert")),
        "ByteLevel" => ByteLevel(field),
        "Digits" => Split(Runes(IsNumeric), field.Flag("individual_digits") ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
        "Whitespace" => Split(SplitPattern.FromRegex($"[{RustWord}]+|[^{RustWord}\\s]+", field).Find, SplitBehavior.Removed, invert: true),
        "WhitespaceSplit" => Split(Runes(Rune.IsWhiteSpace), SplitBehavior.Removed),
        "Punctuation" => Split(Runes(IsPunctuation), field.Find("behavior") is { } behavior ? Behavior(behavior) : SplitBehavior.Isolated),
        "BertPreTokenizer" => Chain([Split(Runes(Rune.IsWhiteSpace), SplitBehavior.Removed), Split(Runes(IsPunctuation), SplitBehavior.Isolated)]),
        "CharDelimiterSplit" => Split(Runes(SingleRune(field.Get("delimiter")).Equals), SplitBehavior.Removed),
        "Metaspace" => Metaspace(field),
        _ => throw field.UnknownKind(Known),
    };

    private static PreTokenizer Sequence(JsonField parts)
    {
        var fields = parts.Items().ToArray();
        var all = fields.Select(Parse).ToArray();
        for (int i = 0; i < all.Length - 1; i++)
            if (all[i].IsByteLevel) throw fields[i].Error("ByteLevel is supported only as the last pre-tokenizer of a sequence");
        return Chain(all);
    }

    private static PreTokenizer Chain(PreTokenizer[] parts) => new(text =>
    {
        foreach (var part in parts) part.Apply(text);
    }, parts.Length > 0 && parts[^1].IsByteLevel);

    private static PreTokenizer ByteLevel(JsonField field)
    {
        bool addsPrefixSpace = field.Flag("add_prefix_space");
        var split = field.Find("use_regex")?.Bool() ?? true ? Split(SplitPattern.FromRegex(Gpt2Pattern, field).Find, SplitBehavior.Isolated) : None;
        return new PreTokenizer(text =>
        {
            if (addsPrefixSpace) text.Rewrite((piece, _) => piece.StartsWith(' ') ? piece : " " + piece);
            split.Apply(text);
        }, isByteLevel: true);
    }

    private static PreTokenizer Metaspace(JsonField field)
    {
        var mark = SingleRune(field.Get("replacement"));
        if (!mark.IsBmp) throw field.Get("replacement").Error("expected one character below U+10000");
        char space = (char)mark.Value;
        string scheme = field.Find("prepend_scheme")?.String() ?? "always";
        if (scheme is not ("always" or "first" or "never")) throw field.Get("prepend_scheme").Error("expected always, first or never");
        var split = field.Find("split")?.Bool() ?? true ? Split(Runes(mark.Equals), SplitBehavior.MergedWithNext) : None;
        return new PreTokenizer(text =>
        {
            text.Rewrite((piece, index) =>
            {
                string replaced = piece.Replace(' ', space);
                bool prepends = scheme == "always" || (scheme == "first" && index == 0 && text.IsStartOfInput);
                return prepends && !replaced.StartsWith(space) ? space + replaced : replaced;
            });
            split.Apply(text);
        });
    }

    private static PreTokenizer Split(MatchFinder find, SplitBehavior behavior, bool invert = false) => new(text =>
    {
        var found = new List<Stretch>();
        text.Cut((piece, offset, pieces) =>
        {
            found.Clear();
            find(piece, found);
            Join(found, behavior, invert, offset, pieces);
        });
    });

    /// <summary>Turns matches and gaps into pieces.</summary>
    private static void Join(List<Stretch> found, SplitBehavior behavior, bool invert, int offset, List<Piece> pieces)
    {
        int first = pieces.Count;
        bool previous = false;
        for (int i = 0; i < found.Count; i++)
        {
            var (start, length, matched) = found[i];
            bool isMatch = matched != invert;
            bool hasPiece = pieces.Count > first;
            bool joinsPrevious = hasPiece && behavior switch
            {
                SplitBehavior.MergedWithPrevious => isMatch && !previous,
                SplitBehavior.MergedWithNext => previous && !isMatch,
                SplitBehavior.Contiguous => isMatch == previous,
                _ => false,
            };
            previous = isMatch;
            if (behavior == SplitBehavior.Removed && isMatch) continue;
            if (joinsPrevious) pieces[^1] = pieces[^1] with { Length = pieces[^1].Length + length };
            else pieces.Add(new Piece(offset + start, length));
        }
    }

    private static MatchFinder Runes(Func<Rune, bool> isMatch) => (text, found) =>
    {
        int position = 0, gap = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            int length = rune.Utf16SequenceLength;
            if (isMatch(rune))
            {
                if (position > gap) found.Add(new Stretch(gap, position - gap, false));
                found.Add(new Stretch(position, length, true));
                gap = position + length;
            }
            position += length;
        }
        if (position > gap) found.Add(new Stretch(gap, position - gap, false));
    };

    private static SplitBehavior Behavior(JsonField field) =>
        Enum.TryParse<SplitBehavior>(field.String(), out var behavior) ? behavior : throw field.Error($"expected one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}");

    private static Rune SingleRune(JsonField field)
    {
        string text = field.String();
        return Rune.TryGetRuneAt(text.Length > 0 ? text : "\uFFFF\uFFFF", 0, out var rune) && rune.Utf16SequenceLength == text.Length
            ? rune : throw field.Error("expected one character");
    }

    private static bool IsNumeric(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsPunctuation(Rune rune) =>
        rune.IsAscii ? rune.Value > ' ' && rune.Value < 0x7F && !Rune.IsLetterOrDigit(rune) : Rune.IsPunctuation(rune);

    private enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }
}
