using System.CommandLine;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 sample</c>: streams a model's answer to standard output.</summary>
internal static class SampleCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> prompt = new("prompt") { Description = "The user's message." };
        Option<string> model = new("--model") { Description = "Hugging Face folder of the model.", HelpName = "folder", Required = true };
        Option<string?> system = new("--system") { Description = "A system message before it.", HelpName = "text" };
        var temperature = Options.Number<double>("--temperature", "a number from 0 to 100", "0 is greedy (0.6).", value => value is >= 0 and <= 100);
        var topP = Options.Number<double>("--top-p", "a number above 0, at most 1", "Keeps the likeliest tokens up to this probability (0.95).", value => value is > 0 and <= 1);
        var maxNewTokens = Options.Number<int>("--max-new-tokens", "a whole number from 1", "Most tokens of the answer (1024).", value => value > 0);
        var device = Options.Device();
        var seed = Options.Seed();

        var command = new Command("sample", "Streams a model's answer.") { prompt, model, system, temperature, topP, maxNewTokens, device, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var defaults = new SampleRequest { Model = parsed.GetRequiredValue(model), Prompt = parsed.GetRequiredValue(prompt) };
            var request = defaults with
            {
                System = parsed.GetValue(system),
                Temperature = parsed.GetValue(temperature) ?? defaults.Temperature,
                TopP = parsed.GetValue(topP) ?? defaults.TopP,
                MaxNewTokens = parsed.GetValue(maxNewTokens) ?? defaults.MaxNewTokens,
                Device = parsed.GetValue(device),
                Seed = parsed.GetValue(seed) ?? defaults.Seed,
            };
            await foreach (string piece in context.Operations.SampleAsync(request, cancellationToken))
            {
                await context.Out.WriteAsync(context.Show(piece));
                await context.Out.FlushAsync(cancellationToken);
            }
            await context.Out.WriteLineAsync();
        });
        return command;
    }
}
