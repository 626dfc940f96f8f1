using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Testing;
using DeepSeekR1.Text;

namespace DeepSeekR1.Tests.Text;

/// <summary>Every rendering equals transformers'; what it refuses is refused.</summary>
public class ChatTemplateGoldenTests
{
    [Fact]
    public void Features_of_Jinja_render_as_in_Jinja() => AssertRows(
        Tokenizers.Rows("templates", "features.jsonl"), row => row.GetProperty("name").GetString()!,
        row => ChatTemplate.Parse(row.GetProperty("template").GetString()!).RenderVariables(row.GetProperty("context")), "rendered", "error");

    [Fact]
    public void Real_templates_render_as_in_Jinja()
    {
        var templates = new Dictionary<string, ChatTemplate>();
        AssertRows(Tokenizers.Rows("templates", "real.jsonl"), row => row.GetProperty("template").GetString()!, row =>
        {
            string name = row.GetProperty("template").GetString()!;
            if (!templates.TryGetValue(name, out var template))
                templates[name] = template = ChatTemplate.Parse(File.ReadAllText(Reference.Golden("templates", "real", name + ".jinja")));
            var variables = JsonNode.Parse(row.GetProperty("context").GetRawText())!.AsObject();
            variables["messages"] = JsonNode.Parse(row.GetProperty("messages").GetRawText());
            variables["tools"] = JsonNode.Parse(row.GetProperty("tools").GetRawText());
            variables["documents"] = null;
            var rendered = template.RenderVariables(JsonElement.Parse(variables.ToJsonString()));
            if (row.TryGetProperty("assistant_spans", out var spans)) AssertSpans(spans, rendered);
            return rendered;
        }, "rendered", "error");
    }

    [Theory]
    [InlineData("smollm2")]
    [InlineData("qwen3")]
    [InlineData("llama3_1")]
    [InlineData("deepseek_v3")]
    public void Conversations_render_and_encode_as_in_transformers(string name)
    {
        var template = ChatTemplate.Load(Tokenizers.Folder(name));
        var tokenizer = Tokenizers.Golden(name);
        AssertRows(Tokenizers.Rows("tokenizers", name, "chat.jsonl"), row => row.GetProperty("messages").GetRawText(), row =>
        {
            var extra = row.GetProperty("extra").EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
            bool? thinks = extra.Remove("enable_thinking", out var thinking) ? thinking.GetBoolean() : null;
            var tools = row.GetProperty("tools");
            var rendered = template.Render(row.GetProperty("messages"), new ChatTemplateOptions
            {
                AddGenerationPrompt = row.GetProperty("add_generation_prompt").GetBoolean(),
                ContinueFinalMessage = row.GetProperty("continue_final_message").GetBoolean(),
                Tools = tools.ValueKind == JsonValueKind.Null ? null : tools,
                EnableThinking = thinks,
                Variables = extra,
            });
            if (row.TryGetProperty("ids", out var ids)) Assert.Equal(Tokenizers.Ids(ids), tokenizer.Encode(rendered.Text, parseSpecialTokens: true));
            return rendered;
        }, "rendered", "error");
    }

    [Theory]
    [InlineData("smollm2")]
    [InlineData("qwen3")]
    [InlineData("llama3_1")]
    [InlineData("deepseek_v3")]
    public void The_template_alone_sees_nulls_and_empty_conversations(string name)
    {
        var template = ChatTemplate.Load(Tokenizers.Folder(name));
        var config = JsonElement.Parse(File.ReadAllBytes(Path.Combine(Tokenizers.Folder(name), "tokenizer_config.json")));
        var rows = Tokenizers.Rows("tokenizers", name, "chat.jsonl").Where(row => row.TryGetProperty("plain_rendered", out _) || row.TryGetProperty("plain_error", out _));
        AssertRows(rows, row => row.GetProperty("messages").GetRawText(), row =>
        {
            var variables = JsonNode.Parse(row.GetProperty("extra").GetRawText())!.AsObject();
            foreach (string role in new[] { "bos_token", "eos_token", "pad_token", "unk_token" })
                if (config.TryGetProperty(role, out var token) && token.ValueKind != JsonValueKind.Null)
                    variables[role] = token.ValueKind == JsonValueKind.Object ? token.GetProperty("content").GetString() : token.GetString();
            variables["messages"] = JsonNode.Parse(row.GetProperty("messages").GetRawText());
            variables["tools"] = JsonNode.Parse(row.GetProperty("tools").GetRawText());
            variables["documents"] = null;
            variables["add_generation_prompt"] = row.GetProperty("add_generation_prompt").GetBoolean();
            return template.RenderVariables(JsonElement.Parse(variables.ToJsonString()));
        }, "plain_rendered", "plain_error", canBeEmpty: true);
    }

    private static void AssertRows(
        IEnumerable<JsonElement> rows, Func<JsonElement, string> name, Func<JsonElement, RenderedChat> render, string renderedField, string errorField, bool canBeEmpty = false)
    {
        var different = new List<string>();
        int count = 0;
        foreach (var row in rows)
        {
            count++;
            string? error = row.TryGetProperty(errorField, out var given) ? given.GetString() : null;
            try
            {
                string text = render(row).Text;
                if (error is not null) different.Add($"{name(row)}: rendered '{text}', expected the error {error}");
                else if (text != row.GetProperty(renderedField).GetString()) different.Add($"{name(row)}:\n got {JsonSerializer.Serialize(text)}\nwant {JsonSerializer.Serialize(row.GetProperty(renderedField).GetString())}");
            }
            catch (R1Exception failure)
            {
                if (error is null) different.Add($"{name(row)}: {failure.Message}, expected {JsonSerializer.Serialize(row.GetProperty(renderedField).GetString())}");
            }
        }
        Assert.True(count > 0 || canBeEmpty);
        Assert.True(different.Count == 0, $"{different.Count} of {count} rows differ:\n{string.Join('\n', different.Take(12))}");
    }

    /// <summary>Golden spans count code points.</summary>
    private static void AssertSpans(JsonElement expected, RenderedChat rendered)
    {
        int[][] got = [.. rendered.AssistantSpans.Select(span => new[] { CodePoints(span.Start.Value), CodePoints(span.End.Value) })];
        int[][] wanted = [.. expected.EnumerateArray().Select(Tokenizers.Ids)];
        Assert.Equal(wanted, got);

        int CodePoints(int offset) => rendered.Text[..offset].EnumerateRunes().Count();
    }
}
