using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public class PassAtKAdvantagesTests
{
    [Theory]
    [InlineData(8, 2, 4)]
    [InlineData(8, 1, 2)]
    [InlineData(16, 5, 4)]
    public void Right_and_wrong_answers_have_the_papers_advantages(int samples, int right, int k)
    {
        int wrong = samples - right;
        double mean = 1 - Choose(wrong, k) / Choose(samples, k), deviation = Math.Sqrt(mean * (1 - mean));
        double ofRight = (1 - mean) / deviation, ofWrong = (1 - mean - Choose(wrong - 1, k - 1) / Choose(samples - 1, k - 1)) / deviation;
        double?[] scores = [.. Enumerable.Range(0, samples).Select(i => i < right ? 1.0 : (double?)0)];
        double[] advantages = PassAtKAdvantages.Of(scores, [samples], k);
        for (int i = 0; i < samples; i++) Assert.Equal(i < right ? ofRight : ofWrong, advantages[i], 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void Any_scores_have_the_advantages_that_counting_all_subsets_gives(int k)
    {
        double[] scores = [0.3, -1, 2, 0.3, 0.9, 1.4];
        int[][] subsets = [.. Enumerable.Range(0, 1 << scores.Length).Select(mask => Enumerable.Range(0, scores.Length).Where(i => (mask >> i & 1) == 1).ToArray()).Where(subset => subset.Length == k)];
        double[] best = [.. subsets.Select(subset => subset.Max(i => scores[i]))];
        double mean = best.Average(), deviation = Math.Sqrt(best.Average(value => (value - mean) * (value - mean)));
        double[] advantages = PassAtKAdvantages.Of([.. scores.Select(score => (double?)score)], [scores.Length], k);
        for (int i = 0; i < scores.Length; i++)
        {
            double withIt = subsets.Zip(best).Where(pair => pair.First.Contains(i)).Average(pair => pair.Second);
            Assert.Equal(deviation == 0 ? 0 : (withIt - mean) / deviation, advantages[i], 1e-12);
        }
    }

    [Fact]
    public void Groups_that_all_find_it_or_are_too_small_teach_nothing_and_abstentions_are_left_out() =>
        Assert.Equal([0, 0, 0, 0, 0, 1, -1, 0], PassAtKAdvantages.Of([1, 1, 1, 1, null, 1, 0, null], [4, 1, 3], 1).Select(advantage => Math.Round(advantage, 12)));

    private static double Choose(int n, int k) => k < 0 || k > n ? 0 : Enumerable.Range(1, k).Aggregate(1.0, (product, i) => product * (n - k + i) / i);
}
