using System.CommandLine;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 train</c>: runs one stage of the recipe, or all.</summary>
internal static class TrainCommand
{
    public static Command Create(CliContext context)
    {
        var stage = Options.Choice<TrainStage>("--stage", "stage", "What to train");
        stage.Required = true;
        Option<string?> config = Options.Config();
        Option<string[]> set = Options.Set();
        Option<string?> model = new("--model") { Description = "Hugging Face folder of the model to start from.", HelpName = "folder" };
        Option<string?> data = new("--data") { Description = "JSONL file of prompts or examples.", HelpName = "file" };
        Option<string?> output = new("--output") { Description = "Run folder; by default the next free one under runs/.", HelpName = "folder" };
        Option<bool> resume = new("--resume") { Description = "Goes on with the run in --output." };
        var device = Options.Device();
        var seed = Options.Seed();
        Option<bool> profile = new("--profile") { Description = "Tells at the end of each stage where its time went, by phase of a step." };
        Option<bool> dryRun = new("--dry-run") { Description = "Checks everything and tells what the run would cost, without running." };

        var command = new Command("train", "Trains a model: one stage of the DeepSeek-R1 recipe, or all.") { stage, config, set, model, data, output, resume, device, seed, profile, dryRun };
        command.Validators.Add(result =>
        {
            if (result.GetValue(resume) && result.GetValue(output) is null) result.AddError("--resume needs --output: which run goes on?");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var request = new TrainRequest
            {
                Stage = parsed.GetRequiredValue(stage)!.Value,
                Config = parsed.GetValue(config),
                Overrides = parsed.GetValue(set) ?? [],
                Model = parsed.GetValue(model),
                Data = parsed.GetValue(data),
                Output = parsed.GetValue(output),
                Resume = parsed.GetValue(resume),
                Device = parsed.GetValue(device),
                Seed = parsed.GetValue(seed),
                Profile = parsed.GetValue(profile),
                DryRun = parsed.GetValue(dryRun),
            };
            context.AnnounceOnInterrupt("stopping after this step and saving");
            await context.ObserveAsync(observer => context.Operations.TrainAsync(request, observer, cancellationToken));
        });
        return command;
    }
}
