using System.Collections.Frozen;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What LaTeX commands, plain names and signs mean. Names that mean the same stand in one text, between spaces.</summary>
internal static class Vocabulary
{
    /// <summary>Names of functions, as plain text and as LaTeX commands.</summary>
    public static FrozenDictionary<string, Function> Functions { get; } = Expand(
        ("sin", Function.Sin),
        ("cos", Function.Cos),
        ("tan tg", Function.Tan),
        ("cot ctg", Function.Cot),
        ("sec", Function.Sec),
        ("csc cosec", Function.Csc),
        ("arcsin asin", Function.ArcSin),
        ("arccos acos", Function.ArcCos),
        ("arctan atan", Function.ArcTan),
        ("arccot", Function.ArcCot),
        ("arcsec", Function.ArcSec),
        ("arccsc", Function.ArcCsc),
        ("sinh", Function.Sinh),
        ("cosh", Function.Cosh),
        ("tanh", Function.Tanh),
        ("coth", Function.Coth),
        ("sech", Function.Sech),
        ("csch", Function.Csch),
        ("exp", Function.Exp),
        ("ln", Function.Ln),
        ("log lg", Function.Log),
        ("sqrt", Function.Sqrt),
        ("cbrt", Function.Root),
        ("abs", Function.Abs),
        ("floor", Function.Floor),
        ("ceil", Function.Ceiling),
        ("Re", Function.RealPart),
        ("Im", Function.ImaginaryPart),
        ("gcd", Function.Gcd),
        ("lcm", Function.Lcm),
        ("max", Function.Max),
        ("min", Function.Min),
        ("binom", Function.Binomial));

    /// <summary>Commands that stand for one token.</summary>
    public static FrozenDictionary<string, Token> Signs { get; } = Expand(
        ("cdot times ast", new(TokenKind.Times)),
        ("div", new(TokenKind.Divide)),
        ("pm", new(TokenKind.PlusMinus)),
        ("mp", new(TokenKind.MinusPlus)),
        ("mod bmod", new(TokenKind.Mod)),
        ("choose", new(TokenKind.Choose)),
        ("prime", new(TokenKind.Prime)),
        ("degree", new(TokenKind.Degree)),
        ("%", new(TokenKind.Percent)),
        ("$", new(TokenKind.Currency, "dollar")),
        ("approx", Related("=")),
        ("lt", Related("<")),
        ("gt", Related(">")),
        ("le leq leqslant", Related("≤")),
        ("ge geq geqslant", Related("≥")),
        ("ne neq", Related("≠")),
        ("in", Related("∈")),
        ("cup", new(TokenKind.SetOperator, "∪")),
        ("cap", new(TokenKind.SetOperator, "∩")),
        ("setminus backslash", new(TokenKind.SetOperator, "∖")),
        ("lor", new(TokenKind.Comma, "or")),
        ("land", new(TokenKind.Comma, "and")),
        ("lbrace {", new(TokenKind.SetOpen)),
        ("rbrace }", new(TokenKind.SetClose)),
        ("langle", new(TokenKind.Open, "<")),
        ("rangle", new(TokenKind.Close, ">")),
        ("lbrack", new(TokenKind.Open, "[")),
        ("rbrack", new(TokenKind.Close, "]")),
        ("lfloor", new(TokenKind.RoundingOpen, "floor")),
        ("lceil", new(TokenKind.RoundingOpen, "ceil")),
        ("rfloor rceil", new(TokenKind.RoundingClose)),
        ("lvert rvert vert", new(TokenKind.Bar)),
        ("infty infinity", Named("∞")),
        ("pi", Named("π")),
        ("imath", Named("i")),
        ("ell", Named("ℓ")),
        ("R reals", Named("ℝ")),
        ("emptyset varnothing", Named("∅")),
        ("angle", Named("∠")),
        ("triangle", Named("△")),
        (@"\", new(TokenKind.RowEnd)));

    /// <summary>Signs outside ASCII.</summary>
    public static FrozenDictionary<char, Token> Characters { get; } = Expand(
        ("× · ⋅ ∗", new(TokenKind.Times)),
        ("÷", new(TokenKind.Divide)),
        ("±", new(TokenKind.PlusMinus)),
        ("∓", new(TokenKind.MinusPlus)),
        ("≤ ⩽", Related("≤")),
        ("≥ ⩾", Related("≥")),
        ("≠", Related("≠")),
        ("≈", Related("=")),
        ("∈", Related("∈")),
        ("∪", new(TokenKind.SetOperator, "∪")),
        ("∩", new(TokenKind.SetOperator, "∩")),
        ("∖", new(TokenKind.SetOperator, "∖")),
        ("°", new(TokenKind.Degree)),
        ("′", new(TokenKind.Prime)),
        ("√", new(TokenKind.Function, "sqrt")),
        ("∞", Named("∞")),
        ("π", Named("π")),
        ("∅", Named("∅")),
        ("ℝ", Named("ℝ")),
        ("∠", Named("∠")),
        ("⟨", new(TokenKind.Open, "<")),
        ("⟩", new(TokenKind.Close, ">")),
        ("⌊", new(TokenKind.RoundingOpen, "floor")),
        ("⌈", new(TokenKind.RoundingOpen, "ceil")),
        ("⌋ ⌉", new(TokenKind.RoundingClose)),
        ("€", new(TokenKind.Currency, "euro")),
        ("£", new(TokenKind.Currency, "pound sterling")),
        ("¥", new(TokenKind.Currency, "yen")),
        ("₹", new(TokenKind.Currency, "rupee")),
        ("、", new Token(TokenKind.Comma))).ToFrozenDictionary(pair => pair.Key[0], pair => pair.Value);

    /// <summary>Commands that leave something to be worked out; no answer with them is judged.</summary>
    public static FrozenSet<string> Unevaluated { get; } = Split(
        "sum prod coprod int iint iiint oint lim limsup liminf sup inf partial nabla ldots dots cdots vdots ddots bigcup bigcap");

    /// <summary>Commands without meaning: spacing, sizes, styles.</summary>
    public static FrozenSet<string> Ignored { get; } = Split(
        "left right middle big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr displaystyle textstyle limits nolimits rm bf it boldmath " +
        "quad qquad thinspace enspace space nobreakspace hfill newline par nonumber strut , ! ; : > ( ) [ ] /").Append(" ").ToFrozenSet();

    /// <summary>Commands around words.</summary>
    public static FrozenSet<string> TextCommands { get; } = Split(
        "text textbf textit textrm textsf texttt textnormal mbox hbox emph mathrm mathsf operatorname");

    /// <summary>Commands that make another symbol of what they stand before.</summary>
    public static FrozenSet<string> Accents { get; } = Split(
        "mathbf mathbb mathcal mathfrak mathscr mathit boldsymbol bm vec hat widehat bar overline underline tilde widetilde dot ddot overrightarrow " +
        "overleftrightarrow overparen wideparen");

    private static readonly FrozenSet<string> _greek = Split(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi varphi chi psi omega " +
        "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega");

    public static bool IsGreek(string name) => _greek.Contains(name);

    private static Token Related(string relation) => new(TokenKind.Relation, relation);

    private static Token Named(string name) => new(TokenKind.Symbol, name);

    private static FrozenSet<string> Split(string names) => names.Split(' ').ToFrozenSet();

    private static FrozenDictionary<string, T> Expand<T>(params (string Names, T Meaning)[] entries) => entries
        .SelectMany(entry => entry.Names.Split(' ').Select(name => (name, entry.Meaning)))
        .ToFrozenDictionary(pair => pair.name, pair => pair.Meaning);
}
