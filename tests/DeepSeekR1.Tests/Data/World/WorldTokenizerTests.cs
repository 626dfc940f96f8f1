using DeepSeekR1.Data.World;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Data.World;

public class WorldTokenizerTests
{
    [Fact]
    public void Every_text_of_the_world_survives_the_word_level_tokenizer()
    {
        var world = new ChainWorld(new WorldConfig(), 2);
        var specials = new WordLevelSpecialTokens(WorldVocabulary.Padding, WorldVocabulary.User, WorldVocabulary.EndOfText) { Others = [WorldVocabulary.Assistant] };
        var tokenizer = new WordLevelTokenizer(world.Vocabulary.Words, specials, WorldVocabulary.ChatTemplate);
        int unknown = tokenizer.Encode("nobody")[0];
        for (int i = 0; i < 5000; i++)
        {
            var document = world.Corpus.Document(i);
            string text = (document.Prompt + document.Completion).Trim();
            int[] ids = tokenizer.Encode(text + WorldVocabulary.EndOfText, parseSpecialTokens: true);
            Assert.DoesNotContain(unknown, ids);
            Assert.Equal(text + " <eos>", tokenizer.Decode(ids));
            Assert.Equal(text.Split(' ').Length + 1, ids.Length);
        }
    }

    [Fact]
    public void The_tags_of_an_answer_are_seen_by_its_reader()
    {
        var world = new ChainWorld(new WorldConfig(), 2);
        var tokenizer = new WordLevelTokenizer(world.Vocabulary.Words);
        string answer = world.ColdStart(0).Completion[0].Content;
        Assert.Equal(answer, tokenizer.Decode(tokenizer.Encode(answer), skipSpecialTokens: true));
    }
}
