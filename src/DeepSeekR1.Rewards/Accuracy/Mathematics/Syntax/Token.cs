namespace DeepSeekR1.Rewards.Mathematics;

internal enum TokenKind
{
    End,
    /// <summary>Text: digits with an optional point, separators removed.</summary>
    Number,
    /// <summary>Text: name of a variable or constant.</summary>
    Symbol,
    /// <summary>Text: name in <see cref="Vocabulary.Functions"/>.</summary>
    Function,
    /// <summary>Text: the word in lower case.</summary>
    Word,
    /// <summary>Text: a command with structure of its own (frac, sqrt, begin …).</summary>
    Command,
    Plus, Minus, PlusMinus, MinusPlus, Times, Divide, Mod, Choose, Caret, Underscore, Bang, Prime, Percent, Degree, Colon,
    /// <summary>A comma, a semicolon, "or", "and".</summary>
    Comma,
    /// <summary>Text: = &lt; &gt; ≤ ≥ ≠ ∈ ≈.</summary>
    Relation,
    /// <summary>Text: ∪ ∩ ∖.</summary>
    SetOperator,
    /// <summary>Text: ( [ &lt;.</summary>
    Open,
    /// <summary>Text: ) ] &gt;.</summary>
    Close,
    /// <summary>{ of a LaTeX group.</summary>
    GroupOpen,
    GroupClose,
    /// <summary>\{ of a set.</summary>
    SetOpen,
    SetClose,
    /// <summary>Text: floor or ceil.</summary>
    RoundingOpen,
    RoundingClose,
    Bar, Ampersand, RowEnd,
    /// <summary>Text: the currency.</summary>
    Currency,
    Unevaluated,
    Unreadable,
}

/// <summary>One sign of an answer.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it says, where the kind alone does not tell.</param>
internal readonly record struct Token(TokenKind Kind, string Text = "")
{
    /// <summary>Where it begins.</summary>
    public int Start { get; init; }

    /// <summary>Where it ends.</summary>
    public int End { get; init; }
}
