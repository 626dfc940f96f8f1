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

    /// <summary>Characters and list elements made, intermediate ones included.</summary>
    private const long MostElements = 100_000_000;

    private long _steps;
    private long _elements;

    /// <summary>Counts one step; also guards the stack, since everything that recurses steps.</summary>
    public void Step()
    {
        if (++_steps > MostSteps) throw new JinjaException($"stopped after {MostSteps:N0} steps; the template seems to loop without end");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new JinjaException("nested too deeply");
    }

    /// <summary>Counts elements or characters before they are made.</summary>
    public void Make(long count)
    {
        _elements += count;
        if (_elements > MostElements) throw new JinjaException($"stopped after making {MostElements:N0} characters; the template seems to grow without end");
    }

    /// <summary>Counts the text and gives it back.</summary>
    public string Made(string text)
    {
        Make(text.Length);
        return text;
    }
}
