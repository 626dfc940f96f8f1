namespace DeepSeekR1.Testing;

/// <summary>Settings that make every stage of the embedded recipe a matter of a second; later settings win.</summary>
internal static class SmallRecipe
{
    public static readonly string[] Settings =
    [
        "runtime.threads=1", "runtime.device=cpu",
        "data.world.validationProblems=8", "data.world.testProblems=8", "data.world.longerProblems=4",
        "evaluation.samples=2", "evaluation.consensusSamples=2",
        "zero.grpo.steps=4", "zero.grpo.promptsPerStep=4", "zero.grpo.groupSize=4", "zero.evaluateEvery=2",
        "reasoningRl.grpo.steps=3", "reasoningRl.grpo.promptsPerStep=4", "reasoningRl.grpo.groupSize=4", "reasoningRl.evaluateEvery=0",
        "data.world.chatPrompts=24", "rejectionSft.curation.prompts=8", "rejectionSft.curation.samples=4", "rejectionSft.curation.filters=[]", "rejectionSft.generalExamples=24",
        "rejectionSft.sft.epochs=1", "rewardModel.chats=6", "rewardModel.heldOutChats=4", "rewardModel.samples=2", "rewardModel.maxPairs=128", "rewardModel.helpful.epochs=1",
        "rewardModel.safety.epochs=1", "allScenarioRl.grpo.steps=4", "allScenarioRl.grpo.promptsPerStep=4", "allScenarioRl.grpo.groupSize=4", "allScenarioRl.evaluateEvery=2",
        "distill.curation.prompts=8", "distill.curation.filters=[]", "distill.generalPrompts=8", "distill.sft.epochs=1", "distill.studentRl.grpo.steps=2",
        "distill.studentRl.grpo.promptsPerStep=4", "distill.studentRl.grpo.groupSize=4", "distill.studentRl.evaluateEvery=0",
        "coldStart.examples=48", "pretrain.sft.steps=6", "pretrain.sft.batchTokens=512", "pretrain.sft.maxLength=192", "checkpoints.every=0",
    ];
}
