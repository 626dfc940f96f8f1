using DeepSeekR1.Stages;

namespace DeepSeekR1.Tests.Stages;

public class StageProfileTests
{
    [Fact]
    public void Phases_are_summed_over_the_steps_in_their_order()
    {
        var profile = new StageProfile();
        profile.Add(new OrderedDictionary<string, double> { ["rollout"] = 2, ["forward"] = 1 });
        profile.Add(new OrderedDictionary<string, double> { ["rollout"] = 4, ["forward"] = 0.5, ["backward"] = 0.4 });
        Assert.Equal(
            [
                "zero: 2 steps, 7.90 s",
                "  rollout         6.00 s   75.9 %",
                "  forward         1.50 s   19.0 %",
                "  backward        0.40 s    5.1 %",
            ],
            profile.Table("zero"));
    }
}
