namespace DeepSeekR1.Configuration;

/// <summary>The stages that <c>r1 train --stage</c> knows, in the order of the DeepSeek-R1 recipe.</summary>
public enum TrainStage
{
    /// <summary>A base model from nothing.</summary>
    Pretrain,
    /// <summary>Pure reinforcement learning from the base model (R1-Zero).</summary>
    Zero,
    /// <summary>Supervised fine-tuning on few worked solutions (R1 dev1).</summary>
    ColdStart,
    /// <summary>Reinforcement learning from the cold start (R1 dev2).</summary>
    ReasoningRl,
    /// <summary>Supervised fine-tuning on the best of the model's own samples (R1 dev3).</summary>
    RejectionSft,
    /// <summary>Models of what people prefer: helpful and harmless.</summary>
    RewardModel,
    /// <summary>Reinforcement learning on rules and reward models (R1).</summary>
    AllScenarioRl,
    /// <summary>A smaller model taught by the large one.</summary>
    Distill,
    /// <summary>All of them that the recipe has, in order.</summary>
    All,
}
