using DeepSeekR1.Data;

namespace DeepSeekR1.Tests.Data;

public class PromptScheduleTests
{
    [Fact]
    public void Every_epoch_has_each_row_once_in_an_order_of_its_own()
    {
        var schedule = new PromptSchedule(50, seed: 3);
        int[] first = schedule.Next(50), second = schedule.Next(50);
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(2, schedule.Epoch);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(23)]
    public void A_restored_schedule_goes_on_where_it_was(int drawn)
    {
        var whole = new PromptSchedule(10, seed: 5);
        int[] all = whole.Next(40);
        var interrupted = new PromptSchedule(10, seed: 5);
        interrupted.Next(drawn);
        var resumed = new PromptSchedule(10, seed: 5, interrupted.Position);
        Assert.Equal(all[drawn..], resumed.Next(40 - drawn));
    }

    [Fact]
    public void Seeds_have_different_orders() =>
        Assert.NotEqual(new PromptSchedule(50, seed: 1).Next(50), new PromptSchedule(50, seed: 2).Next(50));

    [Fact]
    public void There_is_nothing_to_draw_from_an_empty_data_set() =>
        Assert.Contains("no rows", Assert.Throws<R1Exception>(() => new PromptSchedule(0, seed: 1)).Message);
}
