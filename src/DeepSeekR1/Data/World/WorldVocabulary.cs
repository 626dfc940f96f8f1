using System.Text.Unicode;

namespace DeepSeekR1.Data.World;

/// <summary>
/// The word-level vocabulary of the world, about 270 words: texts are words separated by single spaces.
/// </summary>
public sealed class WorldVocabulary
{
    /// <summary>Fills the rows of a batch.</summary>
    public const string Padding = "<pad>";

    /// <summary>Opens a question.</summary>
    public const string User = "<u>";

    /// <summary>Opens an answer.</summary>
    public const string Assistant = "<a>";

    /// <summary>Ends an answer or a page.</summary>
    public const string EndOfText = "<eos>";

    /// <summary>The chat template (Jinja) of models of this world.</summary>
    public const string ChatTemplate =
        "{% for message in messages %}{% if message['role'] == 'assistant' %}<a> {{ message['content'] }} <eos> " +
        "{% else %}<u> {{ message['content'] }} {% endif %}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}";

    private readonly HashSet<string> _english, _chinese;

    /// <summary>The vocabulary of a world with these settings: its numbers depend on the dial.</summary>
    public WorldVocabulary(WorldConfig config)
    {
        int largestNumber = Math.Max(config.DialPositions - 1, config.LargestTurn);
        Words =
        [
            .. Tags
                .Concat(Enumerable.Range(0, largestNumber + 1).Select(number => number.ToString()))
                .Concat(["+", "-", ",", ".", "?", "!"])
                .Concat(Lexicon.Phrases().SelectMany(phrase => phrase.Split(' ')))
                .Distinct(),
        ];
        _english = [.. Words.Where(word => word.All(c => c is (>= 'a' and <= 'z') or '_'))];
        _chinese = [.. Words.Where(word => word.All(c => c >= UnicodeRanges.CjkUnifiedIdeographs.FirstCodePoint))];
    }

    /// <summary>The tokens that no reader sees: padding, the openings of question and answer, the end.</summary>
    public static IReadOnlyList<string> Control { get; } = [Padding, User, Assistant, EndOfText];

    /// <summary>The tags of the think/answer shape: single words, but part of the visible answer.</summary>
    public static IReadOnlyList<string> Tags { get; } = ["<think>", "</think>", "<answer>", "</answer>"];

    /// <summary>All words in a fixed order, the control tokens left out: tags, numbers, punctuation, English and Chinese words.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The words that count as English.</summary>
    public IReadOnlySet<string> English => _english;

    /// <summary>The words that count as Chinese.</summary>
    public IReadOnlySet<string> Chinese => _chinese;

    /// <summary>What the model reads before it answers this question: <c>&lt;u&gt; question &lt;a&gt;</c>.</summary>
    public static string Ask(string question) => $"{User} {question} {Assistant}";
}
