using System.Text;

namespace DeepSeekR1.Text.Jinja;

/// <summary>Runs the statements of a template.</summary>
internal sealed partial class Evaluator
{
    private readonly JinjaSource _source;
    private readonly Operations _operations;
    private readonly StringBuilder _page = new();
    private readonly List<Range> _spans = [];
    private StringBuilder _output;
    private int _position;

    private Evaluator(JinjaSource source, Operations operations) => (_source, _operations, _output) = (source, operations, _page);

    /// <summary>The template's text, and the ranges of it that stand in generation blocks.</summary>
    /// <exception cref="R1Exception">The template refuses, fails or costs too much; names line and column.</exception>
    public static (string Text, IReadOnlyList<Range> Spans) Render(
        JinjaSource source, IReadOnlyList<Statement> template, Operations operations, Scope variables)
    {
        var evaluator = new Evaluator(source, operations);
        try
        {
            evaluator.Run(template, variables);
        }
        catch (JinjaException failure)
        {
            throw source.Error(evaluator._position, failure.Message);
        }
        return (evaluator._page.ToString(), evaluator._spans);
    }

    /// <summary>How a body ended.</summary>
    private enum Flow { Next, Break, Continue }

    private Flow Run(IReadOnlyList<Statement> body, Scope scope)
    {
        foreach (var statement in body)
        {
            _position = statement.Position;
            _operations.Meter.Step();
            var flow = Run(statement, scope);
            if (flow != Flow.Next) return flow;
        }
        return Flow.Next;
    }

    private Flow Run(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case TextOutput text: Write(text.Text); break;
            case Output output: Write(_operations.Text(Evaluate(output.Value, scope))); break;
            case If branches: return RunIf(branches, scope);
            case For loop: RunFor(loop, scope, Evaluate(loop.Iterable, scope), 0); break;
            case Break: return Flow.Break;
            case Continue: return Flow.Continue;
            case Set set: Assign(set.Target, Evaluate(set.Value, scope), scope); break;
            case SetBlock block:
                Assign(block.Target, EvaluateBlock(block.Value, block.Body, scope), scope);
                break;
            case With with: RunWith(with, scope); break;
            case FilterBlock block: Write(_operations.Text(EvaluateBlock(block.Value, block.Body, scope))); break;
            case Generation generation: RunGeneration(generation, scope); break;
            case Macro macro: scope[macro.Id] = MacroFunction(macro.Id, macro.Signature, macro.Body, scope); break;
            case CallBlock call: RunCallBlock(call, scope); break;
        }
        return Flow.Next;
    }

    private Flow RunIf(If branches, Scope scope)
    {
        foreach (var (condition, body) in branches.Branches)
            if (Operations.IsTrue(Evaluate(condition, scope))) return Run(body, scope);
        return Run(branches.Else, scope);
    }

    private void RunFor(For loop, Scope scope, object? iterable, int depth)
    {
        var items = _operations.Iterate(iterable);
        if (loop.Filter is not null) items = [.. items.Where(item => Operations.IsTrue(Evaluate(loop.Filter, ScopeOf(item))))];
        var recurse = loop.IsRecursive ? new Function("loop", arguments => Captured(() =>
            RunFor(loop, scope, new Parameters("loop", ["iterable"], arguments).Value(0), depth + 1))) : null;
        var memory = new LoopMemory();
        for (int i = 0; i < items.Count; i++)
        {
            var inner = ScopeOf(items[i]);
            inner["loop"] = new Loop(items, i, depth, recurse, memory);
            if (Run(loop.Body, inner) == Flow.Break) break;
        }
        if (items.Count == 0) Run(loop.Else, new Scope(scope));

        Scope ScopeOf(object? item)
        {
            _operations.Meter.Step();
            var inner = new Scope(scope);
            Assign(loop.Target, item, inner);
            return inner;
        }
    }

    private void Assign(Target target, object? value, Scope scope)
    {
        _position = target.Position;
        switch (target)
        {
            case NameTarget name: scope[name.Id] = value; break;
            case AttributeTarget attribute:
                if (!scope.TryGet(attribute.Id, out object? owner) || owner is not PyNamespace space)
                    throw new JinjaException($"cannot assign an attribute of '{attribute.Id}', which is no namespace");
                space.Attributes[attribute.Attribute] = value;
                break;
            case TupleTarget tuple:
                var items = _operations.Iterate(value, "cannot unpack non-iterable {0} object");
                if (items.Count != tuple.Items.Count) throw new JinjaException($"cannot unpack {items.Count} values into {tuple.Items.Count} names");
                for (int i = 0; i < items.Count; i++) Assign(tuple.Items[i], items[i], scope);
                break;
        }
    }

    private void RunWith(With with, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (id, value) in with.Variables) inner[id] = Evaluate(value, scope);
        Run(with.Body, inner);
    }

    private void RunGeneration(Generation generation, Scope scope)
    {
        int start = _page.Length;
        Run(generation.Body, new Scope(scope));
        if (ReferenceEquals(_output, _page)) _spans.Add(start.._page.Length);
    }

    private void RunCallBlock(CallBlock block, Scope scope)
    {
        var caller = MacroFunction("caller", block.Signature, block.Body, scope);
        object? target = Evaluate(block.Call.Target, scope);
        var arguments = EvaluateArguments(block.Call.Arguments, scope);
        var named = new Dictionary<string, object?>(arguments.Named) { ["caller"] = caller };
        Write(_operations.Text(_operations.Call(target, arguments with { Named = named })));
    }

    private object? EvaluateBlock(Expression value, IReadOnlyList<Statement> body, Scope scope) =>
        Evaluate(value, new Scope(scope) { [BlockText.Variable] = Capture(body, new Scope(scope)) });

    private Function MacroFunction(string name, MacroSignature signature, IReadOnlyList<Statement> body, Scope definedIn) => new(name, arguments =>
    {
        var scope = new Scope(definedIn);
        var parameters = signature.Parameters;
        var named = new Dictionary<string, object?>(arguments.Named);
        if (arguments.Positional.Count > parameters.Count && !signature.UsesVarargs)
            throw new JinjaException($"macro '{name}' takes not more than {parameters.Count} argument(s)");
        for (int i = 0; i < parameters.Count; i++)
        {
            var (id, standard) = parameters[i];
            bool isNamed = named.Remove(id, out object? value);
            if (i < arguments.Positional.Count) value = isNamed ? throw new JinjaException($"macro '{name}' got two values for '{id}'") : arguments.Positional[i];
            else if (!isNamed) value = standard is null ? new Undefined($"parameter '{id}' was not provided") : Evaluate(standard, scope);
            scope[id] = value;
        }
        if (signature.UsesCaller) scope["caller"] = named.Remove("caller", out object? caller) ? caller : new Undefined("no caller defined");
        if (signature.UsesVarargs) scope["varargs"] = new PyTuple([.. arguments.Positional.Skip(parameters.Count)]);
        if (signature.UsesKwargs) scope["kwargs"] = DictOf(named);
        else if (named.Count > 0) throw new JinjaException($"macro '{name}' takes no keyword argument '{named.Keys.First()}'");
        return Capture(body, scope);
    });

    private PyDict DictOf(Dictionary<string, object?> items)
    {
        var dict = _operations.NewDict();
        foreach (var (key, value) in items) dict[key] = value;
        return dict;
    }

    private string Capture(IReadOnlyList<Statement> body, Scope scope) => Captured(() => Run(body, scope));

    private string Captured(Action run)
    {
        var outer = _output;
        _output = new StringBuilder();
        run();
        string text = _output.ToString();
        _output = outer;
        return text;
    }

    private void Write(string text)
    {
        _operations.Meter.Make(text.Length);
        _output.Append(text);
    }
}
