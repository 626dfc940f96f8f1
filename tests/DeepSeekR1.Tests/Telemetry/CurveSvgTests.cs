using System.Globalization;
using System.Xml.Linq;
using DeepSeekR1.Telemetry;

namespace DeepSeekR1.Tests.Telemetry;

public class CurveSvgTests
{
    private static StepMetrics At(int step, double accuracy, double format, double length) =>
        new("zero", step, new Dictionary<string, double> { ["eval_accuracy"] = accuracy, ["eval_format"] = format, ["eval_length"] = length });

    private static (double X, double Y)[][] Lines(XDocument svg) =>
        [.. svg.Descendants().Where(element => element.Name.LocalName == "polyline").Select(line => line.Attribute("points")!.Value.Split(' ')
            .Select(point => point.Split(',').Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray()).Select(pair => (pair[0], pair[1])).ToArray())];

    private static string[] Texts(XDocument svg) => [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];

    [Fact]
    public void The_lines_go_where_the_values_go()
    {
        var svg = XDocument.Parse(CurveSvg.Evolution("zero", [At(0, 0, 0.1, 20), new("zero", 5, new Dictionary<string, double> { ["loss"] = 1 }), At(10, 0.5, double.NaN, 30), At(20, 1, 0.9, 40)]));
        var lines = Lines(svg);
        Assert.Equal([3, 2, 3], lines.Select(line => line.Length));
        var (accuracy, length) = (lines[0], lines[2]);
        Assert.Equal(accuracy[1].X - accuracy[0].X, accuracy[2].X - accuracy[1].X, 0.02);
        Assert.Equal(accuracy[0].Y - accuracy[1].Y, accuracy[1].Y - accuracy[2].Y, 0.02);
        Assert.True(length[0].Y > length[1].Y && length[1].Y > length[2].Y);
        Assert.Contains("accuracy 100 %", Texts(svg));
        Assert.Contains("format 90 %", Texts(svg));
        Assert.Contains("length 40", Texts(svg));
        Assert.Contains("20 %", Texts(svg));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    public void Any_number_of_points_stays_inside_the_picture(int count)
    {
        var svg = XDocument.Parse(CurveSvg.Evolution("any", [.. Enumerable.Range(0, count).Select(i => At(i, i % 2, 0.5, 1e6 * i - 3))]));
        foreach (var (x, y) in Lines(svg).SelectMany(line => line))
        {
            Assert.InRange(x, 40, 440);
            Assert.InRange(y, 40, 270);
        }
        Assert.True(svg.Descendants().Count() < 300);
    }

    [Fact]
    public void Text_is_escaped()
    {
        string title = "<script>alert(1)</script> & \"'\u0000\u001b\ud800 中";
        var svg = XDocument.Parse(CurveSvg.Render(title, [new CurvePanel("<b>", false, [new CurveSeries("a&b", [new(1, 2)])])]));
        Assert.DoesNotContain(svg.Descendants(), element => element.Name.LocalName is "script" or "b");
        Assert.Contains("a&b 2", Texts(svg));
        Assert.StartsWith("<script>alert(1)</script> & \"'", svg.Root!.Element(XName.Get("title", "http://www.w3.org/2000/svg"))!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_one_file_with_colours_for_light_and_dark()
    {
        string svg = CurveSvg.Evolution("zero", [At(1, 0.1, 0.2, 30), At(2, 0.2, 0.3, 31)]);
        Assert.Contains("prefers-color-scheme: dark", svg, StringComparison.Ordinal);
        Assert.DoesNotContain("href", svg, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", svg, StringComparison.Ordinal);
    }
}
