using System.Text.Json;
using DeepSeekR1.Training;

namespace DeepSeekR1.Tests.Training;

public class LrScheduleTests
{
    [Fact]
    public void Learning_rates_equal_the_reference()
    {
        foreach (var row in GoldenFile.Rows("optim", "schedules.jsonl"))
        {
            double peak = row.Number("base_lr");
            var schedule = new LrSchedule(ConfigOf(row, peak), peak, row.GetProperty("total").GetInt32());
            double[] expected = row.Numbers("lrs");
            for (int step = 0; step < expected.Length; step++)
                Assert.True(Math.Abs(schedule.At(step) - expected[step]) <= 1e-12 * peak,
                    $"{row.Text("name")} {row.GetProperty("kwargs")} warmup {row.GetProperty("warmup")}, step {step}: {schedule.At(step)}, expected {expected[step]}");
        }
    }

    private static ScheduleConfig ConfigOf(JsonElement row, double peak)
    {
        string name = row.Text("name");
        var options = row.GetProperty("kwargs");
        double? Option(string option) => options.NumberOrNull(option);
        RampShape Shape(string option, RampShape otherwise) => !options.TryGetProperty(option, out var shape) ? otherwise
            : shape.GetString() switch { "linear" => RampShape.Linear, "cosine" => RampShape.Cosine, _ => RampShape.OneMinusSqrt };
        const double PolynomialEndOfTransformers = 1e-7;
        return new ScheduleConfig
        {
            Kind = name switch
            {
                "constant" or "constant_with_warmup" => ScheduleKind.Constant,
                "linear" => ScheduleKind.Linear,
                "cosine_warmup_with_min_lr" => ScheduleKind.CosineOneAhead,
                "cosine_with_restarts" => ScheduleKind.CosineWithRestarts,
                "polynomial" => ScheduleKind.Polynomial,
                "inverse_sqrt" => ScheduleKind.InverseSqrt,
                "warmup_stable_decay" => ScheduleKind.WarmupStableDecay,
                _ => ScheduleKind.Cosine,
            },
            // transformers ignores warmup for "constant"; here it is one kind.
            WarmupSteps = name == "constant" ? 0 : row.GetProperty("warmup").GetInt32(),
            WarmupStartRatio = Option("warmup_lr_rate") ?? 0,
            MinRatio = Option("min_lr_rate") ?? Option("min_lr_ratio") ?? Option("min_lr") / peak
                ?? (name == "polynomial" ? (Option("lr_end") ?? PolynomialEndOfTransformers) / peak : 0),
            Cycles = Option("num_cycles"),
            Power = Option("power") ?? 1,
            DecaySteps = (int)(Option("num_decay_steps") ?? 0),
            WarmupShape = Shape("warmup_type", RampShape.Linear),
            DecayShape = Shape("decay_type", RampShape.Cosine),
        };
    }
}
