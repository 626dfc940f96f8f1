using System.Runtime.CompilerServices;

namespace DeepSeekR1.Text.Jinja;

/// <summary>
/// What one rendering may cost. Templates come with model files from anywhere: one that loops for ever or allocates without end is
/// stopped with an error.
/// </summary>
internal sealed class Meter
{
    /// <summary>Evaluated nodes and compared values: seconds of work, a thousand times what real conversations take.</summary>
    private const long MostSteps = 20_000_000;

    /// <summary>Characters made, intermediate ones included.</summary>
    private const long MostCharacters = 100_000_000;

    /// <summary>What an item of a list or dict counts in characters.</summary>
    private const int ItemCost = 8;

    /// <summary>Looking through this many characters counts as making one.</summary>
    private const int ReadsPerCharacter = 2;

    private long _steps;
    private long _characters;

    /// <summary>Counts one step; also guards the stack, since everything that recurses steps.</summary>
    public void Step()
    {
        if (++_steps > MostSteps) throw new JinjaException($"stopped after {MostSteps:N0} steps; the template seems to loop without end");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new JinjaException("nested too deeply");
    }

    /// <summary>Counts characters before they are made.</summary>
    public void Make(long count)
    {
        _characters += count;
        if (_characters > MostCharacters) throw new JinjaException($"stopped after making {MostCharacters:N0} characters; the template seems to grow without end");
    }

    /// <summary>Counts items of a list or dict before they are made.</summary>
    public void MakeItems(long count) => Make(count * ItemCost);

    /// <summary>Counts the characters or items of a value that is about to be looked through.</summary>
    public void Read(object? value)
    {
        Step();
        switch (value)
        {
            case string text: Make(text.Length / ReadsPerCharacter); break;
            case Sequence sequence: Make(sequence.Items.Count); break;
            case PyIterable iterable: Make(iterable.Items.Count); break;
            case PyDict dict: MakeItems(dict.Count); break;
        }
    }

    /// <summary>Counts the text and gives it back.</summary>
    public string Made(string text)
    {
        Make(text.Length);
        return text;
    }
}
