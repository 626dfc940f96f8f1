using System.Buffers.Binary;
using DeepSeekR1.Checkpoints;
using DeepSeekR1.Runtime;
using DeepSeekR1.Testing;

namespace DeepSeekR1.Tests.Checkpoints;

public class SafeTensorsFuzzTests
{
    private const int Mutations = 500;
    private const long Allowance = 16 << 20;

    [Fact]
    public void A_mutated_header_is_read_or_refused_and_never_allocates_beyond_the_file()
    {
        byte[] intact = File.ReadAllBytes(Reference.Golden("models", "broken", "intact", "model.safetensors"));
        using var folder = new TemporaryFolder();
        string path = folder.File("mutated.safetensors");
        int refused = 0;
        for (int mutation = 0; mutation < Mutations; mutation++)
        {
            var random = new AddressedRandom(1, RandomPurpose.Verification).Stream(step: mutation);
            byte[] mutated = HeaderMutation.Apply(intact, random);
            File.WriteAllBytes(path, mutated);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                foreach (var tensor in SafeTensors.Load(path).Values) tensor.Dispose();
            }
            catch (R1Exception)
            {
                refused++;
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= mutated.Length + Allowance, $"mutation {mutation} allocated {allocated} bytes for a file of {mutated.Length}");
        }
        // Most mutations break a header; a few change only a name or white space.
        Assert.InRange(refused, Mutations / 2, Mutations);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""", 0, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e3],"data_offsets":[0,4]}}""", 4, "shape entries that are not integers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "no data_offsets of two numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}""", 4, "data_offsets that are not integers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "unknown field x")]
    [InlineData("""{"a\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not valid Unicode")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "must be a string")]
    [InlineData("""{"a":null}""", 0, "tensor a must be a JSON object, found null")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    public void Headers_at_the_edge(string header, int dataBytes, string? complaint)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("edge.safetensors");
        byte[] text = System.Text.Encoding.UTF8.GetBytes(header), file = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        File.WriteAllBytes(path, file);
        if (complaint is null) foreach (var tensor in SafeTensors.Load(path).Values) tensor.Dispose();
        else Assert.Contains(complaint, Assert.Throws<R1Exception>(() => SafeTensors.Load(path)).Message);
    }
}
