namespace DeepSeekR1.Cli.Tests;

public class ArchitectureTests
{
    [Fact]
    public void The_command_line_knows_no_tensor() =>
        Assert.DoesNotContain(typeof(R1CommandLine).Assembly.GetReferencedAssemblies(), name => name.Name!.Contains("Torch", StringComparison.OrdinalIgnoreCase));
}
