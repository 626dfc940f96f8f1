using System.Collections.Frozen;

namespace DeepSeekR1.Rewards.Mathematics;

/// <summary>What LaTeX commands, plain names and signs mean.</summary>
internal static class Vocabulary
{
    /// <summary>Names of functions, as plain text and as LaTeX commands.</summary>
    public static FrozenDictionary<string, Function> Functions { get; } = new Dictionary<string, Function>
    {
        ["sin"] = Function.Sin,
        ["cos"] = Function.Cos,
        ["tan"] = Function.Tan,
        ["cot"] = Function.Cot,
        ["sec"] = Function.Sec,
        ["csc"] = Function.Csc,
        ["arcsin"] = Function.ArcSin,
        ["arccos"] = Function.ArcCos,
        ["arctan"] = Function.ArcTan,
        ["arccot"] = Function.ArcCot,
        ["arcsec"] = Function.ArcSec,
        ["arccsc"] = Function.ArcCsc,
        ["asin"] = Function.ArcSin,
        ["acos"] = Function.ArcCos,
        ["atan"] = Function.ArcTan,
        ["sinh"] = Function.Sinh,
        ["cosh"] = Function.Cosh,
        ["tanh"] = Function.Tanh,
        ["coth"] = Function.Coth,
        ["sech"] = Function.Sech,
        ["csch"] = Function.Csch,
        ["tg"] = Function.Tan,
        ["ctg"] = Function.Cot,
        ["cosec"] = Function.Csc,
        ["exp"] = Function.Exp,
        ["ln"] = Function.Ln,
        ["log"] = Function.Log,
        ["lg"] = Function.Log,
        ["sqrt"] = Function.Sqrt,
        ["abs"] = Function.Abs,
        ["floor"] = Function.Floor,
        ["ceil"] = Function.Ceiling,
        ["gcd"] = Function.Gcd,
        ["lcm"] = Function.Lcm,
        ["max"] = Function.Max,
        ["min"] = Function.Min,
        ["binom"] = Function.Binomial,
        ["Re"] = Function.RealPart,
        ["Im"] = Function.ImaginaryPart,
        ["cbrt"] = Function.Root,
    }.ToFrozenDictionary();

    /// <summary>Commands and plain names that stand for one token.</summary>
    public static FrozenDictionary<string, Token> Signs { get; } = new Dictionary<string, Token>
    {
        ["cdot"] = new(TokenKind.Times),
        ["times"] = new(TokenKind.Times),
        ["ast"] = new(TokenKind.Times),
        ["div"] = new(TokenKind.Divide),
        ["pm"] = new(TokenKind.PlusMinus),
        ["mp"] = new(TokenKind.MinusPlus),
        ["circ"] = new(TokenKind.Unreadable),
        ["degree"] = new(TokenKind.Degree),
        ["le"] = Related("≤"),
        ["leq"] = Related("≤"),
        ["leqslant"] = Related("≤"),
        ["ge"] = Related("≥"),
        ["geq"] = Related("≥"),
        ["geqslant"] = Related("≥"),
        ["lt"] = Related("<"),
        ["gt"] = Related(">"),
        ["ne"] = Related("≠"),
        ["neq"] = Related("≠"),
        ["in"] = Related("∈"),
        ["approx"] = Related("="),
        ["cup"] = new(TokenKind.SetOperator, "∪"),
        ["cap"] = new(TokenKind.SetOperator, "∩"),
        ["setminus"] = new(TokenKind.SetOperator, "∖"),
        ["backslash"] = new(TokenKind.SetOperator, "∖"),
        ["lbrace"] = new(TokenKind.SetOpen),
        ["rbrace"] = new(TokenKind.SetClose),
        ["{"] = new(TokenKind.SetOpen),
        ["}"] = new(TokenKind.SetClose),
        ["langle"] = new(TokenKind.Open, "<"),
        ["rangle"] = new(TokenKind.Close, ">"),
        ["lbrack"] = new(TokenKind.Open, "["),
        ["rbrack"] = new(TokenKind.Close, "]"),
        ["lfloor"] = new(TokenKind.RoundingOpen, "floor"),
        ["rfloor"] = new(TokenKind.RoundingClose),
        ["lceil"] = new(TokenKind.RoundingOpen, "ceil"),
        ["rceil"] = new(TokenKind.RoundingClose),
        ["lvert"] = new(TokenKind.Bar),
        ["rvert"] = new(TokenKind.Bar),
        ["vert"] = new(TokenKind.Bar),
        ["infty"] = Named("∞"),
        ["infinity"] = Named("∞"),
        ["pi"] = Named("π"),
        ["imath"] = Named("i"),
        ["emptyset"] = Named("∅"),
        ["varnothing"] = Named("∅"),
        ["R"] = Named("ℝ"),
        ["angle"] = Named("∠"),
        ["triangle"] = Named("△"),
        ["reals"] = Named("ℝ"),
        ["ell"] = Named("ℓ"),
        ["prime"] = new(TokenKind.Prime),
        ["bmod"] = new(TokenKind.Mod),
        ["mod"] = new(TokenKind.Mod),
        ["choose"] = new(TokenKind.Choose),
        ["lor"] = new(TokenKind.Comma, "or"),
        ["land"] = new(TokenKind.Comma, "and"),
        ["%"] = new(TokenKind.Percent),
        ["$"] = new(TokenKind.Currency, "dollar"),
        ["&"] = new(TokenKind.Unreadable),
        ["_"] = new(TokenKind.Unreadable),
        ["#"] = new(TokenKind.Unreadable),
        ["\\"] = new(TokenKind.RowEnd),
    }.ToFrozenDictionary();

    /// <summary>Commands that leave something to be worked out; no answer with them is judged.</summary>
    public static FrozenSet<string> Unevaluated { get; } = new[]
    {
        "sum", "prod", "int", "iint", "iiint", "oint", "lim", "limsup", "liminf", "partial", "nabla", "ldots", "dots", "cdots", "vdots", "ddots", "sup", "inf",
        "bigcup", "bigcap", "coprod",
    }.ToFrozenSet();

    /// <summary>Commands without meaning: spacing, sizes, styles.</summary>
    public static FrozenSet<string> Ignored { get; } = new[]
    {
        "left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "biggl", "biggr", "Biggl", "Biggr", "middle", "displaystyle",
        "textstyle", "limits", "nolimits", "quad", "qquad", "thinspace", "enspace", "space", "nobreakspace", "hfill", "newline", "par", ",", "!", ";", ":",
        " ", ">", "(", ")", "[", "]", "/", "rm", "bf", "it", "boldmath", "nonumber", "strut",
    }.ToFrozenSet();

    /// <summary>Commands around words.</summary>
    public static FrozenSet<string> TextCommands { get; } = new[]
    {
        "text", "textbf", "textit", "textrm", "textsf", "texttt", "textnormal", "mbox", "hbox", "emph", "mathrm", "mathsf", "operatorname", "operatorname*",
    }.ToFrozenSet();

    /// <summary>Commands that make another symbol of what they stand before.</summary>
    public static FrozenSet<string> Accents { get; } = new[]
    {
        "mathbf", "mathbb", "mathcal", "mathfrak", "mathscr", "mathit", "boldsymbol", "bm", "vec", "hat", "widehat", "bar", "overline", "tilde", "widetilde", "dot",
        "ddot", "overrightarrow", "overleftrightarrow", "overparen", "underline", "wideparen",
    }.ToFrozenSet();

    private static readonly FrozenSet<string> _greek = new[]
    {
        "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "rho",
        "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
    }.ToFrozenSet();

    /// <summary>Signs outside ASCII.</summary>
    public static FrozenDictionary<char, Token> Characters { get; } = new Dictionary<char, Token>
    {
        ['×'] = new(TokenKind.Times),
        ['·'] = new(TokenKind.Times),
        ['⋅'] = new(TokenKind.Times),
        ['∗'] = new(TokenKind.Times),
        ['÷'] = new(TokenKind.Divide),
        ['±'] = new(TokenKind.PlusMinus),
        ['∓'] = new(TokenKind.MinusPlus),
        ['≤'] = Related("≤"),
        ['≥'] = Related("≥"),
        ['⩽'] = Related("≤"),
        ['⩾'] = Related("≥"),
        ['≠'] = Related("≠"),
        ['∈'] = Related("∈"),
        ['≈'] = Related("="),
        ['∪'] = new(TokenKind.SetOperator, "∪"),
        ['∩'] = new(TokenKind.SetOperator, "∩"),
        ['∖'] = new(TokenKind.SetOperator, "∖"),
        ['°'] = new(TokenKind.Degree),
        ['√'] = new(TokenKind.Function, "sqrt"),
        ['∞'] = Named("∞"),
        ['π'] = Named("π"),
        ['∅'] = Named("∅"),
        ['ℝ'] = Named("ℝ"),
        ['′'] = new(TokenKind.Prime),
        ['⟨'] = new(TokenKind.Open, "<"),
        ['⟩'] = new(TokenKind.Close, ">"),
        ['€'] = new(TokenKind.Currency, "euro"),
        ['£'] = new(TokenKind.Currency, "pound sterling"),
        ['¥'] = new(TokenKind.Currency, "yen"),
        ['₹'] = new(TokenKind.Currency, "rupee"),
        ['、'] = new(TokenKind.Comma),
        ['⌊'] = new(TokenKind.RoundingOpen, "floor"),
        ['⌋'] = new(TokenKind.RoundingClose),
        ['⌈'] = new(TokenKind.RoundingOpen, "ceil"),
        ['⌉'] = new(TokenKind.RoundingClose),
    }.ToFrozenDictionary();

    public static bool IsGreek(string name) => _greek.Contains(name);

    private static Token Related(string relation) => new(TokenKind.Relation, relation);

    private static Token Named(string name) => new(TokenKind.Symbol, name);
}
