namespace DeepSeekR1.Rewards;

/// <summary>
/// Makes rewards from names and options, for configs and command lines: <c>accuracy</c>, <c>format:weight=0.5,template=open-r1</c>.
/// Immutable. Hyphens and underscores in names are the same. Options that every reward understands: <c>weight</c> (1), <c>as</c> (another name in
/// metrics), <c>timeout</c> (seconds for a verdict), <c>min</c> and <c>max</c> (bounds of the score).
/// </summary>
/// <example>
/// <code>
/// var rewards = RewardRegistry.Default.Parse("accuracy", "format:weight=0.5", "language:weight=0.1");
/// </code>
/// </example>
public sealed class RewardRegistry
{
    private readonly IReadOnlyDictionary<string, Func<RewardOptions, IGroupReward>> _factories;

    private RewardRegistry(IReadOnlyDictionary<string, Func<RewardOptions, IGroupReward>> factories) => _factories = factories;

    /// <summary>All rewards of this package.</summary>
    public static RewardRegistry Default { get; } = new(BuiltInRewards.Factories);

    /// <summary>The known names.</summary>
    public IEnumerable<string> Names => _factories.Keys.Order(StringComparer.Ordinal);

    /// <summary>The same registry with one reward more, or with another in place of the one of that name.</summary>
    /// <param name="name">The name to write in configs.</param>
    /// <param name="factory">Reads its options and makes the reward; an option that it does not read is an error for the user.</param>
    public RewardRegistry With(string name, Func<RewardOptions, IGroupReward> factory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        return new(new Dictionary<string, Func<RewardOptions, IGroupReward>>(_factories, StringComparer.OrdinalIgnoreCase)
        {
            [name.Replace('-', '_')] = factory,
        });
    }

    /// <summary>Makes one reward from a text <c>name[:option=value[,option=value]…]</c>.</summary>
    /// <exception cref="ArgumentException">Unknown name or option.</exception>
    /// <exception cref="FormatException">The text or a value cannot be read.</exception>
    public WeightedReward Create(string specification)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(specification);
        int colon = specification.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return Create(specification.Trim(), new Dictionary<string, string>());

        var options = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (string part in specification[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new FormatException($"'{specification}': '{part}' is not option=value");
            if (!options.TryAdd(part[..equals].TrimEnd(), part[(equals + 1)..].TrimStart()))
                throw new FormatException($"'{specification}': option '{part[..equals].TrimEnd()}' is given twice");
        }
        return Create(specification[..colon].Trim(), options);
    }

    /// <summary>Makes one reward from its name and options.</summary>
    /// <exception cref="ArgumentException">Unknown name or option.</exception>
    /// <exception cref="FormatException">A value cannot be read.</exception>
    public WeightedReward Create(string name, IReadOnlyDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        if (!_factories.TryGetValue(name.Replace('-', '_'), out var factory)) throw new ArgumentException($"there is no reward '{name}'{Nearest.Hint(name, Names)}");

        var read = new RewardOptions(name, options);
        double weight = read.Number("weight", 1);
        var reward = factory(read);
        reward = Decorate(reward, read);
        read.RejectUnknown();
        return new WeightedReward(reward, weight);
    }

    /// <summary>Makes several rewards, to be summed.</summary>
    /// <param name="specifications">Each as for <see cref="Create(string)"/>.</param>
    /// <exception cref="ArgumentException">Unknown name or option, or two rewards of one name (use <c>as</c>).</exception>
    /// <exception cref="FormatException">A text or a value cannot be read.</exception>
    public WeightedRewards Parse(params IEnumerable<string> specifications) => new() { Items = [.. specifications.Select(Create)] };

    private static IGroupReward Decorate(IGroupReward reward, RewardOptions options)
    {
        if (options.OptionalNumber("timeout") is { } seconds) reward = reward.WithTimeout(TimeSpan.FromSeconds(seconds));
        double? min = options.OptionalNumber("min"), max = options.OptionalNumber("max");
        if (min is not null || max is not null)
            reward = reward.Clamped(min ?? double.NegativeInfinity, max ?? double.PositiveInfinity);
        return options.Text("as") is { } name ? reward.Named(name) : reward;
    }
}
