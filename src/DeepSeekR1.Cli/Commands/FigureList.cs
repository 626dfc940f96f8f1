using DeepSeekR1.Cli.Rendering;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Cli.Commands;

/// <summary>Figures on standard output, one a line.</summary>
internal static class FigureList
{
    public static void Write(CliContext context, IReadOnlyList<Figure> figures)
    {
        int width = figures.Select(figure => figure.Name.Length).DefaultIfEmpty(0).Max();
        foreach (var figure in figures) context.Out.WriteLine(context.Show($"{figure.Name.PadRight(width)}  {Headline.Of(figure)}"));
    }
}
