using System.CommandLine;
using DeepSeekR1.Configuration;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 eval</c>: measures a model on prompts with answers.</summary>
internal static class EvalCommand
{
    public static Command Create(CliContext context)
    {
        Option<string> model = new("--model") { Description = "Hugging Face folder of the model.", HelpName = "folder", Required = true };
        Option<string> data = new("--data") { Description = "JSONL file of prompts with answers.", HelpName = "file", Required = true };
        var samples = Options.Number<int>("-k", "a whole number from 1", "Samples a prompt (4).", value => value > 0);
        var limit = Options.Number<int>("--limit", "a whole number from 1", "Most prompts, from the first (all).", value => value > 0);
        Option<string?> config = Options.Config();
        Option<string[]> set = Options.Set();
        var device = Options.Device();
        var seed = Options.Seed();

        var command = new Command("eval", "Measures a model: pass@1 with its standard error, pass@k, majority.") { model, data, samples, limit, config, set, device, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new EvalRequest
            {
                Model = parsed.GetRequiredValue(model),
                Data = parsed.GetRequiredValue(data),
                Samples = parsed.GetValue(samples) ?? 4,
                Limit = parsed.GetValue(limit),
                Config = parsed.GetValue(config),
                Overrides = parsed.GetValue(set) ?? [],
                Device = parsed.GetValue(device),
                Seed = parsed.GetValue(seed),
            };
            IReadOnlyList<Figure> figures = [];
            await context.ObserveAsync(async observer => figures = await context.Operations.EvaluateAsync(request, observer, cancellationToken));
            FigureList.Write(context, figures);
        });
        return command;
    }
}
