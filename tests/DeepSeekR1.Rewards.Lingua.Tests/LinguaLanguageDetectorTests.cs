using DeepSeekR1.Rewards.Tests;

namespace DeepSeekR1.Rewards.Lingua.Tests;

public class LinguaLanguageDetectorTests
{
    private static readonly LinguaLanguageDetector _detector = new();
    private static readonly LanguageConsistencyReward _reward = new() { LatinDetector = _detector };

    // Loads the models of seven languages and judges some 50,000 words.
    [Trait("Category", "Slow")]
    [Theory]
    [InlineData("en", "de")]
    [InlineData("en", "fr")]
    [InlineData("en", "es")]
    [InlineData("de", "fr")]
    [InlineData("de", "es")]
    [InlineData("fr", "es")]
    public async Task Shares_of_spliced_problems_are_right(string language, string other)
    {
        var errors = new List<double>();
        foreach (var splice in Splices.Make(language, other).Take(18))
        {
            var prompt = new Prompt { Id = "splice", Text = "", Language = language };
            var score = await _reward.ScoreAsync(prompt, new Completion { Text = splice.Text });
            errors.Add(Math.Abs(score.Value!.Value - splice.Share));
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"mean absolute error {errors.Average():F4}");
        Assert.InRange(errors.Average(), 0, 0.10);
    }

    [Fact]
    public async Task Auto_detects_the_language_of_the_prompt()
    {
        var prompt = new Prompt { Id = "1", Text = "Wie viele Eier legen die Enten an einem Tag?" };
        Assert.Equal(1.0, (await _reward.ScoreAsync(prompt, new Completion { Text = "Die Enten legen sechzehn Eier." })).Value);
        Assert.Equal(0.0, (await _reward.ScoreAsync(prompt, new Completion { Text = "The ducks lay sixteen eggs." })).Value);
    }

    [Fact]
    public void Unknown_languages_are_refused()
    {
        Assert.Contains("'xx'", Assert.Throws<ArgumentException>(() => new LinguaLanguageDetector(["en", "xx"])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new LinguaLanguageDetector(["en"]));
        Assert.Contains("'fi'", Assert.Throws<ArgumentException>(() => _detector.Share(["sana"], "fi")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_asked_for_by_name()
    {
        var registry = RewardRegistry.Default.WithLingua();
        var reward = Assert.IsType<LanguageConsistencyReward>(registry.Create("language:latin=lingua,latin-languages=en+de").Reward);
        Assert.NotNull(reward.LatinDetector);
        Assert.Null(Assert.IsType<LanguageConsistencyReward>(registry.Create("language").Reward).LatinDetector);
        Assert.Throws<FormatException>(() => registry.Create("language:latin=lingo"));
    }
}
