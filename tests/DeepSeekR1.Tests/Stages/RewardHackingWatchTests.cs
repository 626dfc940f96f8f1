using DeepSeekR1.Stages;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Stages;

public class RewardHackingWatchTests
{
    [Theory]
    [InlineData(-0.02, +0.02, 1)]
    [InlineData(+0.02, +0.02, 0)]
    [InlineData(-0.02, -0.02, 0)]
    [InlineData(0, +0.02, 0)]
    public void It_warns_once_where_the_rule_falls_and_the_model_rises(double ruleSlope, double modelSlope, int warnings)
    {
        var heard = new List<string>();
        var watch = new RewardHackingWatch("rewards/accuracy/mean", "rewards/helpful/mean", heard.Add);
        for (int step = 1; step <= 30; step++)
            watch.See(new StepReport(step, new Dictionary<string, double> { ["rewards/accuracy/mean"] = 0.9 + ruleSlope * step, ["rewards/helpful/mean"] = 0.5 + modelSlope * step }, new Dictionary<string, double>()));
        Assert.Equal(warnings, heard.Count);
        if (warnings > 0) Assert.StartsWith("step 10: rewards/helpful/mean rose by 0.100 while rewards/accuracy/mean fell by 0.100", heard[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_in_which_one_of_them_did_not_speak_do_not_count()
    {
        var heard = new List<string>();
        var watch = new RewardHackingWatch("a", "b", heard.Add);
        for (int step = 1; step <= 30; step++) watch.See(new StepReport(step, new Dictionary<string, double> { ["a"] = 1 - 0.02 * step }, new Dictionary<string, double>()));
        Assert.Empty(heard);
    }
}
