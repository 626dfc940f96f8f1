using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data;
using DeepSeekR1.Models;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;
using static TorchSharp.torch;

namespace DeepSeekR1.Training;

/// <summary>A judge that is learned: a decoder with a scalar head, its tokenizer and chat template. Not thread-safe.</summary>
public sealed class RewardModel : IModelFolder
{
    /// <summary>Tokens that are scored at once.</summary>
    private const int TokensPerBatch = 16_384;

    private readonly ChatTemplate? _template;

    private RewardModel(SequenceClassifier model, HfTokenizer tokenizer, ChatTemplate? template) => (Model, Tokenizer, _template) = (model, tokenizer, template);

    /// <summary>Decoder and head.</summary>
    public SequenceClassifier Model { get; }

    /// <summary>Text to ids.</summary>
    public HfTokenizer Tokenizer { get; }

    /// <summary>
    /// Opens a folder: a classifier with one label as it is, a language model with a fresh head in place of its own.
    /// </summary>
    /// <param name="folder">A Hugging Face folder.</param>
    /// <param name="runtime">Where it computes.</param>
    /// <param name="init">Draws of a fresh head.</param>
    /// <exception cref="R1Exception">The folder is no model that can be opened; names the file and what was expected.</exception>
    public static RewardModel Open(string folder, TorchRuntime runtime, AddressedRandom init)
    {
        var (tokenizer, template) = (HfTokenizer.Load(folder), ChatTemplate.TryLoad(folder));
        if (HfCheckpoint.LoadConfig(folder).IsClassifier) return new RewardModel(HfCheckpoint.LoadClassifier(folder, runtime), tokenizer, template);
        using var languageModel = HfCheckpoint.LoadModel(folder, runtime);
        return new RewardModel(SequenceClassifier.From(languageModel, init), tokenizer, template);
    }

    /// <summary>A conversation with its reply as the model reads it; of one that is too long the end is read.</summary>
    /// <exception cref="R1Exception">The chat template refuses the conversation.</exception>
    public ReadOnlyMemory<int> Encode(IReadOnlyList<ChatMessage> prompt, string reply) => Encode(new ChatExample("", prompt, [new ChatMessage("assistant", reply)]));

    /// <summary>
    /// A prompt with its reply as the model reads it: a conversation through the chat template, plain text as it is with the end token; of one
    /// that is too long the end is read.
    /// </summary>
    /// <exception cref="R1Exception">The chat template refuses the conversation.</exception>
    public ReadOnlyMemory<int> Encode(SftExample reply) => WithinContext(Ids(reply));

    /// <summary>The same; null where the whole has more tokens than the limit.</summary>
    internal ReadOnlyMemory<int>? Encode(SftExample reply, int limit)
    {
        int[] ids = Ids(reply);
        // A bare null would become an empty memory.
        return ids.Length <= limit ? WithinContext(ids) : default(ReadOnlyMemory<int>?);
    }

    /// <summary>The score of each sequence; higher is better, 0 is the middle.</summary>
    public double[] Score(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        var scores = new double[sequences.Count];
        int rows = Math.Max(1, TokensPerBatch / Math.Max(1, sequences.Select(sequence => sequence.Length).DefaultIfEmpty().Max()));
        foreach (int[] batch in Enumerable.Range(0, sequences.Count).Chunk(rows))
        {
            using var frozen = no_grad();
            using var scope = NewDisposeScope();
            var (ids, lengths) = PaddedSequences.Of([.. batch.Select(i => sequences[i])], Model.Device);
            double[] values = Model.Score(ids, lengths).to(ScalarType.Float64).cpu().data<double>().ToArray();
            foreach (var (i, value) in batch.Zip(values)) scores[i] = value;
        }
        return scores;
    }

    private int[] Ids(SftExample reply) => reply switch
    {
        TextExample text => Tokenizer.Encode(SftEncoder.WithEnd(text.Prompt + text.Completion, EndToken), parseSpecialTokens: true),
        ChatExample chat when _template is null => Tokenizer.Encode(string.Join("\n\n", chat.Prompt.Concat(chat.Completion).Select(turn => turn.Content))),
        ChatExample chat => _template.Encode(Tokenizer, [.. chat.Prompt, .. chat.Completion], addGenerationPrompt: false),
        _ => throw new InvalidOperationException($"unknown kind of example {reply.GetType()}"),
    };

    private ReadOnlyMemory<int> WithinContext(int[] ids) => ids.AsMemory(Math.Max(0, ids.Length - Model.Config.MaxPositions));

    private string EndToken => Tokenizer.EosId is { } end ? Tokenizer.TokenOf(end)! : "";

    /// <inheritdoc/>
    public void Save(string folder) => HfCheckpoint.SaveModel(Model, folder, saveBeside: Tokenizer.Save);

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
