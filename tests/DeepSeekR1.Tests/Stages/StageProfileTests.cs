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

    [Fact]
    public void Operations_are_summed_beside_the_phases_and_sampling_counts_as_one()
    {
        var profile = new StageProfile();
        profile.Add(new OrderedDictionary<string, double> { ["sampling"] = 1, ["forward"] = 3 }, new OrderedDictionary<string, double> { ["products"] = 2, ["attention"] = 0.5 });
        profile.Add(new OrderedDictionary<string, double> { ["sampling"] = 1, ["forward"] = 5 }, new OrderedDictionary<string, double> { ["products"] = 4, ["attention"] = 0.5 });
        Assert.Equal(
            [
                "zero: 2 steps, 10.00 s",
                "  sampling        2.00 s   20.0 %",
                "  forward         8.00 s   80.0 %",
                "by operation:",
                "  products        6.00 s   60.0 %",
                "  attention       1.00 s   10.0 %",
                "  sampling        2.00 s   20.0 %",
                "  together        9.00 s   90.0 %",
            ],
            profile.Table("zero"));
    }
}
