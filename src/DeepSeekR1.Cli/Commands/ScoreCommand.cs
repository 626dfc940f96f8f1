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
        Option<string[]> rewards = new("--reward") { Description = "Name of a reward; may be repeated (accuracy, format).", HelpName = "name", DefaultValueFactory = _ => [] };

        var command = new Command("score", "Judges completions by the rewards that training would pay.") { data, rewards };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new ScoreRequest { Data = parsed.GetRequiredValue(data), Rewards = parsed.GetValue(rewards) ?? [] };
            IReadOnlyList<Figure> figures = [];
            await context.ObserveAsync(async observer => figures = await context.Operations.ScoreAsync(request, observer, cancellationToken));
            FigureList.Write(context, figures);
        });
        return command;
    }
}
