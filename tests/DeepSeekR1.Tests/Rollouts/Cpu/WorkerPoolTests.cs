using DeepSeekR1.Rollouts.Cpu;

namespace DeepSeekR1.Tests.Rollouts.Cpu;

public class WorkerPoolTests
{
    public static TheoryData<int> Sizes => [1, 2, 3, 5];

    [Theory, MemberData(nameof(Sizes))]
    public void Members_meet_before_any_goes_on(int size)
    {
        using var pool = new WorkerPool(size);
        for (int round = 0; round < 200; round++)
        {
            int arrived = 0, wrong = 0;
            pool.RunTogether(team =>
            {
                for (int stage = 1; stage <= 5; stage++)
                {
                    Interlocked.Increment(ref arrived);
                    team.Meet();
                    if (Volatile.Read(ref arrived) != stage * size) Interlocked.Increment(ref wrong);
                    team.Meet();
                }
            });
            Assert.Equal((5 * size, 0), (arrived, wrong));
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Each_part_is_done_once_by_some_member(int size)
    {
        using var pool = new WorkerPool(size);
        for (int round = 0; round < 200; round++)
        {
            int[] done = new int[round % 17], busy = new int[size];
            pool.RunParts(done.Length, (member, part) =>
            {
                Assert.Equal(1, Interlocked.Increment(ref busy[member]));
                Interlocked.Increment(ref done[part]);
                Interlocked.Decrement(ref busy[member]);
            });
            Assert.All(done, count => Assert.Equal(1, count));
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void A_failure_reaches_the_caller_and_the_pool_goes_on(int size)
    {
        using var pool = new WorkerPool(size);
        for (int round = 0; round < 20; round++)
        {
            int failing = round % size;
            Assert.Equal("together", Assert.Throws<InvalidOperationException>(() => pool.RunTogether(team =>
            {
                if (team.Member == failing) throw new InvalidOperationException("together");
                team.Meet();
            })).Message);
            Assert.Equal("part", Assert.Throws<InvalidOperationException>(() => pool.RunParts(7, (_, part) =>
            {
                if (part == 3) throw new InvalidOperationException("part");
            })).Message);
            int count = 0;
            pool.RunParts(9, (_, _) => Interlocked.Increment(ref count));
            Assert.Equal(9, count);
        }
    }
}
