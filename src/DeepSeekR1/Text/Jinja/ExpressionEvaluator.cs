namespace DeepSeekR1.Text.Jinja;

/// <summary>Values of expressions.</summary>
internal sealed partial class Evaluator
{
    private object? Evaluate(Expression expression, Scope scope)
    {
        _operations.Meter.Step();
        object? value = expression switch
        {
            Literal literal => literal.Value,
            Name name => scope.TryGet(name.Id, out object? found) ? found : new Undefined($"'{name.Id}' is undefined"),
            BlockText => scope.TryGet(BlockText.Variable, out object? text) ? text : "",
            SequenceLiteral sequence => EvaluateSequence(sequence, scope),
            DictLiteral dict => EvaluateDict(dict, scope),
            Conditional conditional => EvaluateConditional(conditional, scope),
            Binary { Operator: "and" } and => Evaluate(and.Left, scope) is var left && Operations.IsTrue(left) ? Evaluate(and.Right, scope) : left,
            Binary { Operator: "or" } or => Evaluate(or.Left, scope) is var left && Operations.IsTrue(left) ? left : Evaluate(or.Right, scope),
            Binary binary => EvaluateBinary(binary, scope),
            Unary { Operator: "not" } not => !Operations.IsTrue(Evaluate(not.Operand, scope)),
            Unary unary => EvaluateUnary(unary, scope),
            Concatenation concatenation => EvaluateConcatenation(concatenation, scope),
            Comparison comparison => EvaluateComparison(comparison, scope),
            Attribute attribute => EvaluateAttribute(attribute, scope),
            Subscript subscript => EvaluateSubscript(subscript, scope),
            Call call => EvaluateCall(call, scope),
            Filter filter => EvaluateFilter(filter, scope),
            Test test => EvaluateTest(test, scope),
            _ => throw new JinjaException("a slice stands outside of square brackets"),
        };
        return value;
    }

    private Sequence EvaluateSequence(SequenceLiteral literal, Scope scope)
    {
        var items = new List<object?>(literal.Items.Count);
        foreach (var item in literal.Items) items.Add(Evaluate(item, scope));
        _operations.Meter.MakeItems(items.Count);
        return literal.IsTuple ? new PyTuple(items) : new PyList(items);
    }

    private PyDict EvaluateDict(DictLiteral literal, Scope scope)
    {
        var dict = _operations.NewDict();
        foreach (var (key, value) in literal.Items) dict[Evaluate(key, scope)] = Evaluate(value, scope);
        _operations.Meter.MakeItems(dict.Count);
        return dict;
    }

    private object? EvaluateConditional(Conditional conditional, Scope scope)
    {
        if (Operations.IsTrue(Evaluate(conditional.Condition, scope))) return Evaluate(conditional.Then, scope);
        return conditional.Else is null ? new Undefined("the condition is false and there is no else") : Evaluate(conditional.Else, scope);
    }

    private object? EvaluateBinary(Binary binary, Scope scope)
    {
        object? left = Evaluate(binary.Left, scope), right = Evaluate(binary.Right, scope);
        _position = binary.Position;
        return _operations.Apply(binary.Operator, left, right);
    }

    private object? EvaluateUnary(Unary unary, Scope scope)
    {
        object? operand = Evaluate(unary.Operand, scope);
        _position = unary.Position;
        return Operations.Negate(unary.Operator, operand);
    }

    private string EvaluateConcatenation(Concatenation concatenation, Scope scope)
    {
        var texts = new List<string>(concatenation.Items.Count);
        foreach (var item in concatenation.Items) texts.Add(_operations.Text(Evaluate(item, scope)));
        _operations.Meter.Make(texts.Sum(text => (long)text.Length));
        return string.Concat(texts);
    }

    private bool EvaluateComparison(Comparison comparison, Scope scope)
    {
        object? left = Evaluate(comparison.First, scope);
        foreach (var (symbol, expression) in comparison.Rest)
        {
            object? right = Evaluate(expression, scope);
            _position = comparison.Position;
            bool holds = symbol switch
            {
                "==" => _operations.AreEqual(left, right),
                "!=" => !_operations.AreEqual(left, right),
                "<" => _operations.Compare(left, right, symbol) < 0,
                "<=" => _operations.Compare(left, right, symbol) <= 0,
                ">" => _operations.Compare(left, right, symbol) > 0,
                ">=" => _operations.Compare(left, right, symbol) >= 0,
                "in" => _operations.Contains(right, left),
                _ => !_operations.Contains(right, left),
            };
            if (!holds) return false;
            left = right;
        }
        return true;
    }

    private object? EvaluateAttribute(Attribute attribute, Scope scope)
    {
        object? target = Evaluate(attribute.Target, scope);
        _position = attribute.Position;
        return _operations.GetAttribute(target, attribute.Id);
    }

    private object? EvaluateSubscript(Subscript subscript, Scope scope)
    {
        object? target = Evaluate(subscript.Target, scope);
        if (subscript.Key is Slice slice)
        {
            object? start = Part(slice.Start), stop = Part(slice.Stop), step = Part(slice.Step);
            _position = subscript.Position;
            return _operations.GetSlice(target, start, stop, step);
        }
        object? key = Evaluate(subscript.Key, scope);
        _position = subscript.Position;
        return _operations.GetItem(target, key);

        object? Part(Expression? part) => part is null ? null : Evaluate(part, scope);
    }

    private object? EvaluateCall(Call call, Scope scope)
    {
        object? target = Evaluate(call.Target, scope);
        var arguments = EvaluateArguments(call.Arguments, scope);
        _position = call.Position;
        return _operations.Call(target, arguments);
    }

    private object? EvaluateFilter(Filter filter, Scope scope)
    {
        object? operand = Evaluate(filter.Operand, scope);
        var arguments = EvaluateArguments(filter.Arguments, scope);
        _position = filter.Position;
        return Filters.Apply(_operations, filter.Id, operand, arguments);
    }

    private bool EvaluateTest(Test test, Scope scope)
    {
        object? operand = Evaluate(test.Operand, scope);
        var arguments = EvaluateArguments(test.Arguments, scope);
        _position = test.Position;
        return Tests.Holds(_operations, test.Id, operand, arguments);
    }

    private Arguments EvaluateArguments(CallArguments written, Scope scope)
    {
        if (ReferenceEquals(written, CallArguments.None)) return Arguments.None;
        var positional = new List<object?>(written.Positional.Count);
        foreach (var expression in written.Positional) positional.Add(Evaluate(expression, scope));
        var named = new Dictionary<string, object?>();
        foreach (var (id, expression) in written.Named)
            if (!named.TryAdd(id, Evaluate(expression, scope))) throw new JinjaException($"the argument '{id}' is given twice");
        if (written.Spread is not null) positional.AddRange(_operations.Iterate(Evaluate(written.Spread, scope)));
        if (written.NamedSpread is not null)
        {
            if (Evaluate(written.NamedSpread, scope) is not PyDict dict) throw new JinjaException("** needs a mapping");
            foreach (var (key, value) in dict.Items) named[_operations.Text(key)] = value;
        }
        return new Arguments(positional, named);
    }
}
