using System.Globalization;
using System.Xml.Linq;

namespace DeepSeekR1.Telemetry;

/// <summary>A point of a curve.</summary>
public readonly record struct CurvePoint(double X, double Y);

/// <summary>One line of a panel.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Points">In the order of x; values that are not finite leave a point out.</param>
public sealed record CurveSeries(string Name, IReadOnlyList<CurvePoint> Points);

/// <summary>One chart with its own axes.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="IsShare">True: y runs from 0 to 1 and is written in percent.</param>
/// <param name="Series">Its lines.</param>
public sealed record CurvePanel(string Title, bool IsShare, IReadOnlyList<CurveSeries> Series);

/// <summary>Line charts against training steps, as one self-contained SVG that reads well on light and on dark pages.</summary>
public static class CurveSvg
{
    private const double PanelWidth = 420, PanelHeight = 300, Left = 52, Right = 18, Top = 66, Bottom = 42, TitleHeight = 34;
    private const int MostMarkers = 40;

    private const string Style = """
        .page { fill: #ffffff; } text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #59636e; }
        .title { font-size: 15px; font-weight: 600; fill: #1f2328; } .panel { font-size: 13px; font-weight: 600; fill: #1f2328; }
        .name { fill: #1f2328; } .grid { stroke: #d1d9e0; stroke-width: 1; } .axis { stroke: #818b98; stroke-width: 1; }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        .s0 { stroke: #2563eb; } .s1 { stroke: #c2570c; } .s2 { stroke: #047857; } .s3 { stroke: #9333ea; }
        .f0 { fill: #2563eb; } .f1 { fill: #c2570c; } .f2 { fill: #047857; } .f3 { fill: #9333ea; }
        @media (prefers-color-scheme: dark) {
          .page { fill: #0d1117; } text { fill: #9198a1; } .title, .panel, .name { fill: #e6edf3; } .grid { stroke: #2a313a; } .axis { stroke: #656c76; }
          .s0 { stroke: #60a5fa; } .s1 { stroke: #fb923c; } .s2 { stroke: #34d399; } .s3 { stroke: #c084fc; }
          .f0 { fill: #60a5fa; } .f1 { fill: #fb923c; } .f2 { fill: #34d399; } .f3 { fill: #c084fc; }
        }
        """;

    private static readonly XNamespace _svg = "http://www.w3.org/2000/svg";

    /// <summary>The paper's two self-evolution pictures: accuracy with format, and response length, against steps.</summary>
    /// <param name="title">Stands above both.</param>
    /// <param name="steps">Metrics of one stage.</param>
    /// <param name="accuracy">Name of the metric that is a share of right answers.</param>
    /// <param name="format">Name of the metric that is a share of well-formed answers.</param>
    /// <param name="length">Name of the metric that is a mean length in tokens.</param>
    public static string Evolution(string title, IReadOnlyList<StepMetrics> steps, string accuracy = "eval_accuracy", string format = "eval_format", string length = "eval_length") =>
        Render(title,
        [
            new CurvePanel("Accuracy and format", IsShare: true, [Series("accuracy", steps, accuracy), Series("format", steps, format)]),
            new CurvePanel("Response length (tokens)", IsShare: false, [Series("length", steps, length)]),
        ]);

    /// <summary>Panels side by side.</summary>
    public static string Render(string title, IReadOnlyList<CurvePanel> panels)
    {
        double width = PanelWidth * panels.Count, height = PanelHeight + TitleHeight;
        var root = new XElement(_svg + "svg",
            new XAttribute("viewBox", $"0 0 {Number(width)} {Number(height)}"), new XAttribute("width", Number(width)), new XAttribute("height", Number(height)), new XAttribute("role", "img"),
            new XElement(_svg + "title", Clean(title)),
            new XElement(_svg + "style", Style),
            new XElement(_svg + "rect", new XAttribute("class", "page"), new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("rx", 8)),
            Text(16, 25, title, "title"));
        for (int i = 0; i < panels.Count; i++)
            root.Add(new XElement(_svg + "g", new XAttribute("transform", $"translate({Number(i * PanelWidth)} {Number(TitleHeight)})"), DrawPanel(panels[i])));
        return root.ToString() + "\n";
    }

    private static CurveSeries Series(string name, IReadOnlyList<StepMetrics> steps, string metric) =>
        new(name, [.. steps.Where(step => step.Values.ContainsKey(metric)).Select(step => new CurvePoint(step.Step, step.Values[metric]))]);

    private static IEnumerable<XElement> DrawPanel(CurvePanel panel)
    {
        CurvePoint[][] lines = [.. panel.Series.Select(series => series.Points.Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y)).ToArray())];
        CurvePoint[] all = [.. lines.SelectMany(line => line)];
        var x = Axis.Of(all.Select(point => point.X), Left, PanelWidth - Right, isTight: true);
        var y = panel.IsShare ? new Axis(0, 1, 0.2, PanelHeight - Bottom, Top) : Axis.Of(all.Select(point => point.Y).Append(0), PanelHeight - Bottom, Top, isTight: false);

        yield return Text(16, 18, panel.Title, "panel");
        foreach (double tick in y.Ticks())
        {
            yield return Line(Left, y.Place(tick), PanelWidth - Right, y.Place(tick), tick == y.Low ? "axis" : "grid");
            yield return Text(Left - 8, y.Place(tick) + 4, Label(tick, panel.IsShare), anchor: "end");
        }
        foreach (double tick in x.Ticks()) yield return Text(x.Place(tick), PanelHeight - Bottom + 18, Label(tick, isShare: false), anchor: "middle");
        yield return Text((Left + PanelWidth - Right) / 2, PanelHeight - 6, "step", anchor: "middle");
        if (all.Length == 0) yield return Text((Left + PanelWidth - Right) / 2, (Top + PanelHeight - Bottom) / 2, "nothing measured yet", anchor: "middle");

        for (int i = 0; i < lines.Length; i++)
            foreach (var element in DrawLine(lines[i], i, x, y)) yield return element;
        foreach (var element in DrawLegend(panel, lines)) yield return element;
    }

    private static IEnumerable<XElement> DrawLine(CurvePoint[] line, int index, Axis x, Axis y)
    {
        if (line.Length > 1)
            yield return new XElement(_svg + "polyline", new XAttribute("class", $"line s{index % 4}"),
                new XAttribute("points", string.Join(' ', line.Select(point => $"{Number(x.Place(point.X))},{Number(y.Place(point.Y))}"))));
        foreach (var point in line.Length <= MostMarkers ? line : line[^1..])
            yield return new XElement(_svg + "circle", new XAttribute("class", $"f{index % 4}"),
                new XAttribute("cx", Number(x.Place(point.X))), new XAttribute("cy", Number(y.Place(point.Y))), new XAttribute("r", 3));
    }

    /// <summary>Name and last value of each line, beside a swatch of its colour.</summary>
    private static IEnumerable<XElement> DrawLegend(CurvePanel panel, CurvePoint[][] lines)
    {
        const double CharacterWidth = 6.6, Swatch = 18, Gap = 20;
        double at = 16;
        for (int i = 0; i < panel.Series.Count; i++)
        {
            string text = panel.Series[i].Name + (lines[i] is [.., var last] ? " " + Label(last.Y, panel.IsShare) : "");
            yield return Line(at, 36, at + Swatch - 6, 36, $"line s{i % 4}");
            yield return Text(at + Swatch, 40, text, "name");
            at += Swatch + text.Length * CharacterWidth + Gap;
        }
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string style) => new(_svg + "line", new XAttribute("class", style),
        new XAttribute("x1", Number(x1)), new XAttribute("y1", Number(y1)), new XAttribute("x2", Number(x2)), new XAttribute("y2", Number(y2)));

    private static XElement Text(double x, double y, string text, string? style = null, string? anchor = null) => new(_svg + "text",
        new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), style is null ? null : new XAttribute("class", style),
        anchor is null ? null : new XAttribute("text-anchor", anchor), Clean(text));

    /// <summary>XML knows no way to write most control characters or half of a surrogate pair.</summary>
    private static string Clean(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.Value < 32 ? " " : rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString()));

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Label(double value, bool isShare) =>
        isShare ? (value * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %" : value.ToString("#,0.##", CultureInfo.InvariantCulture);

    /// <summary>Maps values from <paramref name="Low"/> to <paramref name="High"/> onto pixels.</summary>
    private readonly record struct Axis(double Low, double High, double Tick, double FirstPixel, double LastPixel)
    {
        private const int WantedTicks = 6;

        /// <summary>An axis whose ticks are 1, 2 or 5 times a power of ten; a tight one ends at the data, another at the next tick.</summary>
        public static Axis Of(IEnumerable<double> values, double firstPixel, double lastPixel, bool isTight)
        {
            double low = values.DefaultIfEmpty(0).Min(), high = values.DefaultIfEmpty(1).Max();
            if (high <= low) high = low + 1;
            double rough = (high - low) / WantedTicks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            double tick = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            return isTight ? new Axis(low, high, tick, firstPixel, lastPixel)
                : new Axis(Math.Floor(low / tick) * tick, Math.Ceiling(high / tick) * tick, tick, firstPixel, lastPixel);
        }

        public double Place(double value) => FirstPixel + (value - Low) / (High - Low) * (LastPixel - FirstPixel);

        public IEnumerable<double> Ticks()
        {
            double slack = Tick * 1e-6;
            for (long i = (long)Math.Ceiling(Low / Tick - 1e-6); i * Tick <= High + slack; i++) yield return i * Tick;
        }
    }
}
