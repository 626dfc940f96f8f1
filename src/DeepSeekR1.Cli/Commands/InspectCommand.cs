using System.CommandLine;
using System.Text.RegularExpressions;
using DeepSeekR1.Checkpoints;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 inspect</c>: what a checkpoint is, without loading its weights.</summary>
internal static partial class InspectCommand
{
    public static Command Create(CliContext context)
    {
        Argument<string> path = new("path") { Description = "A model folder, an adapter folder, a .safetensors or a .gguf file." };
        var command = new Command("inspect", "Tells what a checkpoint is, without loading its weights.") { path };
        command.SetAction(parsed =>
        {
            foreach (string line in Describe(context.Operations.Inspect(parsed.GetRequiredValue(path)))) context.Out.WriteLine(context.Show(line));
        });
        return command;
    }

    private static IEnumerable<string> Describe(CheckpointSummary checkpoint)
    {
        string active = checkpoint.ActiveParameters == checkpoint.Parameters ? "all active" : $"{checkpoint.ActiveParameters:N0} active";
        var dtypes = checkpoint.Tensors.GroupBy(tensor => tensor.Dtype).OrderByDescending(group => group.Sum(tensor => tensor.Elements)).Select(group => $"{group.Key} ({group.Count()} tensors)");
        (string Name, string? Value)[] facts =
        [
            ("path", checkpoint.Path),
            ("architecture", checkpoint.Architecture),
            ("shape", checkpoint.Shape),
            ("parameters", $"{checkpoint.Parameters:N0}, {active}"),
            ("dtype", string.Join(", ", dtypes)),
            ("tokenizer", checkpoint.Tokenizer),
            ("chat template", checkpoint.ChatTemplate is { } template ? $"{template.Length:N0} characters" : null),
            ("stop tokens", checkpoint.StopTokens.Count == 0 ? null : string.Join(", ", checkpoint.StopTokens.Select(token => $"{token.Id} {token.Text}"))),
            .. checkpoint.Notes.Select(note => ("note", (string?)note)),
        ];
        foreach (var (name, value) in facts)
            if (value is not null) yield return $"{name,-13}  {value}";
        yield return "";
        foreach (string line in Tensors(checkpoint.Tensors)) yield return line;
    }

    /// <summary>One line for all tensors that differ by the numbers in their names alone.</summary>
    private static IEnumerable<string> Tensors(IReadOnlyList<TensorSummary> tensors)
    {
        var kinds = tensors.GroupBy(tensor => (Name: NumberInName().Replace(tensor.Name, ".*."), tensor.Dtype, Shape: string.Join(", ", tensor.Shape))).ToList();
        int width = kinds.Select(kind => kind.Key.Name.Length).DefaultIfEmpty(0).Max();
        return kinds.Select(kind => $"{kind.Key.Name.PadRight(width)}  {kind.Count(),5} × {kind.Key.Dtype} [{kind.Key.Shape}]");
    }

    [GeneratedRegex(@"\.\d+\.")]
    private static partial Regex NumberInName();
}
