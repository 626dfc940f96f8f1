using System.CommandLine;
using System.Globalization;
using DeepSeekR1.Evaluation;

namespace DeepSeekR1.Cli.Commands;

/// <summary><c>r1 verify</c>: compares a model or a tokenizer with reference files, before anybody spends a GPU on it.</summary>
internal static class VerifyCommand
{
    /// <summary>Differences that are printed; the rest is counted.</summary>
    private const int MostShown = 10;

    public static Command Create(CliContext context)
    {
        Option<string?> model = new("--model") { Description = "Hugging Face folder of a model.", HelpName = "folder" };
        Option<string?> golden = new("--golden") { Description = $"Its reference file ({ModelVerification.GoldenFile} in the folder); docs/verify.md has the script that makes one.", HelpName = "file" };
        var tolerance = Options.Number<double>("--tolerance", "a number above 0", "Largest difference of logits, log-probabilities and loss (2e-4).", value => value > 0);
        Option<string?> tokenizer = new("--tokenizer") { Description = "Folder of a tokenizer.", HelpName = "folder" };
        Option<string?> cases = new("--cases") { Description = "JSONL file of texts with their ids.", HelpName = "file" };
        Option<string?> chat = new("--chat") { Description = "JSONL file of conversations with what the chat template makes of them.", HelpName = "file" };
        var device = Options.Device();

        var command = new Command("verify", "Compares a model or a tokenizer with reference files.") { model, golden, tolerance, tokenizer, cases, chat, device };
        command.Validators.Add(result =>
        {
            bool hasModel = result.GetValue(model) is not null, hasTokenizer = result.GetValue(tokenizer) is not null;
            bool hasCases = result.GetValue(cases) is not null || result.GetValue(chat) is not null;
            if (hasModel == hasTokenizer) result.AddError("what is verified? Give --model folder, or --tokenizer folder.");
            else if (hasTokenizer != hasCases) result.AddError("--tokenizer goes with --cases or --chat, or both.");
            else if (hasTokenizer && result.GetValue(golden) is not null) result.AddError("--golden goes with --model.");
        });
        command.SetAction(async parsed =>
        {
            var request = new VerifyRequest
            {
                Model = parsed.GetValue(model),
                Golden = parsed.GetValue(golden),
                Tolerance = parsed.GetValue(tolerance) ?? ModelVerification.DefaultTolerance,
                Tokenizer = parsed.GetValue(tokenizer),
                Cases = parsed.GetValue(cases),
                Chat = parsed.GetValue(chat),
                Device = parsed.GetValue(device),
            };
            if (request.Tokenizer is not null) Report(context, context.Operations.VerifyTokenizer(request));
            else Report(context, await context.Operations.VerifyModelAsync(request));
        });
        return command;
    }

    /// <exception cref="R1Exception">Something differs by more than is tolerated.</exception>
    private static void Report(CliContext context, IReadOnlyList<Deviation> deviations)
    {
        int width = deviations.Take(MostShown).Max(deviation => deviation.Name.Length);
        foreach (var deviation in deviations.Take(MostShown))
            context.Out.WriteLine(context.Show($"{deviation.Name.PadRight(width)}  {Number(deviation.Largest)}  {(deviation.IsWithin ? "within" : "BEYOND")} {Number(deviation.Tolerance)}"));
        int left = deviations.Count - MostShown;
        if (left > 0) context.Out.WriteLine($"and {left} that differ less");
        int beyond = deviations.Count(deviation => !deviation.IsWithin);
        if (beyond > 0) throw new R1Exception($"{beyond} of {deviations.Count} quantities differ from the reference by more than is tolerated.");
    }

    /// <exception cref="R1Exception">Something differs.</exception>
    private static void Report(CliContext context, TokenizerReport report)
    {
        foreach (string difference in report.Differences.Take(MostShown)) context.Out.WriteLine(context.Show(difference));
        if (report.Differences.Count > MostShown) context.Out.WriteLine($"and {report.Differences.Count - MostShown} more");
        context.Out.WriteLine($"{report.Rows} rows compared, {report.Differences.Count} differences");
        if (report.Rows == 0) throw new R1Exception("the files have no rows.");
        if (report.Differences.Count > 0) throw new R1Exception("the tokenizer differs from its reference.");
    }

    private static string Number(double value) => value.ToString("0.0e-0", CultureInfo.InvariantCulture);
}
