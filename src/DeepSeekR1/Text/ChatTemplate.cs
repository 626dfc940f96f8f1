using System.Text;
using System.Text.Json;
using DeepSeekR1.Text.Jinja;
using DeepSeekR1.Text.Tokenization;

namespace DeepSeekR1.Text;

/// <summary>
/// A model's chat template: the Jinja text of its tokenizer's files, rendered as <c>apply_chat_template</c> of transformers does.
/// Immutable and thread-safe; a rendering that loops or grows without end is stopped with an error.
/// </summary>
public sealed class ChatTemplate : IChatTemplate
{
    private const string TemplateFile = "chat_template.jinja";
    private const int LongestTemplate = 1 << 20;

    /// <summary>Stands at the end of a final message that stays open; a noncharacter, so that no text has it.</summary>
    private const string OpenEnd = "\uFDD2";

    private readonly JinjaSource _source;
    private readonly IReadOnlyList<Statement> _template;
    private readonly IReadOnlyDictionary<string, string> _specialTokens;
    private readonly TimeProvider _clock;

    private ChatTemplate(string name, string text, IReadOnlyDictionary<string, string> specialTokens, TimeProvider? clock)
    {
        if (text.Length > LongestTemplate) throw new R1Exception($"{name}: the chat template has {text.Length:N0} characters; over {LongestTemplate:N0} are refused.");
        (Source, _source, _specialTokens, _clock) = (text, new JinjaSource(name, text), specialTokens, clock ?? TimeProvider.System);
        _template = Parser.Parse(_source);
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    /// <summary>
    /// The template of a model folder: <c>chat_template.jinja</c>, or <c>chat_template</c> of <c>tokenizer_config.json</c>, with that
    /// file's special tokens as variables.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="clock">What <c>strftime_now</c> reads, for templates that write the date.</param>
    /// <exception cref="R1Exception">The folder has no template, or it has a syntax error.</exception>
    public static ChatTemplate Load(string folder, TimeProvider? clock = null) => TryLoad(folder, clock) ??
        throw new R1Exception($"{folder} has no chat template: neither {TemplateFile} nor chat_template in {TokenizerConfig.FileName}. Take an instruction-tuned model, or write a {TemplateFile} into the folder.");

    /// <summary>The template of a model folder, or null where it has none.</summary>
    /// <exception cref="R1Exception">The template has a syntax error, or a file is broken.</exception>
    public static ChatTemplate? TryLoad(string folder, TimeProvider? clock = null)
    {
        string configPath = Path.Combine(folder, TokenizerConfig.FileName), templatePath = Path.Combine(folder, TemplateFile);
        var config = File.Exists(configPath) ? TokenizerConfig.Parse(JsonField.Read(configPath)) : TokenizerConfig.Empty;
        if (File.Exists(templatePath)) return new ChatTemplate(templatePath, Encoding.UTF8.GetString(JsonField.ReadBytes(templatePath)), config.RoleTokens, clock);
        return config.ChatTemplate is { } text ? new ChatTemplate($"chat_template of {configPath}", text, config.RoleTokens, clock) : null;
    }

    /// <summary>A template from its text.</summary>
    /// <param name="template">The Jinja text.</param>
    /// <param name="specialTokens">Variables such as <c>bos_token</c> and <c>eos_token</c>.</param>
    /// <param name="clock">What <c>strftime_now</c> reads.</param>
    /// <exception cref="R1Exception">A syntax error, with line and column.</exception>
    public static ChatTemplate Parse(string template, IReadOnlyDictionary<string, string>? specialTokens = null, TimeProvider? clock = null) =>
        new("chat template", template, specialTokens ?? new Dictionary<string, string>(), clock);

    /// <inheritdoc/>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        Render(messages, new ChatTemplateOptions { AddGenerationPrompt = addGenerationPrompt }).Text;

    /// <summary>The conversation as text.</summary>
    /// <exception cref="R1Exception">The template refuses the conversation or is broken; names line and column.</exception>
    public RenderedChat Render(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions options)
    {
        var operations = new Operations(new Meter());
        return Render(operations, [.. messages.Select(message => ToDict(operations, message))], options);
    }

    /// <summary>The conversation as text, from an array of messages in JSON: objects with <c>role</c>, <c>content</c> and what else the template reads.</summary>
    /// <exception cref="R1Exception">The template refuses the conversation or is broken; names line and column.</exception>
    public RenderedChat Render(JsonElement messages, ChatTemplateOptions options)
    {
        if (messages.ValueKind != JsonValueKind.Array) throw new R1Exception($"A conversation must be an array of messages, not {messages.ValueKind}.");
        var operations = new Operations(new Meter());
        var dicts = messages.EnumerateArray().Select(message => JsonValues.From(message, operations) as PyDict ?? throw new R1Exception("A message must be an object with role and content."));
        return Render(operations, [.. dicts.Select(dict => WithoutNullContent(operations, dict))], options);
    }

    /// <summary>The template with just these variables, as Jinja itself renders it.</summary>
    internal RenderedChat RenderVariables(JsonElement variables)
    {
        var operations = new Operations(new Meter());
        var scope = new Scope(Globals.Create(operations, _clock));
        foreach (var variable in variables.EnumerateObject()) scope[variable.Name] = JsonValues.From(variable.Value, operations);
        var (text, spans) = Evaluator.Render(_source, _template, operations, scope);
        return new RenderedChat(text, spans);
    }

    private RenderedChat Render(Operations operations, List<PyDict> messages, ChatTemplateOptions options)
    {
        if (messages.Count == 0) throw new R1Exception("A conversation needs at least one message.");
        if (options.ContinueFinalMessage && options.AddGenerationPrompt)
            throw new R1Exception("continue_final_message and add_generation_prompt exclude each other: a text ends with either an open message or a new turn.");
        if (options.ContinueFinalMessage) messages[^1] = LeaveOpen(operations, messages[^1]);

        var scope = new Scope(Globals.Create(operations, _clock));
        foreach (var (role, token) in _specialTokens) scope[role] = token;
        scope["messages"] = new PyList(messages);
        scope["tools"] = options.Tools is { } tools ? JsonValues.From(tools, operations) : null;
        scope["documents"] = null;
        scope["add_generation_prompt"] = options.AddGenerationPrompt;
        if (options.EnableThinking is { } thinks) scope["enable_thinking"] = thinks;
        foreach (var (name, value) in options.Variables) scope[name] = JsonValues.From(value, operations);

        var (text, spans) = Evaluator.Render(_source, _template, operations, scope);
        if (options.ContinueFinalMessage) text = CutAtOpenEnd(text);
        return new RenderedChat(text, [.. spans.Where(span => span.Start.Value < text.Length).Select(span => span.Start..Math.Min(span.End.Value, text.Length))]);
    }

    private static PyDict ToDict(Operations operations, ChatMessage message)
    {
        var dict = operations.NewDict();
        dict["role"] = message.Role;
        dict["content"] = message.Content;
        if (message.ReasoningContent is { } reasoning) dict["reasoning_content"] = reasoning;
        if (message.ToolCalls is { } calls) dict["tool_calls"] = JsonValues.From(calls, operations);
        return dict;
    }

    /// <summary>transformers takes a null content as none.</summary>
    private static PyDict WithoutNullContent(Operations operations, PyDict message)
    {
        if (!message.TryGet("content", out object? content) || content is not null) return message;
        var copy = operations.NewDict();
        foreach (var (key, value) in message.Items)
            if (key is not "content") copy[key] = value;
        return copy;
    }

    private static PyDict LeaveOpen(Operations operations, PyDict message)
    {
        if (!message.TryGet("content", out object? content) || content is not string text)
            throw new R1Exception("continue_final_message needs a last message whose content is text.");
        var copy = operations.NewDict();
        foreach (var (key, value) in message.Items) copy[key] = key is "content" ? text + OpenEnd + " " : value;
        return copy;
    }

    /// <summary>A template that trims contents would have trimmed the message's own space too.</summary>
    private static string CutAtOpenEnd(string text)
    {
        int end = text.LastIndexOf(OpenEnd, StringComparison.Ordinal);
        if (end < 0) throw new R1Exception("continue_final_message: the template leaves out the last message, so it cannot be continued.");
        bool keepsSpace = text.AsSpan(end + OpenEnd.Length).StartsWith(" ");
        return keepsSpace ? text[..end] : text[..end].TrimEnd();
    }
}
