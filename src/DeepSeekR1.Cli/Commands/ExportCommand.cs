using System.CommandLine;
using DeepSeekR1.Checkpoints.Gguf;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 export</c>: writes a model for other programs.</summary>
internal static class ExportCommand
{
    public static Command Create(CliContext context)
    {
        Option<string> model = new("--model") { Description = "Hugging Face folder of the model.", HelpName = "folder", Required = true };
        var format = Options.Choice<ExportFormat>("--format", "format", "What to write");
        format.Required = true;
        var type = Options.Choice<GgufType>("--type", "type", "Numbers of the matrices in a GGUF file (f16)");
        Option<string?> adapter = new("--merge-adapter") { Description = "LoRA adapter in PEFT's layout that is added to the weights; with --format safetensors.", HelpName = "folder" };
        Option<string> output = new("--output") { Description = "The GGUF file or the folder to write.", HelpName = "path", Required = true };

        var command = new Command("export", "Writes a model for llama.cpp, or as a Hugging Face folder with an adapter merged.") { model, format, type, adapter, output };
        command.Validators.Add(result =>
        {
            // A value that is none has its own error already, and asking for it here would throw.
            string? chosen = result.GetResult(format)?.Tokens is [var token, ..] ? token.Value : null;
            if (chosen == EnumNames.Name(ExportFormat.Gguf) && result.GetValue(adapter) is not null) result.AddError("--merge-adapter goes with --format safetensors; export what it writes as gguf then.");
            if (chosen == EnumNames.Name(ExportFormat.SafeTensors) && result.GetResult(type) is not null) result.AddError("--type goes with --format gguf; a folder keeps the model's own numbers.");
        });
        command.SetAction(async parsed =>
        {
            var request = new ExportRequest(parsed.GetRequiredValue(model), parsed.GetRequiredValue(format)!.Value, parsed.GetValue(type) ?? GgufType.F16,
                parsed.GetRequiredValue(output), parsed.GetValue(adapter));
            var notes = await context.Operations.ExportAsync(request);
            context.Out.WriteLine(context.Show($"written: {request.Output}"));
            foreach (string note in notes) context.Out.WriteLine(context.Show($"note: {note}"));
        });
        return command;
    }
}
