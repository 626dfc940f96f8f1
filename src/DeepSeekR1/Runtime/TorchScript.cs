using TorchSharp;

namespace DeepSeekR1.Runtime;

/// <summary>Compiled TorchScript: the way to operators that TorchSharp does not bind.</summary>
internal sealed class TorchScript(string source)
{
    private readonly Lazy<torch.jit.CompilationUnit> _compiled = new(() => torch.jit.compile(source));

    /// <summary>
    /// Calls a function of the script. Numbers are held until it returns: LibTorch gets them as objects, and one that nothing refers
    /// to may be collected before it was read.
    /// </summary>
    /// <param name="name">The function's name.</param>
    /// <param name="arguments">Tensors, arrays of tensors and doubles.</param>
    /// <returns>What it returns, in the current dispose scope.</returns>
    public torch.Tensor Invoke(string name, params object[] arguments)
    {
        var held = new List<Scalar>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] is not double number) continue;
            held.Add(number);
            arguments[i] = held[^1];
        }
        var result = (torch.Tensor)_compiled.Value.invoke(name, arguments);
        foreach (var scalar in held) scalar.Dispose();
        return result;
    }
}
