using System.CommandLine;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 score</c>: judges completions that are already there.</summary>
internal static class ScoreCommand
{
    public static Command Create(CliContext context)
    {
        Option<string> data = new("--data") { Description = "JSONL file of completions with what is needed to judge them.", HelpName = "file", Required = true };
        Option<string[]> rewards = new("--reward") { Description = "A reward with its options; may be repeated (accuracy, format).", HelpName = "name:option=value,…", DefaultValueFactory = _ => [] };
        Option<string?> output = new("--output") { Description = "JSONL file of each row's scores and reasons.", HelpName = "file" };
        var minMean = Options.Number<double>("--min-mean", "a number", "Fails (exit code 1) when the mean reward is lower.");

        var command = new Command("score", "Judges completions by the rewards that training would pay.") { data, rewards, output, minMean };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new ScoreRequest { Data = parsed.GetRequiredValue(data), Rewards = parsed.GetValue(rewards) ?? [], Output = parsed.GetValue(output) };
            IReadOnlyList<Figure> figures = [];
            await context.ObserveAsync(async observer => figures = await context.Operations.ScoreAsync(request, observer, cancellationToken));
            FigureList.Write(context, figures);
            double mean = figures.Single(figure => figure.Name == Figures.MeanReward).Value;
            // A mean that is not a number is no mean at all: it fails too.
            if (parsed.GetValue(minMean) is { } least && !(mean >= least)) throw new R1Exception($"the mean reward {mean:0.####} is below --min-mean {least:0.####}.");
        });
        return command;
    }
}
