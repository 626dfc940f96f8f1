using System.Collections.Concurrent;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli.Commands;

/// <summary>A conversation on standard input and output: one message a line.</summary>
internal static class ChatLoop
{
    /// <summary>Runs until an empty line or the end of the input. Ctrl+C stops an answer; where none is under way it ends the conversation.</summary>
    public static void Run(CliContext context, SampleRequest request, CancellationToken cancellationToken)
    {
        using var conversation = context.Operations.Converse(request);
        while (Ask(context, cancellationToken) is { Length: > 0 } message)
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

    /// <summary>The next message; null where there is none.</summary>
    private static string? Ask(CliContext context, CancellationToken cancellationToken)
    {
        if (context.Terminal is not null) context.Out.Write("> ");
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var interrupted = context.OnInterrupt(left.Cancel);
        try
        {
            return ReadLine(context.In, left.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            context.Out.WriteLine();
            return null;
        }
    }

    /// <summary>Reading cannot be cancelled: a line that is being typed is left to a thread that ends with the program.</summary>
    private static string? ReadLine(TextReader input, CancellationToken cancellationToken)
    {
        var lines = new BlockingCollection<string?>();
        _ = Task.Run(() =>
        {
            try
            {
                lines.Add(input.ReadLine());
            }
            finally
            {
                lines.CompleteAdding();
            }
        }, CancellationToken.None);
        return lines.TryTake(out string? line, Timeout.Infinite, cancellationToken) ? line : null;
    }
}
