using DeepSeekR1.Rewards;

namespace DeepSeekR1.Data.World;

/// <summary>A question about a chain, in one of the two languages, with its answer.</summary>
public sealed class ChainProblem
{
    internal ChainProblem(Chain chain, WorldLanguage language, int firstMonth, Word name, int dialPositions)
    {
        Chain = chain;
        Language = language;
        FirstMonth = firstMonth;
        Answer = chain.Positions(dialPositions)[^1];
        string turns = string.Join(" , ", chain.Turns.Select((turn, i) => $"{Month(i).In(language)} {Spell(turn)}"));
        Text = language == WorldLanguage.English
            ? $"{name.English} has {chain.Start} . {turns} . how many now ?"
            : $"{name.Chinese} 有 {chain.Start} . {turns} . 还有 多少 ?";
    }

    /// <summary>The chain that is asked about.</summary>
    public Chain Chain { get; }

    /// <summary>The language of the question.</summary>
    public WorldLanguage Language { get; }

    /// <summary>The month of the first turn, January = 0.</summary>
    public int FirstMonth { get; }

    /// <summary>The dial's position after the last turn.</summary>
    public int Answer { get; }

    /// <summary>The question: <c>tom has 7 . may + 4 , june - 2 . how many now ?</c></summary>
    public string Text { get; }

    /// <summary>The question as the training loop and the rewards take it.</summary>
    public Prompt ToPrompt(string id) => new() { Id = id, Text = Text, Answer = Answer.ToString(), Language = Language.Tag() };

    internal Word Month(int turn) => Lexicon.Months[FirstMonth + turn];

    internal static string Spell(int turn) => turn > 0 ? $"+ {turn}" : $"- {-turn}";
}
