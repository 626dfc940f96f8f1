using System.Text.RegularExpressions;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Rewards.Tests;

/// <summary>A text of known mixture.</summary>
/// <param name="Text">Problems in two languages, one a line.</param>
/// <param name="Share">The first language's share of the content, in words.</param>
internal sealed record Splice(string Text, double Share);

/// <summary>
/// Texts spliced from MGSM's problems, which are the same 250 in every language. The share is counted here, without the code under test.
/// </summary>
internal static partial class Splices
{
    private const int ProblemsInText = 8, Texts = 200;

    /// <summary>Texts of eight problems, none to all of them in the first language.</summary>
    public static IEnumerable<Splice> Make(string language, string other)
    {
        string[] first = Problems(language), second = Problems(other), english = Problems("en");
        for (int i = 0; i < Texts; i++)
        {
            int inFirst = i % (ProblemsInText + 1);
            var lines = Enumerable.Range(0, ProblemsInText)
                .Select(j => (IsFirst: j * 5 % ProblemsInText < inFirst, Row: ((i * ProblemsInText) + (j * 31)) % english.Length)).ToArray();
            string text = string.Join('\n', lines.Select(line => (line.IsFirst ? first : second)[line.Row]));

            // Chinese has no spaces to count words by: the same problem's words in English measure how much of the content it is.
            double Words(bool isFirst) => lines.Where(line => line.IsFirst == isFirst).Sum(line => Word().Count(
                language == "zh" || other == "zh" ? english[line.Row] : (isFirst ? first : second)[line.Row]));
            yield return new Splice(text, Words(true) / (Words(true) + Words(false)));
        }
    }

    private static string[] Problems(string language) =>
        [.. File.ReadLines(Reference.Data($"mgsm_{language}.tsv")).Select(line => line.Split('\t')[0])];

    [GeneratedRegex(@"\p{L}[\p{L}'’-]+")]
    private static partial Regex Word();
}
