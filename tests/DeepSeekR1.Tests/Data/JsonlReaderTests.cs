using System.Text;
using DeepSeekR1.Data;

namespace DeepSeekR1.Tests.Data;

public sealed class JsonlReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_come_with_their_lines_whatever_the_line_ends()
    {
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. "{\"a\":\"é\"}\r\n\r\n  \n{\"a\":\"2\"}\n{\"a\":\"3\"}"u8];
        var rows = JsonlReader.Read(_folder.Write("x.jsonl", bytes)).ToArray();
        Assert.Equal([(1, "é"), (4, "2"), (5, "3")], rows.Select(row => (row.Line, row.RequireText("a"))));
        Assert.Equal("x.jsonl:4", rows[1].Id);
    }

    [Fact]
    public void A_gzipped_file_reads_like_a_plain_one()
    {
        string text = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"{{\"i\":\"{i}\"}}\n"));
        var rows = JsonlReader.Read(_folder.WriteGzip("x.jsonl.gz", text)).ToArray();
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => $"{i}"), rows.Select(row => row.RequireText("i")));
    }

    [Fact]
    public void A_line_may_be_longer_than_the_buffer()
    {
        string big = new('x', 300_000);
        var rows = JsonlReader.Read(_folder.Write("x.jsonl", "{\"a\":\"1\"}", $"{{\"a\":\"{big}\"}}", "{\"a\":\"3\"}")).ToArray();
        Assert.Equal(["1", big, "3"], rows.Select(row => row.RequireText("a")));
    }

    [Fact]
    public void The_length_of_a_line_is_bounded()
    {
        string path = _folder.Write("x.jsonl", "{}", new string('x', 5000));
        Assert.Equal(2, LineReader.Read(path, longestLine: 5000).Count());
        Assert.Contains("line 2: longer than", Assert.Throws<R1Exception>(() => LineReader.Read(path, longestLine: 4000).Count()).Message);
    }

    [Fact]
    public void Reading_stops_at_the_row_that_is_wanted()
    {
        string path = _folder.Write("x.jsonl", "{\"a\":\"1\"}", "broken");
        Assert.Equal("1", JsonlReader.Read(path).First().RequireText("a"));
    }

    [Theory]
    [InlineData("{\"a\": 1", "not valid JSON at column")]
    [InlineData("{\"a\": 1} {\"a\": 2}", "not valid JSON at column 10")]
    [InlineData("[1, 2]", "a list. Expected one JSON object a line")]
    [InlineData("\"text\"", "a text. Expected one JSON object a line")]
    public void A_broken_line_17_is_named(string broken, string message)
    {
        string path = _folder.Write("train.jsonl", [.. Enumerable.Repeat("{\"a\": 1}", 16), broken, "{\"a\": 1}"]);
        var error = Assert.Throws<R1Exception>(() => JsonlReader.Read(path).Count());
        Assert.Contains($"train.jsonl, line 17: {message}", error.Message);
    }

    [Fact]
    public void A_file_that_is_not_UTF8_is_refused()
    {
        string path = _folder.Write("latin.jsonl", [.. "{\"a\":\"x\"}\n{\"a\":\""u8, 0xE9, .. "\"}\n"u8]);
        var error = Assert.Throws<R1Exception>(() => JsonlReader.Read(path).Count());
        Assert.Contains("latin.jsonl, line 2: not UTF-8 text (at byte 7 of the line). Save the file as UTF-8.", error.Message);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused_with_its_field()
    {
        var row = JsonlReader.Read(_folder.Write("x.jsonl", """{"a":"\ud83d"}""")).Single();
        Assert.Contains("x.jsonl, line 1: field 'a' has half of a surrogate pair", Assert.Throws<R1Exception>(() => row.RequireText("a")).Message);
    }

    [Fact]
    public void Absent_files_and_folders_are_named()
    {
        string absent = _folder.Path("absent.jsonl");
        Assert.StartsWith($"{absent} does not exist", Assert.Throws<R1Exception>(() => JsonlReader.Read(absent).Count()).Message);
        string folder = Path.GetDirectoryName(absent)!;
        Assert.StartsWith($"{folder} is a folder", Assert.Throws<R1Exception>(() => JsonlReader.Read(folder).Count()).Message);
    }

    [Fact]
    public void A_truncated_gzip_file_is_named()
    {
        byte[] whole = File.ReadAllBytes(_folder.WriteGzip("x.jsonl.gz", string.Concat(Enumerable.Range(0, 5000).Select(i => $"{{\"i\":{i * 7919 % 1000}}}\n"))));
        whole[20] ^= 0xFF;
        string path = _folder.Write("y.jsonl.gz", whole[..(whole.Length / 2)]);
        Assert.Contains("y.jsonl.gz", Assert.Throws<R1Exception>(() => JsonlReader.Read(path).Count()).Message);
    }

    [Fact]
    public void Deep_nesting_is_a_broken_line_and_not_a_crash()
    {
        string path = _folder.Write("x.jsonl", "{\"a\":" + new string('[', 100_000));
        Assert.Contains("x.jsonl, line 1: not valid JSON", Assert.Throws<R1Exception>(() => JsonlReader.Read(path).Count()).Message);
    }

    [Fact]
    public void A_tsv_row_is_question_and_answer()
    {
        var row = DataFile.Read(_folder.Write("x.tsv", "say \"1 + 1\"\t2")).Single();
        Assert.Equal(("say \"1 + 1\"", "2"), (row.RequireText("question"), row.RequireText("answer")));
        string broken = _folder.Write("y.tsv", "a\tb", "no tab");
        Assert.Contains("y.tsv, line 2: expected a question, a tab and an answer, found 0 tabs",
            Assert.Throws<R1Exception>(() => DataFile.Read(broken).Count()).Message);
    }
}
