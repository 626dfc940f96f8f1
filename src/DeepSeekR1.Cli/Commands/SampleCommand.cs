using System.CommandLine;
using DeepSeekR1.Configuration;
using DeepSeekR1.Runtime;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 sample</c>: streams a model's answers to standard output, or converses with it.</summary>
internal static class SampleCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string?> prompt = new("prompt") { Description = "The user's message; none with --chat.", Arity = ArgumentArity.ZeroOrOne };
        Option<string> model = new("--model") { Description = "Hugging Face folder of the model.", HelpName = "folder", Required = true };
        Option<bool> chat = new("--chat") { Description = "A conversation: one message a line; Ctrl+C stops the answer, an empty line or end of input the conversation." };
        Option<string?> system = new("--system") { Description = "A system message before it.", HelpName = "text" };
        Option<bool> raw = new("--raw") { Description = "Gives the prompt to the model as it is, without the chat template." };
        var count = Options.Number<int>("--n", "a whole number from 1", "Answers to the prompt, sampled together (1).", value => value > 0);
        var temperature = Options.Number<double>("--temperature", "a number from 0 to 100", "0 is greedy (0.6).", value => value is >= 0 and <= 100);
        var topP = Options.Number<double>("--top-p", "a number above 0, at most 1", "Keeps the likeliest tokens up to this probability (0.95).", value => value is > 0 and <= 1);
        var topK = Options.Number<int>("--top-k", "a whole number from 0", "Keeps this many of the likeliest tokens; 0 keeps all (0).", value => value >= 0);
        var minP = Options.Number<double>("--min-p", "a number from 0 to 1", "Drops tokens less likely than this share of the likeliest (0).", value => value is >= 0 and <= 1);
        var maxTokens = Options.Number<int>("--max-tokens", "a whole number from 1", "Most tokens of an answer (1024).", value => value > 0);
        var device = Options.Device();
        var dtype = Options.Choice<DtypeChoice>("--dtype", "dtype", "In what precision");
        var seed = Options.Seed();

        var command = new Command("sample", "Streams a model's answer.") { prompt, model, chat, system, raw, count, temperature, topP, topK, minP, maxTokens, device, dtype, seed };
        command.Validators.Add(result =>
        {
            bool isChat = result.GetValue(chat), hasPrompt = result.GetValue(prompt) is not null;
            if (isChat == hasPrompt) result.AddError(isChat ? "--chat takes its messages from the input: leave the prompt out." : "a prompt is missing: r1 sample --model folder \"prompt\", or --chat.");
            if (isChat && (result.GetValue(raw) || result.GetResult(count) is not null)) result.AddError("--chat goes with neither --raw nor --n.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var defaults = new SampleRequest { Model = parsed.GetRequiredValue(model) };
            var request = defaults with
            {
                Prompt = parsed.GetValue(prompt),
                System = parsed.GetValue(system),
                Raw = parsed.GetValue(raw),
                Count = parsed.GetValue(count) ?? defaults.Count,
                Temperature = parsed.GetValue(temperature) ?? defaults.Temperature,
                TopP = parsed.GetValue(topP) ?? defaults.TopP,
                TopK = parsed.GetValue(topK) ?? defaults.TopK,
                MinP = parsed.GetValue(minP) ?? defaults.MinP,
                MaxTokens = parsed.GetValue(maxTokens) ?? defaults.MaxTokens,
                Device = parsed.GetValue(device),
                Dtype = parsed.GetValue(dtype),
                Seed = parsed.GetValue(seed) ?? defaults.Seed,
            };
            if (parsed.GetValue(chat)) ChatLoop.Run(context, request, cancellationToken);
            else await AnswerAsync(context, request, cancellationToken);
        });
        return command;
    }

    private static async Task AnswerAsync(CliContext context, SampleRequest request, CancellationToken cancellationToken)
    {
        int last = 0;
        try
        {
            await foreach (var piece in context.Operations.SampleAsync(request, cancellationToken))
            {
                if (piece.Answer != last) await context.Out.WriteAsync("\n\n");
                last = piece.Answer;
                await context.Out.WriteAsync(context.Show(piece.Text));
                await context.Out.FlushAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            await context.Out.WriteLineAsync(" …");
            throw;
        }
        await context.Out.WriteLineAsync();
    }
}
