using DeepSeekR1.Data;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Data;

public class SftEncoderTests
{
    private static readonly ChatExample _chat = SftExample.Chat("x", "ab", "cde");

    [Fact]
    public void Plain_text_is_learned_whole_and_gets_the_end_token_once()
    {
        AssertEncoded("abc$", 0, new TextExample("x", "", "abc"));
        AssertEncoded("abc$", 0, new TextExample("x", "", "abc$"));
    }

    [Fact]
    public void A_prompt_carries_no_loss() => AssertEncoded("ab cd$", 2, new TextExample("x", "ab", " cd"));

    [Fact]
    public void A_conversation_goes_through_the_template_and_the_answers_opening_belongs_to_the_prompt() =>
        AssertEncoded("[user]ab$[assistant]cde$", "[user]ab$[assistant]".Length, _chat);

    [Fact]
    public void A_conversation_without_a_prompt_is_learned_whole() =>
        AssertEncoded("[user]ab$[assistant]cde$", 0, new ChatExample("x", [], [.. _chat.Prompt, .. _chat.Completion]));

    [Theory]
    [InlineData(4, Truncation.KeepStart, "abcd", 3)]
    [InlineData(4, Truncation.KeepEnd, "def$", 0)]
    [InlineData(5, Truncation.KeepEnd, "cdef$", 1)]
    [InlineData(7, Truncation.KeepStart, "abcdef$", 3)]
    public void A_text_too_long_loses_one_end(int limit, Truncation truncation, string kept, int promptLength) =>
        AssertEncoded(kept, promptLength, new TextExample("x", "abc", "def"), new SftEncoderConfig { MaxLength = limit, Truncation = truncation });

    [Fact]
    public void Nothing_remains_where_only_the_prompt_fits() =>
        Assert.Null(new SftEncoder(new CharacterTokenizer(), "$", null, new SftEncoderConfig { MaxLength = 3 }).Encode(new TextExample("x", "abc", "def")));

    [Fact]
    public void Of_several_turns_only_the_assistants_are_learned_and_none_of_the_prompt()
    {
        ChatMessage[] turns = [new("user", "ab"), new("assistant", "cd"), new("user", "e"), new("assistant", "fgh")];
        AssertLearned("[user]ab$[assistant]cd$[user]e$[assistant]fgh$", "cd$fgh$", new ChatExample("x", [], turns));
        AssertLearned("[user]ab$[assistant]cd$[user]e$[assistant]fgh$", "fgh$", new ChatExample("x", turns[..3], turns[3..]));
        AssertLearned("[user]ab$[assistant]fgh$[user]e$", "fgh$", new ChatExample("x", [], [turns[0], turns[3], turns[2]]));
    }

    private static void AssertLearned(string text, string learned, ChatExample example)
    {
        var encoded = new SftEncoder(new CharacterTokenizer(), "$", new BracketTemplate(), new SftEncoderConfig { AssistantOnly = true }).Encode(example)!;
        Assert.Equal(text, new CharacterTokenizer().Decode(encoded.Ids.Span));
        Assert.Equal(learned, new CharacterTokenizer().Decode(encoded.Ids.ToArray().Where((_, i) => encoded.IsLearned.Span[i]).ToArray()));
    }

    [Fact]
    public void A_conversation_needs_a_template() =>
        Assert.Contains("x is a conversation, but the model has no chat template",
            Assert.Throws<R1Exception>(() => new SftEncoder(new CharacterTokenizer(), "$").Encode(_chat)).Message);

    private static void AssertEncoded(string text, int promptLength, SftExample example, SftEncoderConfig? config = null)
    {
        var encoded = new SftEncoder(new CharacterTokenizer(), "$", new BracketTemplate(), config).Encode(example)!;
        Assert.Equal(text, new CharacterTokenizer().Decode(encoded.Ids.Span));
        Assert.Equal(promptLength, encoded.PromptLength);
    }

    /// <summary>One id a character.</summary>
    private sealed class CharacterTokenizer : ITokenizer
    {
        public int VocabularySize => char.MaxValue;

        public IReadOnlyDictionary<string, int> SpecialTokens { get; } = new Dictionary<string, int> { ["$"] = '$' };

        public int[] Encode(string text, bool parseSpecialTokens = false) => [.. text.Select(c => (int)c)];

        public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false) => string.Concat(ids.ToArray().Select(id => (char)id));

        public void Save(string folder) => throw new NotSupportedException();
    }

    private sealed class BracketTemplate : IChatTemplate
    {
        public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
            string.Concat(messages.Select(message => $"[{message.Role}]{message.Content}$")) + (addGenerationPrompt ? "[assistant]" : "");
    }
}
