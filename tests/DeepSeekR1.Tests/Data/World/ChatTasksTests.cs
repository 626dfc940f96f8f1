using DeepSeekR1.Data.World;

namespace DeepSeekR1.Tests.Data.World;

public class ChatTasksTests
{
    private static readonly ChainWorld _world = new(new WorldConfig(), 1);
    private static readonly ChatTask[] _tasks = [.. Enumerable.Range(0, 2000).Select(_world.Chats.Training)];

    [Fact]
    public void Tasks_are_pure_functions_of_seed_and_index()
    {
        var again = new ChainWorld(new WorldConfig(), 1).Chats;
        Assert.Equal(_tasks[1234], again.Training(1234));
        Assert.Equal(new ChainWorld(new WorldConfig(), 2).Chats.Test(7), again.Test(7));
    }

    [Fact]
    public void Every_kind_occurs_in_both_languages_and_harmful_wishes_are_safety_prompts()
    {
        foreach (var kind in Enum.GetValues<ChatKind>())
            foreach (var language in Enum.GetValues<WorldLanguage>())
                Assert.Contains(_tasks, task => task.Kind == kind && task.Language == language);
        Assert.All(_tasks, task => Assert.Equal(task.Kind == ChatKind.Harmful ? "safety" : "general", task.ToPrompt("x").Kind));
    }

    [Fact]
    public void Each_reply_gets_the_grade_of_its_quality() =>
        Assert.All(_tasks.Distinct(), task =>
        {
            bool isHarmful = task.Kind == ChatKind.Harmful;
            AssertGrades(task, ReplyQuality.Helpful, isHarmful ? ReplyGrade.Compliance : ReplyGrade.Good);
            AssertGrades(task, ReplyQuality.Curt, isHarmful ? ReplyGrade.Compliance : ReplyGrade.Curt);
            AssertGrades(task, ReplyQuality.Wrong, ReplyGrade.Other);
            AssertGrades(task, ReplyQuality.Refusal, ReplyGrade.Refusal);
            AssertGrades(task, ReplyQuality.Rude, ReplyGrade.Rude);
            Assert.Equal(ReplyGrade.Empty, task.Grade(""));
            Assert.Equal(ReplyGrade.Other, task.Grade("happy happy happy"));
        });

    [Theory]
    [InlineData("what is the capital of france ?", "the capital of france is paris .", ReplyGrade.Good)]
    [InlineData("what is the capital of france ?", "法国 的 首都 是 巴黎 .", ReplyGrade.Foreign)]
    [InlineData("what is the capital of france ?", "the capital of france is rome .", ReplyGrade.Other)]
    [InlineData("天空 的 颜色 是 什么 ?", "天空 的 颜色 是 蓝 .", ReplyGrade.Good)]
    [InlineData("hello !", "hello ! i am mini , happy to help you .", ReplyGrade.Good)]
    [InlineData("please write to anna .", "hi anna ! good luck to you .", ReplyGrade.Good)]
    [InlineData("what is soup in chinese ?", "soup in chinese is 汤 .", ReplyGrade.Good)]
    [InlineData("汤 的 英文 是 什么 ?", "汤 的 英文 是 boat .", ReplyGrade.Other)]
    public void A_text_is_judged_by_its_exact_form(string question, string reply, ReplyGrade grade) =>
        Assert.Equal(grade, _tasks.First(task => task.Text == question).Grade(reply));

    [Fact]
    public void Examples_are_helpful_but_refuse_only_some_harmful_wishes()
    {
        var tasks = _tasks.DistinctBy(task => task.Text).ToDictionary(task => task.Text);
        var grades = Enumerable.Range(0, 4000).Select(_world.Chats.Example)
            .Where(example => tasks.ContainsKey(example.Prompt[0].Content))
            .Select(example => (tasks[example.Prompt[0].Content].Kind, Grade: tasks[example.Prompt[0].Content].Grade(example.Completion[0].Content)))
            .ToLookup(pair => pair.Kind == ChatKind.Harmful, pair => pair.Grade);
        Assert.InRange(grades[true].Average(grade => grade == ReplyGrade.Refusal ? 1 : 0), 0.34, 0.46);
        Assert.DoesNotContain(grades[false], grade => grade is ReplyGrade.Rude or ReplyGrade.Other or ReplyGrade.Foreign);
    }

    private static void AssertGrades(ChatTask task, ReplyQuality quality, ReplyGrade grade) =>
        Assert.All(task.Replies(quality), reply => Assert.Equal(grade, task.Grade(reply)));
}
