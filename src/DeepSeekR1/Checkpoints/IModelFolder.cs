namespace DeepSeekR1.Checkpoints;

/// <summary>A model with its tokenizer: what one Hugging Face folder holds.</summary>
public interface IModelFolder : IDisposable
{
    /// <summary>Writes the folder; of a model on which an adapter is trained, the adapter, which names its base.</summary>
    /// <exception cref="R1Exception">The folder cannot be written.</exception>
    void Save(string folder);

    /// <summary>Writes a folder that needs no other one: an adapter is added to the weights, and stands beside them.</summary>
    /// <inheritdoc cref="Save" path="/exception"/>
    void SaveWhole(string folder) => Save(folder);
}
