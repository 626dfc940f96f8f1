namespace DeepSeekR1.Configuration;

/// <summary>A config record that knows which combinations of its settings are impossible.</summary>
public interface IValidatedConfig
{
    /// <summary>What is wrong with this record; nothing when all is well. Settings already lie in their ranges, each by itself.</summary>
    IEnumerable<ConfigProblem> Validate();
}

/// <summary>One impossible combination.</summary>
/// <param name="Property">The property to change, by <c>nameof</c>; the message then stands at its line in the user's file.</param>
/// <param name="Message">What must hold, with the values and without a full stop: "must not exceed samples (8), but is 16".</param>
public sealed record ConfigProblem(string Property, string Message);
