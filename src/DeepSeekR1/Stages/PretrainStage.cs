using System.Text.Json;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Data.World;
using DeepSeekR1.Models;
using DeepSeekR1.Rollouts;
using DeepSeekR1.Runtime;
using DeepSeekR1.Text;
using DeepSeekR1.Training;

namespace DeepSeekR1.Stages;

/// <summary>A base model from nothing: a decoder trained on the embedded world's web text.</summary>
internal static class PretrainStage
{
    public const string Name = "pretrain";

    public static StagePlan<PolicyModel> Plan(RunContext run)
    {
        var world = run.Data.World ?? throw new R1Exception("Pretraining reads the text of the embedded world: set data.world (even {} will do), or start from a model by --model.");
        var config = run.Recipe.Pretrain;
        string fresh = CreateModel(run, world.Vocabulary);
        string summary = $"{config.Sft.Steps} steps of {config.Sft.BatchTokens} tokens of web text";
        return new StagePlan<PolicyModel>(Name, summary, fresh, run.Open, policy => SftTrainer.OnStream(world.Corpus.Document, policy, config.Sft, run.Recipe.Seed, run.Time));
    }

    /// <summary>Writes the untrained model and its tokenizer, as a function of the seed.</summary>
    private static string CreateModel(RunContext run, WorldVocabulary vocabulary)
    {
        string folder = Path.Combine(run.Folder.CheckpointsFolder, Name, "untrained");
        var specials = new WordLevelSpecialTokens(WorldVocabulary.Padding, WorldVocabulary.User, WorldVocabulary.EndOfText) { Others = [WorldVocabulary.Assistant] };
        var tokenizer = new WordLevelTokenizer(vocabulary.Words, specials, WorldVocabulary.ChatTemplate);
        var shape = run.Recipe.Pretrain.Shape;
        bool isQwen = shape.Family == DecoderFamily.Qwen2;
        using var model = CausalLM.Create(new ModelConfig
        {
            Architecture = (isQwen ? ModelFamily.Qwen2 : ModelFamily.Llama).CausalLM,
            QueryKeyValueBias = isQwen,
            VocabularySize = tokenizer.VocabularySize,
            HiddenSize = shape.HiddenSize,
            IntermediateSize = shape.IntermediateSize,
            Layers = shape.Layers,
            Heads = shape.Heads,
            KeyValueHeads = shape.KeyValueHeads,
            MaxPositions = shape.ContextLength,
            TieWordEmbeddings = true,
        }, run.Runtime, new AddressedRandom(run.Recipe.Seed, RandomPurpose.Weights));
        HfCheckpoint.SaveModel(model, folder, saveBeside: _ =>
        {
            tokenizer.Save(folder);
            AtomicFile.WriteText(Path.Combine(folder, "generation_config.json"), JsonSerializer.Serialize(new { bos_token_id = tokenizer.BosId, eos_token_id = tokenizer.EosId, pad_token_id = tokenizer.PadId }));
        });
        return folder;
    }
}
