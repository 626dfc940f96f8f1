namespace DeepSeekR1.Checkpoints;

/// <summary>A model with its tokenizer: what one Hugging Face folder holds.</summary>
public interface IModelFolder : IDisposable
{
    /// <summary>Writes the folder.</summary>
    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    void Save(string folder);
}
