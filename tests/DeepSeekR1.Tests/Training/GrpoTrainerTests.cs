using DeepSeekR1.Checkpoints;
using DeepSeekR1.Models;
using DeepSeekR1.Rewards;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Stages;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public sealed class GrpoTrainerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("r1-trainer-");
    private readonly PolicyModel _policy;

    public GrpoTrainerTests()
    {
        var runtime = TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 });
        _policy = PolicyModel.Load(EmbeddedModels.Resolve("embedded:mini-base", _folder.FullName), runtime);
    }

    internal static GrpoConfig Config => new()
    {
        Steps = 1000,
        PromptsPerStep = 2,
        GroupSize = 8,
        Sampling = new SamplingConfig { MaxNewTokens = 24 },
        Loss = new GrpoLossConfig { EpsilonLow = 0.2, Beta = 0 },
        Optimizer = new OptimizerConfig { LearningRate = 1e-3 },
    };

    internal static Prompt Ask(int position) => new() { Id = $"p{position}", Text = $"tom has {position % 20} . may + 4 , june - 2 . how many now ?" };

    [Fact]
    public async Task A_few_steps_bring_what_is_paid_for()
    {
        var shorter = Reward.From("short", (_, completion) => -completion.TokenCount);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((shorter, 1)), Config) { Prompts = Ask };
        var lengths = new List<double>();
        await foreach (var step in trainer.TrainAsync(TestContext.Current.CancellationToken))
        {
            lengths.Add(step.Metrics["completions/mean_length"]);
            if (step.Step == 20) break;
        }
        Assert.True(lengths.TakeLast(5).Average() < 0.7 * lengths.Take(5).Average(), $"{lengths.Take(5).Average():0.0} → {lengths.TakeLast(5).Average():0.0} tokens");
    }

    [Fact]
    public async Task Sampler_and_trainer_agree_about_every_sampled_token()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), Config with { MiniBatches = 2, OldPolicy = OldPolicy.Sampler }) { Prompts = Ask };
        for (int i = 0; i < 3; i++)
        {
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            Assert.InRange(report.Metrics["sampling/logp_difference/max"], 1e-12, 1e-4);
        }
    }

    [Theory]
    [InlineData(DtypeChoice.Float32, 1, 1, false)]
    [InlineData(DtypeChoice.Float32, 2, 1, true)]
    [InlineData(DtypeChoice.Bfloat16, 1, 2, false)]
    public async Task In_bitwise_mode_sampler_and_trainer_agree_bit_for_bit(DtypeChoice dtype, int minibatches, int epochs, bool hasAdapter)
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        var config = Config with { MiniBatches = minibatches, InnerEpochs = epochs, Bitwise = true, Loss = Config.Loss with { Beta = 0.01 } };
        using var policy = PolicyModel.Load(_policy.Folder, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1, Dtype = dtype }));
        if (hasAdapter) policy.AttachAdapter(new LoraConfig(), new AddressedRandom(1, RandomPurpose.Weights));
        using var trainer = new GrpoTrainer(policy, WeightedRewards.Of((any, 1)), config) { Prompts = Ask };
        for (int i = 0; i < 3; i++)
        {
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, report.Metrics["sampling/logp_difference/max"]);
            Assert.Equal(0, report.Metrics["sampling/logp_difference/mean"]);
            // Policy and reference are the same model before the first update, and later ones move.
            if (i == 0 && minibatches * epochs == 1) Assert.Equal(0, report.Metrics["kl"]);
            Assert.True(report.Metrics["grad_norm"] > 0);
        }
        Assert.NotEqual(0, (await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics["kl"]);
    }

    [Fact]
    public async Task Bitwise_mode_learns_what_the_other_learns()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        async Task<IReadOnlyDictionary<string, double>> StepAsync(bool bitwise)
        {
            using var policy = PolicyModel.Load(_policy.Folder, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1 }));
            using var trainer = new GrpoTrainer(policy, WeightedRewards.Of((any, 1)), Config with { MiniBatches = 4, Bitwise = bitwise, Loss = Config.Loss with { Beta = 0.01 } }) { Prompts = Ask };
            return (await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics;
        }
        var (exact, usual) = (await StepAsync(bitwise: true), await StepAsync(bitwise: false));
        foreach (string metric in new[] { "loss", "grad_norm", "kl", "entropy", "clip_ratio/region_mean" })
            Assert.InRange(Math.Abs(exact[metric] - usual[metric]), 0, 1e-3 * Math.Max(1e-3, Math.Abs(usual[metric])));
        Assert.True(usual["sampling/logp_difference/max"] > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Neither_old_policy_nor_reference_reads_what_will_not_run(bool bitwise)
    {
        // A token that no model can read: it must not come to that.
        TrainingSample Completion(int last, float credit) => new() { Ids = new[] { 5, 6, 7, last }, PromptLength = 2, Credit = new[] { credit, credit }, Normalizer = new[] { 0.5f, 0.5f } };
        TrainingSample[] samples = [Completion(8, 1), Completion(1_000_000, 0), Completion(9, -1)];
        var config = Config with { MiniBatches = 2, Bitwise = bitwise, Loss = Config.Loss with { Beta = 0.01 } };
        using var reference = new ReferenceModel(_policy.Model);
        TrainingSample[] attached = [.. new ComparedPolicies(_policy, config).Attach([samples[..1], samples[1..]], reference).SelectMany(step => step)];
        Assert.Equal([2, 0, 2], attached.Select(sample => sample.ReferenceLogProbs.Length));
        // In bitwise mode the sampler's log-probabilities are the old policy's.
        Assert.Equal(bitwise ? [0, 0, 0] : [2, 0, 2], attached.Select(sample => sample.OldLogProbs.Length));
    }

    [Fact]
    public async Task KL_in_the_loss_is_measured_over_what_ran()
    {
        var picky = Reward.From("picky", (prompt, completion) => prompt.Id == "p1" ? completion.Text.Sum(letter => letter) % 97 : 1.0);
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((picky, 1)), Config with { Loss = Config.Loss with { Beta = 0.01 } }) { Prompts = Ask };
        using (TorchSharp.torch.no_grad())
            foreach (var parameter in _policy.Model.Parameters.Values) parameter.mul_(1.05);
        _policy.WeightsChanged();
        var report = await trainer.StepAsync(TestContext.Current.CancellationToken);

        using var reference = PolicyModel.Load(_policy.Folder, _policy.Runtime);
        var ran = report.Groups.SelectMany(group => group.Group.Rollouts).Zip(report.Advantages).Where(pair => pair.Second != 0).Select(pair => pair.First).ToList();
        Assert.InRange(ran.Count, 1, 8);
        var samples = ran.Select(rollout => new TrainingSample
        {
            Ids = (int[])[.. rollout.PromptIds.Span, .. rollout.Ids.Span],
            PromptLength = rollout.PromptIds.Length,
            Credit = new float[rollout.Ids.Length],
            Normalizer = Enumerable.Repeat(1f, rollout.Ids.Length).ToArray(),
        }).ToList();
        float[][] ofReference = new SequenceScorer(reference.Model, Config.Sampling.Temperature, Config.Batching).LogProbs(samples);
        double kl = ran.Zip(ofReference).SelectMany(pair => pair.Second.Select((f, i) => (double)f - pair.First.LogProbs.Span[i])).Average(difference => Math.Exp(difference) - difference - 1);
        Assert.True(kl > 1e-4, $"kl {kl}");
        Assert.Equal(kl, report.Metrics["kl"], 1e-3 * kl);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_step_without_any_advantage_moves_nothing_unless_KL_is_asked_of_it(bool bitwise)
    {
        var none = Reward.From("none", (_, _) => 1.0);
        async Task<IReadOnlyDictionary<string, double>> StepAsync(bool skips)
        {
            var config = Config with { MiniBatches = 2, Bitwise = bitwise, Loss = Config.Loss with { Beta = 0.01, SkipZeroAdvantages = skips } };
            using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((none, 1)), config) { Prompts = Ask };
            return (await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics;
        }
        var before = _policy.Model.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone());
        var skipped = await StepAsync(skips: true);
        Assert.DoesNotContain("kl", skipped.Keys);
        Assert.All(_policy.Model.Parameters, p => Assert.Equal(0, p.Value.LargestDifference(before[p.Key])));
        Assert.Contains("kl", (await StepAsync(skips: false)).Keys);
        foreach (var tensor in before.Values) tensor.Dispose();
    }

    [Fact]
    public async Task KL_in_the_reward_moves_advantages_and_adds_nothing_to_the_loss()
    {
        var none = Reward.From("none", (_, _) => 1.0);
        var config = Config with { ToleratedStepsWithoutSignal = 0, Loss = Config.Loss with { Beta = 0.5, KlPlacement = KlPlacement.Reward, Baseline = AdvantageBaseline.LeaveOneOut, AdvantageScale = AdvantageScale.None } };
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((none, 1)), config) { Prompts = Ask };
        var first = await trainer.StepAsync(TestContext.Current.CancellationToken);
        // Policy and reference are the same model up to rounding: nothing to pay for.
        Assert.InRange(Math.Abs(first.Metrics["kl"]), 0, 1e-5);
        Assert.All(first.Advantages, advantage => Assert.InRange(Math.Abs(advantage), 0, 1e-3));
        using (TorchSharp.torch.no_grad())
            foreach (var parameter in _policy.Model.Parameters.Values) parameter.mul_(1.05);
        _policy.WeightsChanged();
        var second = await trainer.StepAsync(TestContext.Current.CancellationToken);
        Assert.True(second.Metrics["kl"] > 1e-4, $"kl {second.Metrics["kl"]}");
        Assert.Contains(second.Advantages, advantage => Math.Abs(advantage) > 1e-3);
        Assert.Equal(1, second.Metrics["reward"]);
        // Leave-one-out advantages of a group cancel.
        Assert.Equal(0, second.Advantages.Take(8).Sum(), 1e-9);
    }

    [Fact]
    public async Task The_entropy_bonus_grows_while_entropy_is_below_its_target_and_outlives_a_checkpoint()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        var config = Config with { Loss = Config.Loss with { EntropyBonus = 0.01, AdaptiveEntropy = new AdaptiveEntropyConfig { Target = 100, Step = 0.004, Max = 0.02 } } };
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), config) { Prompts = Ask };
        var coefficients = new List<double>();
        for (int i = 0; i < 4; i++) coefficients.Add((await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics["entropy_coef"]);
        Assert.Equal([0.014, 0.018, 0.02, 0.02], coefficients, (a, b) => Math.Abs(a - b) < 1e-12);

        string folder = Path.Combine(_folder.FullName, "saved");
        trainer.Save(folder);
        using var policy = PolicyModel.Load(folder, _policy.Runtime);
        var above = config with { Loss = config.Loss with { AdaptiveEntropy = config.Loss.AdaptiveEntropy! with { Target = 0 } } };
        using var resumed = new GrpoTrainer(policy, WeightedRewards.Of((any, 1)), above) { Prompts = Ask };
        resumed.Restore(folder);
        Assert.Equal(0.016, (await resumed.StepAsync(TestContext.Current.CancellationToken)).Metrics["entropy_coef"], 1e-12);
    }

    [Fact]
    public void Above_its_target_entropy_earns_no_bonus()
    {
        var config = new AdaptiveEntropyConfig { Target = 0.5, Step = 0.1, Min = 0.05, Max = 0.3 };
        var control = new EntropyControl(0.2, null);
        Assert.Equal(0.2, control.Applied(config));
        control = control.After(0.6, config);
        Assert.Equal((0.1, 0.0), (control.Coefficient, control.Applied(config)));
        control = control.After(0.6, config).After(0.5, config);
        Assert.Equal((0.15, 0.15), (control.Coefficient, control.Applied(config)), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-12 && Math.Abs(a.Item2 - b.Item2) < 1e-12);
    }

    [Fact]
    public async Task A_reference_is_replaced_by_a_mixture_where_one_is_asked_for()
    {
        var any = Reward.From("any", (_, completion) => completion.Text.Length % 3);
        var old = _policy.Model.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone());
        var config = Config with { ReferenceReplacedEvery = 2, ReferenceMixup = 0.25, Loss = Config.Loss with { Beta = 0.01 } };
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((any, 1)), config) { Prompts = Ask };
        await trainer.StepAsync(TestContext.Current.CancellationToken);
        await trainer.StepAsync(TestContext.Current.CancellationToken);
        string folder = Path.Combine(_folder.FullName, "mixed");
        trainer.Save(folder);
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var saved = SafeTensors.Open(Path.Combine(folder, "reference.safetensors"));
        foreach (var (name, start) in old)
        {
            var expected = start * 0.75 + _policy.Model.Parameters[name].detach() * 0.25;
            Assert.InRange(saved.Read(name).LargestDifference(expected), 0, 1e-6);
            start.Dispose();
        }
    }

    [Fact]
    public void Mixtures_of_adapters_are_refused()
    {
        using var policy = PolicyModel.Load(_policy.Folder, _policy.Runtime);
        policy.AttachAdapter(new LoraConfig(), new AddressedRandom(1, RandomPurpose.Weights));
        var config = Config with { ReferenceReplacedEvery = 1, ReferenceMixup = 0.5, Loss = Config.Loss with { Beta = 0.01 } };
        var failure = Assert.Throws<R1Exception>(() => new GrpoTrainer(policy, WeightedRewards.Of((Reward.From("any", (_, _) => 1.0), 1)), config));
        Assert.Contains("grpo.referenceMixup", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bitwise_mode_is_refused_where_the_sampler_depends_on_the_batch()
    {
        using var policy = PolicyModel.Load(_policy.Folder, TorchRuntime.Create(new RuntimeConfig { Device = DeviceChoice.Cpu, Threads = 1, Kernels = KernelChoice.Torch }));
        var any = Reward.From("any", (_, _) => 1.0);
        var failure = Assert.Throws<R1Exception>(() => new GrpoTrainer(policy, WeightedRewards.Of((any, 1)), Config with { Bitwise = true }));
        Assert.Contains("grpo.bitwise", failure.Message, StringComparison.Ordinal);
        Assert.Contains("runtime.kernels", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_reward_masks_its_samples_and_too_many_failures_end_the_run_with_their_cause()
    {
        var sometimes = Reward.From("sometimes", (prompt, completion) => completion.Text.Length % 4 == 0 ? throw new InvalidOperationException("no service") : completion.TokenCount);
        using (var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((sometimes, 1)), Config with { ToleratedRewardFailures = 1 }) { Prompts = Ask })
        {
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            int failed = report.Groups.SelectMany(group => group.Scores).Count(score => score.Total is null);
            Assert.InRange(failed, 1, 15);
            Assert.Equal(failed / 16.0, report.Metrics["rewards/sometimes/failed"], 12);
        }
        using var strict = new GrpoTrainer(_policy, WeightedRewards.Of((sometimes, 1)), Config with { ToleratedRewardFailures = 0 }) { Prompts = Ask };
        var failure = await Assert.ThrowsAsync<RewardFailureException>(() => strict.StepAsync(TestContext.Current.CancellationToken));
        Assert.Contains("'sometimes'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no service", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Updates_whose_gradient_is_not_finite_are_counted_and_end_the_run_when_they_are_too_many()
    {
        // The norm's square is beyond single precision, the loss is not.
        double size = 1e30;
        var reward = Reward.From("vast", (_, completion) => size * (completion.Text.Length % 3));
        var config = Config with { ToleratedSkips = 1, Loss = Config.Loss with { AdvantageScale = AdvantageScale.None } };
        using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((reward, 1)), config) { Prompts = Ask };
        using var scope = TorchSharp.torch.NewDisposeScope();
        var before = _policy.Model.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone());
        bool HasMoved() => _policy.Model.Parameters.Any(p => p.Value.LargestDifference(before[p.Key]) > 0);

        var skipped = await trainer.StepAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, skipped.Metrics["updates/skipped"]);
        Assert.True(double.IsFinite(skipped.Metrics["loss"]) && !double.IsFinite(skipped.Metrics["grad_norm"]));
        Assert.False(HasMoved());
        size = 1;
        Assert.Equal(0, (await trainer.StepAsync(TestContext.Current.CancellationToken)).Metrics["updates/skipped"]);
        Assert.True(HasMoved());
        size = 1e30;
        await trainer.StepAsync(TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<R1Exception>(() => trainer.StepAsync(TestContext.Current.CancellationToken));
        Assert.Contains("in 2 updates in a row", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_without_signal_are_replaced_by_further_prompts_up_to_the_bound()
    {
        // Every third prompt has something to learn from.
        var picky = Reward.From("picky", (prompt, completion) => int.Parse(prompt.Id[1..], System.Globalization.CultureInfo.InvariantCulture) % 3 == 2 ? completion.Text.Sum(letter => letter) % 97 : 1.0);
        async Task<string> StepAsync(int rounds)
        {
            using var trainer = new GrpoTrainer(_policy, WeightedRewards.Of((picky, 1)), Config with { SamplingRounds = rounds }) { Prompts = Ask };
            var report = await trainer.StepAsync(TestContext.Current.CancellationToken);
            return $"{string.Join(' ', report.Groups.Select(group => group.Group.Prompt.Index))} of {report.Metrics["num_prompts"]}";
        }
        Assert.Equal("0 1 of 2", await StepAsync(rounds: 1));
        Assert.Equal("0 2 of 4", await StepAsync(rounds: 2));
        Assert.Equal("2 5 of 6", await StepAsync(rounds: 9));
    }

    public void Dispose()
    {
        _policy.Dispose();
        _folder.Delete(recursive: true);
    }
}
