using System.Text.Json;
using System.Text.Json.Nodes;
using DeepSeekR1.Configuration;

namespace DeepSeekR1.Tests.Configuration;

public class ConfigWriterTests
{
    private static readonly KitchenConfig _full = new()
    {
        Dish = "汤 \"quoted\" <b>",
        Cook = "Li",
        Salt = 0.3f,
        Heat = 1.0 / 3,
        Seed = ulong.MaxValue,
        Style = KitchenStyle.DrGrill,
        Second = KitchenStyle.Raw,
        Dessert = new() { TopK = 3 },
        Weights = new Dictionary<string, double> { ["taste"] = 1e-7, ["looks"] = 2 },
        Courses = [new() { Name = "one" }],
    };

    [Fact]
    public void What_is_written_is_read_back_the_same()
    {
        var read = ConfigReader.Parse<KitchenConfig>(ConfigWriter.Write(_full), "written");
        Assert.Equal(ConfigWriter.Write(_full), ConfigWriter.Write(read));
        Assert.Equal(_full with { Weights = read.Weights, Courses = read.Courses, Spices = read.Spices }, read);
        Assert.Equal(_full.Weights, read.Weights);
        Assert.Equal(_full.Courses, read.Courses);
    }

    [Fact]
    public void Every_setting_is_written_under_its_name()
    {
        var json = JsonNode.Parse(ConfigWriter.Write(new KitchenConfig()))!.AsObject();
        Assert.Equal(["dish", "cook", "spoons", "bowls", "heat", "salt", "seed", "vegan", "style", "second", "guests", "tasting", "dessert", "weights", "spices", "courses"],
            json.Select(member => member.Key));
        Assert.Equal("slow-cooked", (string?)json["style"]);
        Assert.Null(json["dessert"]);
        Assert.Equal(0.1, json["salt"]!.GetValue<double>());
    }

    [Fact]
    public void The_schema_says_what_the_reader_accepts()
    {
        var schema = JsonNode.Parse(ConfigSchema.Generate<KitchenConfig>())!;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", (string?)schema["$schema"]);
        Assert.False((bool)schema["additionalProperties"]!);
        var properties = schema["properties"]!;
        Assert.Equal("""{"type":"string","description":"What is cooked.","default":"soup"}""", properties["dish"]!.ToJsonString());
        Assert.Equal("""{"type":"integer","minimum":1,"description":"Spoons stirred at once.","default":4}""", properties["spoons"]!.ToJsonString());
        Assert.Equal("""{"type":"number","exclusiveMinimum":0,"maximum":1,"default":0.5}""", properties["heat"]!.ToJsonString());
        Assert.Equal("""{"type":"integer","minimum":0,"default":1}""", properties["seed"]!.ToJsonString());
        Assert.Equal("""{"enum":["raw","slow-cooked","dr-grill",null],"default":null}""", properties["second"]!.ToJsonString());
        Assert.Equal("""{"type":["integer","null"],"default":null}""", properties["guests"]!.ToJsonString());
        Assert.Equal("""{"type":"object","additionalProperties":{"type":["number","null"],"minimum":0,"maximum":10},"default":{"taste":1,"looks":0.5}}""", properties["weights"]!.ToJsonString());
        Assert.Equal("""{"type":"array","items":{"$ref":"#/$defs/CourseConfig"},"default":[]}""", properties["courses"]!.ToJsonString());
        Assert.Equal("#/$defs/SamplingConfig", (string?)properties["tasting"]!["$ref"]);
        Assert.Equal(0.6, (double)properties["tasting"]!["default"]!["temperature"]!);
        Assert.Equal("""{"anyOf":[{"$ref":"#/$defs/SamplingConfig"},{"type":"null"}],"default":null}""", properties["dessert"]!.ToJsonString());
        Assert.Equal(1, (double)schema["$defs"]!["SamplingConfig"]!["properties"]!["temperature"]!["default"]!);
        Assert.NotNull(properties["extends"]);
    }

    [Fact]
    public void All_embedded_recipes_are_JSON()
    {
        Assert.Contains("mini", EmbeddedRecipes.Names);
        Assert.All(EmbeddedRecipes.Names, name =>
            JsonDocument.Parse(EmbeddedRecipes.Read(name), new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }).Dispose());
    }

    [Fact]
    public void Choices_have_one_name_each()
    {
        Assert.Equal(["raw", "slow-cooked", "dr-grill"], EnumNames.All<KitchenStyle>());
        Assert.Equal(KitchenStyle.DrGrill, EnumNames.Parse<KitchenStyle>("dr-grill", "style"));
        Assert.Equal("unknown style 'dr_gril'; did you mean 'dr-grill'? Known are raw, slow-cooked, dr-grill.", Assert.Throws<R1Exception>(() => EnumNames.Parse<KitchenStyle>("dr_gril", "style")).Message);
    }
}
