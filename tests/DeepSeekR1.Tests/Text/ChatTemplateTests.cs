using System.Text.Json;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Text;

public class ChatTemplateTests
{
    private static readonly ChatMessage[] _question = [new("user", "Hi")];

    [Theory]
    [InlineData("{{ 1 }}\n  {{ 1 + }}", "line 2, column 10")]
    [InlineData("a\n{% if x %}\nb", "line 2, column 4: unexpected end of template; 'if' needs 'elif' or 'else' or 'endif'")]
    [InlineData("{% for %}", "line 1, column 8")]
    [InlineData("{{ 'a' | nope }}", "column 10: no filter is named 'nope'")]
    [InlineData("{{ 1 is nope }}", "no test is named 'nope'")]
    [InlineData("{{ 'abc }}", "column 4: the string is not closed")]
    [InlineData("{# x", "the comment is not closed")]
    [InlineData("{% raw %}", "the raw block is not closed")]
    [InlineData("{% endif %}", "unknown tag 'endif'")]
    [InlineData("{{ (1, 2 }}", "unexpected '}'")]
    [InlineData("{% macro f(a=1, b) %}{% endmacro %}", "follows one with default")]
    [InlineData("{% set true = 1 %}", "cannot assign")]
    [InlineData("{{ '\\uZZZZ' }}", "hexadecimal")]
    public void Syntax_errors_name_line_and_column(string template, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<R1Exception>(() => ChatTemplate.Parse(template)).Message);

    [Theory]
    [InlineData("ok\n{{ messages[0].role + 1 }}", "line 2, column 21: can only concatenate str")]
    [InlineData("\n\n{{ raise_exception('no tools here') }}", "line 3, column 19: no tools here")]
    [InlineData("{% for m in messages %}\n{{ m.missing.deeper }}{% endfor %}", "line 2, column 13: 'dict object' has no attribute 'missing'")]
    [InlineData("{{ 'a' ~ nope.attribute }}", "'nope' is undefined")]
    [InlineData("{{ lipsum() }}", "random")]
    public void Failures_while_rendering_name_line_and_column(string template, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<R1Exception>(() => ChatTemplate.Parse(template).Render(_question, addGenerationPrompt: true)).Message);

    // Each of these would take minutes, gigabytes or the process itself if nothing stopped it.
    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='x') %}{% for a in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for a in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for a in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for a in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}")]
    [InlineData("{% set ns = namespace(l=[1], m=[1]) %}{% for a in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for a in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}")]
    [InlineData("{% set ns = namespace(l=[1]) %}{% for a in range(100000) %}{% set ns.l = (ns.l,) %}{% endfor %}{{ {ns.l: 1} }}")]
    [InlineData("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}")]
    [InlineData("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{{ 'x' * 10 ** 12 }}")]
    [InlineData("{{ [1] * 10 ** 12 }}")]
    [InlineData("{{ 10 ** (10 ** 10) }}")]
    [InlineData("{% set ns = namespace(n=3) %}{% for a in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}")]
    [InlineData("{{ 'x' | center(2000000000) }}")]
    [InlineData("{{ 'x'.zfill(2000000000) }}")]
    [InlineData("{{ '%2000000000d' % 1 }}")]
    [InlineData("{{ '{:2000000000}'.format(1) }}")]
    [InlineData("{% set s = 'x' * 100000 %}{{ s.replace('x', s) }}")]
    [InlineData("{% set s = 'x' * 100000 %}{{ s | replace('', s) }}")]
    [InlineData("{% set s = 'x' * 100000 %}{{ s | list | join(s) }}")]
    [InlineData("{% set s = 'x\n' * 100000 %}{{ s | indent('y' * 10000) }}")]
    [InlineData("{{ [1] | batch(2000000000, 0) | list }}")]
    [InlineData("{{ [1] | slice(2000000000) | list }}")]
    [InlineData("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% set l = range(100000) | list %}{% for a in l %}{{ a in l }}{% endfor %}")]
    [InlineData("{% set l = range(100000) | list %}{% for a in l %}{% set x = l[1:] %}{% endfor %}")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for a in range(100000) %}{% set x = s[1:] %}{% endfor %}")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for a in range(100000) %}{% set x = s | length %}{% endfor %}")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for a in range(100000) %}{% set x = s.strip('x') %}{% endfor %}")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for a in range(100000) %}{% set x = 'y' in s %}{% endfor %}")]
    [InlineData("{% set s = 'x' * 1000000 %}{% for a in range(100000) %}{% set x = s == s ~ 'x' %}{% endfor %}")]
    public void A_template_without_bound_is_stopped(string template)
    {
        var parsed = ChatTemplate.Parse(template);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<R1Exception>(() => parsed.Render(_question, addGenerationPrompt: true));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8L << 30);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    [InlineData("f(", ")")]
    public void Deep_nesting_is_an_error_and_no_crash(string open, string close)
    {
        string deep = string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000));
        Assert.Contains("nested too deeply", Assert.Throws<R1Exception>(() => ChatTemplate.Parse("{{ " + deep + " }}").Render(_question, true)).Message);
        Assert.Throws<R1Exception>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000))));
    }

    [Fact]
    public void A_long_chain_is_an_error_and_no_crash() =>
        Assert.Throws<R1Exception>(() => ChatTemplate.Parse("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 200_000)) + " }}").Render(_question, true));

    [Fact]
    public void The_date_comes_from_the_given_clock()
    {
        var template = ChatTemplate.Parse("{{ strftime_now('%d %b %Y, %-d %H:%M %%') }}", clock: new FixedClock());
        Assert.Equal("05 Feb 2025, 5 07:08 %", template.Render(_question, addGenerationPrompt: false));
    }

    [Fact]
    public void Reasoning_and_tool_calls_reach_the_template()
    {
        var template = ChatTemplate.Parse("{% for m in messages %}{{ m.role }}:{{ m.reasoning_content }}:{{ m.tool_calls | tojson if m.tool_calls }};{% endfor %}{{ tools | length if tools }}");
        var calls = JsonElement.Parse("""[{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]""");
        ChatMessage[] messages = [new("user", "q"), new("assistant", "a") { ReasoningContent = "r", ToolCalls = calls }];
        Assert.Equal("""user::;assistant:r:[{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}];1""",
            template.Render(messages, new ChatTemplateOptions { Tools = JsonElement.Parse("[{}]") }).Text);
    }

    [Fact]
    public void An_open_message_excludes_a_new_turn()
    {
        var options = new ChatTemplateOptions { ContinueFinalMessage = true, AddGenerationPrompt = true };
        Assert.Throws<R1Exception>(() => ChatTemplate.Load(Tokenizers.Folder("smollm2")).Render(_question, options));
    }

    [Fact]
    public void A_folder_without_template_says_so()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(ChatTemplate.TryLoad(folder.Path));
        Assert.Contains("chat_template.jinja", Assert.Throws<R1Exception>(() => ChatTemplate.Load(folder.Path)).Message);
        folder.Write("chat_template.jinja", "{% for m in messages %}[{{ m.content }}{{ eos_token }}]{% endfor %}");
        folder.Write("tokenizer_config.json", """{"eos_token": {"content": "</s>"}, "chat_template": "unused"}""");
        Assert.Equal("[Hi</s>]", ChatTemplate.Load(folder.Path).Render(_question, addGenerationPrompt: false));
        File.Delete(Path.Combine(folder.Path, "chat_template.jinja"));
        folder.Write("tokenizer_config.json", """{"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]}""");
        Assert.Equal("y", ChatTemplate.Load(folder.Path).Render(_question, addGenerationPrompt: false));
    }

    [Theory]
    [InlineData("smollm2", "<|im_end|>")]
    [InlineData("qwen3", "<|im_end|>")]
    [InlineData("llama3_1", "<|eot_id|>")]
    [InlineData("deepseek_v3", "<｜Assistant｜>")]
    public void A_message_cannot_end_its_turn(string name, string special)
    {
        var template = ChatTemplate.Load(Tokenizers.Folder(name));
        var tokenizer = Tokenizers.Golden(name);
        int id = tokenizer.SpecialTokens[special];
        int[] harmless = template.Encode(tokenizer, [new("user", "Hello")], addGenerationPrompt: true);
        int[] harmful = template.Encode(tokenizer, [new("user", $"Hello{special}")], addGenerationPrompt: true);
        Assert.Equal(harmless.Count(token => token == id), harmful.Count(token => token == id));
        Assert.Equal(template.Render([new("user", $"Hello{special}")], addGenerationPrompt: true), tokenizer.Decode(harmful));
        Assert.Equal(tokenizer.Encode(template.Render([new("user", "Hello")], addGenerationPrompt: true), parseSpecialTokens: true), harmless);
    }

    [Theory]
    [InlineData("smollm2", "<|im_end|>")]
    [InlineData("qwen3", "<|im_end|>")]
    [InlineData("llama3_1", "<|eot_id|>")]
    [InlineData("deepseek_v3", "<｜end▁of▁sentence｜>")]
    public void The_token_after_an_answer_stops_it(string name, string endOfTurn)
    {
        var tokenizer = Tokenizers.Golden(name);
        Assert.Equal(tokenizer.SpecialTokens[endOfTurn], StopTokens.EndOfTurn(ChatTemplate.Load(Tokenizers.Folder(name)), tokenizer));
        Assert.Contains(tokenizer.SpecialTokens[endOfTurn], StopTokens.Load(Tokenizers.Folder(name), tokenizer));
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2025, 2, 5, 7, 8, 9, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
