using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli.Commands;

/// <summary>A conversation on standard input and output: one message a line.</summary>
internal static class ChatLoop
{
    /// <summary>Runs until an empty line or the end of the input. Ctrl+C stops an answer; where none is under way it ends the program.</summary>
    public static void Run(CliContext context, SampleRequest request, CancellationToken cancellationToken)
    {
        using var conversation = context.Operations.Converse(request);
        while (Ask(context) is { Length: > 0 } message)
        {
            using var answer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var interrupted = context.OnInterrupt(answer.Cancel);
            try
            {
                conversation.Answer(message, text =>
                {
                    context.Out.Write(context.Show(text));
                    context.Out.Flush();
                }, answer.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                context.Out.Write(" …");
            }
            context.Out.WriteLine();
        }
    }

    private static string? Ask(CliContext context)
    {
        if (context.Terminal is not null) context.Out.Write("> ");
        return context.In.ReadLine();
    }
}
