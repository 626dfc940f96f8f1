using System.CommandLine;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 config</c>: shows, checks and describes configs.</summary>
internal static class ConfigCommand
{
    public static Command Create(CliContext context) => new("config", "Shows, checks and describes configs.") { Show(context), Validate(context), Schema(context) };

    private static Command Show(CliContext context)
    {
        Option<string?> config = Options.Config();
        Option<string[]> set = Options.Set();
        var command = new Command("show", "Prints the whole config after all layers.") { config, set };
        command.SetAction(parsed => context.Out.Write(context.Operations.ResolveConfig(parsed.GetValue(config), parsed.GetValue(set) ?? [])));
        return command;
    }

    private static Command Validate(CliContext context)
    {
        Argument<string> file = new("file") { Description = "Config file, or the name of an embedded recipe." };
        Option<string[]> set = Options.Set();
        var command = new Command("validate", "Checks a config: every mistake is named with its line, its path and the nearest known name.") { file, set };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(file);
            context.Operations.ResolveConfig(name, parsed.GetValue(set) ?? []);
            context.Out.WriteLine(context.Show($"{name}: valid"));
        });
        return command;
    }

    private static Command Schema(CliContext context)
    {
        var command = new Command("schema", "Prints the JSON schema of configs, for editors.");
        command.SetAction(_ => context.Out.Write(context.Operations.ConfigSchema()));
        return command;
    }
}
