using System.Reflection;
using DeepSeekR1.Rewards;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests;

/// <summary>The arrows of docs/architecture.md: who may know whom.</summary>
public class ArchitectureTests
{
    private static readonly Assembly _library = typeof(R1Exception).Assembly;

    /// <summary>Room (namespace within the library) → rooms that it must not know.</summary>
    private static readonly Dictionary<string, string[]> _forbidden = new()
    {
        ["Vectors"] = ["Runtime", "Configuration", "Text", "Data", "Checkpoints", "Models", "Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Runtime"] = ["Configuration", "Text", "Data", "Checkpoints", "Models", "Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Configuration"] = ["Text", "Data", "Checkpoints", "Models", "Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Telemetry"] = ["Text", "Data", "Checkpoints", "Models", "Rollouts", "Training", "Evaluation", "Stages"],
        ["Text"] = ["Models", "Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Data"] = ["Models", "Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Checkpoints"] = ["Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Models"] = ["Rollouts", "Training", "Evaluation", "Telemetry", "Stages"],
        ["Rollouts"] = ["Training", "Evaluation", "Telemetry", "Stages"],
        ["Evaluation"] = ["Training", "Telemetry", "Stages"],
        ["Training"] = ["Stages"],
    };

    [Fact]
    public void Rooms_know_only_the_rooms_below()
    {
        string[] wrong =
        [
            .. from type in _library.GetTypes()
               from known in TypeReferences.Of(type)
               where known.Assembly == _library && Room(type) is { } room && Room(known) is { } other && _forbidden.TryGetValue(room, out var others) && others.Contains(other)
               select $"{type} knows {known}",
        ];
        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void Every_room_has_its_rule() =>
        Assert.Empty(_library.GetTypes().Select(Room).OfType<string>().Distinct().Except([.. _forbidden.Keys, "Stages"]));

    [Fact]
    public void Rewards_need_no_torch()
    {
        Assert.DoesNotContain(typeof(IReward).Assembly.GetReferencedAssemblies(), name => IsTorch(name) || name.Name!.StartsWith("DeepSeekR1", StringComparison.Ordinal));
        Assert.DoesNotContain("torch", File.ReadAllText(Reference.Repository("src", "DeepSeekR1.Rewards", "packages.lock.json")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_library_does_not_know_the_command_line() =>
        Assert.DoesNotContain(_library.GetReferencedAssemblies(), name => name.Name is "r1" or "System.CommandLine" or "Spectre.Console");

    [Fact]
    public void References_are_found_wherever_they_hide()
    {
        Assert.Contains(typeof(Uri), TypeReferences.Of(typeof(Hiding)));
        Assert.Contains(typeof(Version), TypeReferences.Of(typeof(Hiding)));
        Assert.Contains(typeof(Progress<>), TypeReferences.Of(typeof(Hiding)));
        Assert.Contains(typeof(TimeZoneInfo), TypeReferences.Of(typeof(Hiding)));
        Assert.Contains(typeof(Random), TypeReferences.Of(typeof(Hiding)));
        Assert.DoesNotContain(typeof(Guid), TypeReferences.Of(typeof(Hiding)));
    }

    /// <summary>The part of the namespace after <c>DeepSeekR1.</c>; null at the root.</summary>
    private static string? Room(Type type) => type.Namespace?.Split('.') is ["DeepSeekR1", var room, ..] ? room : null;

    private static bool IsTorch(AssemblyName name) => name.Name!.Contains("Torch", StringComparison.OrdinalIgnoreCase);

    private abstract class Hiding
    {
        public static object Body(int kind) => kind switch { 0 => "a", 1 => TimeZoneInfo.Utc, 2 => (Func<object?, bool>)(value => value is null), _ => typeof(Random) };

        public abstract Dictionary<string, Uri[]> Signature(Version version);

        public static Progress<int> Generic() => new();
    }
}
