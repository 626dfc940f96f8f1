using DeepSeekR1.Configuration;

namespace DeepSeekR1.Tests.Configuration;

public sealed class ConfigReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("r1-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static KitchenConfig Parse(string json, params string[] overrides) => ConfigReader.Parse<KitchenConfig>(json, "k.json", overrides);

    private static string Error(string json, params string[] overrides) => Assert.Throws<R1Exception>(() => Parse(json, overrides)).Message;

    private string Write(string name, string json)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, json);
        return path;
    }

    [Fact]
    public void Every_shape_is_read()
    {
        var config = Parse("""
            {
              // A comment, and a trailing comma below.
              "$schema": "schema.json",
              "dish": "stew \u4e2d", "cook": "Li", "spoons": 2, "heat": 1e-3, "salt": 0.25, "seed": 18446744073709551615, "vegan": true,
              "style": "dr-grill", "second": "raw", "guests": 3,
              "tasting": { "topK": 5 }, "dessert": { "temperature": 0 },
              "weights": { "looks": 0, "smell": 2 }, "spices": ["salt", "chili"],
              "courses": [ { "name": "first", "minutes": 5 }, { "name": "second" }, ], /* and another comment */
            }
            """);
        Assert.Equal(("stew 中", "Li", 2, 1e-3, 0.25f, ulong.MaxValue, true), (config.Dish, config.Cook, config.Spoons, config.Heat, config.Salt, config.Seed, config.Vegan));
        Assert.Equal((KitchenStyle.DrGrill, KitchenStyle.Raw, 3), (config.Style, config.Second, config.Guests));
        Assert.Equal(["salt", "chili"], config.Spices);
        Assert.Equal([new CourseConfig { Name = "first", Minutes = 5 }, new CourseConfig { Name = "second", Minutes = 10 }], config.Courses);
    }

    [Fact]
    public void What_is_left_out_keeps_the_default_of_the_record_around_it()
    {
        var config = Parse("""{ "tasting": { "topK": 5 }, "dessert": { "topK": 7 } }""");
        Assert.Equal((0.6, 40, 5), (config.Tasting.Temperature, config.Tasting.MaxNewTokens, config.Tasting.TopK));
        Assert.Equal((1, 256, 7), (config.Dessert!.Temperature, config.Dessert.MaxNewTokens, config.Dessert.TopK));
        Assert.Equal(new KitchenConfig().Tasting, Parse("{}").Tasting);
    }

    [Fact]
    public void Maps_merge_by_entry_and_null_takes_one_away()
    {
        Assert.Equal([new("taste", 1), new("looks", 0), new("smell", 2)], Parse("""{ "weights": { "looks": 0, "smell": 2 } }""").Weights);
        Assert.Equal([new("looks", 0.5)], Parse("""{ "weights": { "taste": null } }""").Weights);
        Assert.Equal([new("looks", 3), new("smell", 1)], Parse("""{ "weights": { "smell": 1 } }""", "weights.looks=3", "weights.taste=null").Weights);
    }

    [Theory]
    [InlineData("""{ "spons": 3 }""", "k.json(1,3): spons: no such setting; did you mean 'spoons'?")]
    [InlineData("""{ "Spoons": 3 }""", "k.json(1,3): Spoons: no such setting; did you mean 'spoons'?")]
    [InlineData("""{ "tasting": { "top_k": 3 } }""", "k.json(1,16): tasting.top_k: no such setting; did you mean 'topK'?")]
    [InlineData("""{ "portions": 3 }""", "k.json(1,3): portions: no such setting; known are dish, cook, spoons, bowls, heat, salt, seed, vegan, style, second, guests, tasting, dessert, weights, spices, courses.")]
    [InlineData("{\n\n  \"spoons\": \"three\" }", "k.json(3,13): spoons: expected a whole number from -2147483648 to 2147483647, but found \"three\".")]
    [InlineData("""{ "spoons": 3.5 }""", "k.json(1,13): spoons: expected a whole number from -2147483648 to 2147483647, but found 3.5.")]
    [InlineData("""{ "spoons": 3000000000 }""", "k.json(1,13): spoons: expected a whole number from -2147483648 to 2147483647, but found 3000000000.")]
    [InlineData("""{ "seed": -1 }""", "k.json(1,11): seed: expected a whole number from 0 to 18446744073709551615, but found -1.")]
    [InlineData("""{ "heat": "hot" }""", "k.json(1,11): heat: expected a number, but found \"hot\".")]
    [InlineData("""{ "heat": 1e999 }""", "k.json(1,11): heat: expected a number, but found 1e999.")]
    [InlineData("""{ "salt": 1e99 }""", "k.json(1,11): salt: expected a number, but found 1e99.")]
    [InlineData("""{ "vegan": 1 }""", "k.json(1,12): vegan: expected true or false, but found 1.")]
    [InlineData("""{ "dish": 5 }""", "k.json(1,11): dish: expected a text in quotes, but found 5.")]
    [InlineData("""{ "dish": null }""", "k.json(1,11): dish: null is not possible here; leave the setting out to take its default.")]
    [InlineData("""{ "style": "slow_cooked" }""", "k.json(1,12): style: \"slow_cooked\" is no possible value; did you mean 'slow-cooked'? Known are raw, slow-cooked, dr-grill.")]
    [InlineData("""{ "style": "baked" }""", "k.json(1,12): style: \"baked\" is no possible value; known are raw, slow-cooked, dr-grill.")]
    [InlineData("""{ "style": 1 }""", "k.json(1,12): style: expected one of \"raw\", \"slow-cooked\", \"dr-grill\", but found 1.")]
    [InlineData("""{ "tasting": 5 }""", "k.json(1,14): tasting: expected an object {…}, but found 5.")]
    [InlineData("""{ "spices": "salt" }""", "k.json(1,13): spices: expected a list […], but found \"salt\".")]
    [InlineData("""{ "spices": ["salt", 1] }""", "k.json(1,22): spices[1]: expected a text in quotes, but found 1.")]
    [InlineData("""{ "weights": [] }""", "k.json(1,14): weights: expected an object {\"name\": value, …}, but found a list […].")]
    [InlineData("""{ "courses": [{ "minutes": 3 }] }""", "k.json(1,15): courses[0]: 'name' is missing.")]
    [InlineData("""{ "dish": "a", "dish": "b" }""", "k.json(1,16): 'dish' appears twice in one object; keep one of them.")]
    [InlineData("[]", "k.json(1,1): expected an object {…}, but found a list […].")]
    public void A_mistake_is_named_with_its_place_and_remedy(string json, string message) => Assert.Equal(message, Error(json));

    [Theory]
    [InlineData("""{ "spoons": 0 }""", "k.json(1,13): spoons: must be at least 1, but is 0.")]
    [InlineData("""{ "heat": 0 }""", "k.json(1,11): heat: must be more than 0 and at most 1, but is 0.")]
    [InlineData("""{ "tasting": { "topP": 1.5 } }""", "k.json(1,24): tasting.topP: must be at least 0 and at most 1, but is 1.5.")]
    [InlineData("""{ "weights": { "taste": 11 } }""", "k.json(1,25): weights.taste: must be at least 0 and at most 10, but is 11.")]
    [InlineData("""{ "courses": [{ "name": "x", "minutes": 61 }] }""", "k.json(1,41): courses[0].minutes: must be at least 1 and at most 60, but is 61.")]
    [InlineData("""{ "spoons": 9 }""", "k.json(1,13): spoons: must not exceed bowls (8), but is 9.")]
    [InlineData("""{ "bowls": 3 }""", "spoons: must not exceed bowls (3), but is 4.")]
    public void Ranges_and_combinations_are_checked(string json, string message) => Assert.Equal(message, Error(json));

    [Fact]
    public void A_record_made_in_code_is_checked_too()
    {
        ConfigRules.Check(new KitchenConfig(), "kitchen");
        var failure = Assert.Throws<R1Exception>(() => ConfigRules.Check(new KitchenConfig { Tasting = new() { TopP = double.NaN } }, "kitchen"));
        Assert.Equal("kitchen: tasting.topP: must be at least 0 and at most 1, but is NaN.", failure.Message);
    }

    [Theory]
    [InlineData("{ \"dish\": \"a\", \n \"cook\" }", "k.json(2,9): this is not JSON: ")]
    [InlineData("{", "k.json(1,2): this is not JSON: ")]
    [InlineData("", "k.json(1,1): this is not JSON: ")]
    [InlineData("{} {}", "k.json(1,4): this is not JSON: ")]
    [InlineData("{ \"dish\": \"\\ud800\" }", "k.json(1,11): the string has an incomplete \\u escape")]
    public void Broken_JSON_is_named_with_its_place(string json, string start) => Assert.StartsWith(start, Error(json), StringComparison.Ordinal);

    [Fact]
    public void Columns_count_characters_not_bytes() =>
        Assert.StartsWith("k.json(1,17): spons: ", Error("""{ "dish": "中文", "spons": 1 }"""), StringComparison.Ordinal);

    [Fact]
    public void Overrides_win_over_the_file_and_take_the_type_of_the_setting()
    {
        var config = Parse("""{ "spoons": 1, "tasting": { "topK": 3 }, "dish": "stew" }""",
            "spoons=2", "tasting.topP=0.9", "dish=12", "cook=null", "vegan=true", "style=raw", "heat=0.25", "spices=[\"a\"]", "courses=[{\"name\": \"x\"}]", "dessert.topK=2");
        Assert.Equal((2, 3, 0.9, "12", null, true), (config.Spoons, config.Tasting.TopK, config.Tasting.TopP, config.Dish, config.Cook, config.Vegan));
        Assert.Equal((KitchenStyle.Raw, 0.25, 2), (config.Style, config.Heat, config.Dessert!.TopK));
        Assert.Equal(["a"], config.Spices);
        Assert.Equal("x", Assert.Single(config.Courses).Name);
        Assert.Equal("a=b", Parse("{}", "dish=a=b").Dish);
        Assert.Equal(5, Parse("{}", "spoons=2", "spoons=5").Spoons);
    }

    [Theory]
    [InlineData("spoons=abc", "--set spoons=abc: spoons: expected a whole number from -2147483648 to 2147483647, but found 'abc'.")]
    [InlineData("tasting.topq=1", "--set tasting.topq=1: tasting.topq: no such setting; did you mean 'topK'?")]
    [InlineData("tastin.topP=1", "--set tastin.topP=1: tastin: no such setting; did you mean 'tasting'?")]
    [InlineData("style=roasted", "--set style=roasted: style: 'roasted' is no possible value; known are raw, slow-cooked, dr-grill.")]
    [InlineData("tasting.topP=2", "--set tasting.topP=2: tasting.topP: must be at least 0 and at most 1, but is 2.")]
    [InlineData("spoons", "--set spoons: expected path=value, for example --set zero.steps=100.")]
    [InlineData("a..b=1", "--set a..b=1: expected path=value, for example --set zero.steps=100.")]
    [InlineData("=1", "--set =1: expected path=value, for example --set zero.steps=100.")]
    [InlineData("spoons=", "--set spoons=: spoons: expected a whole number from -2147483648 to 2147483647, but found ''.")]
    [InlineData("heat= NaN", "--set heat= NaN: heat: expected a number, but found 'NaN'.")]
    [InlineData("courses=[{}]", "--set courses=[{}]: courses[0]: 'name' is missing.")]
    public void A_wrong_override_is_named_as_it_was_given(string argument, string message) => Assert.Equal(message, Error("{}", argument));

    [Fact]
    public void A_file_extends_another_that_extends_a_recipe()
    {
        Write("base.json", """{ "extends": "mini-test-absent-or-file.json", "spoons": 3, "tasting": { "topK": 1, "topP": 0.5 } }""");
        Write("mini-test-absent-or-file.json", """{ "dish": "pie", "spoons": 2, "bowls": 20 }""");
        var config = ConfigReader.Load<KitchenConfig>(Write("top.json", """{ "extends": "base.json", "tasting": { "topK": 9 } }"""), ["bowls=21"]);
        Assert.Equal(("pie", 3, 21, 9, 0.5), (config.Dish, config.Spoons, config.Bowls, config.Tasting.TopK, config.Tasting.TopP));
    }

    [Fact]
    public void A_mistake_in_an_extended_file_is_named_there()
    {
        string below = Write("below.json", "{\n  \"spoons\": -1 }");
        string top = Write("top.json", """{ "extends": "below.json" }""");
        Assert.Equal($"{below}(2,13): spoons: must be at least 1, but is -1.", Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(top)).Message);
    }

    [Fact]
    public void Extending_in_a_circle_or_nothing_is_an_error()
    {
        string a = Write("a.json", """{ "extends": "b.json" }""");
        Write("b.json", """{ "extends": "a.json" }""");
        Assert.Contains("\"extends\" goes in a circle", Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(a)).Message, StringComparison.Ordinal);
        string c = Write("c.json", """{ "extends": "minj" }""");
        string message = Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(c)).Message;
        Assert.StartsWith($"{c}(1,14): extends: there is no file", message, StringComparison.Ordinal);
        Assert.EndsWith("did you mean 'mini'?", message, StringComparison.Ordinal);
        Assert.Equal("k.json(1,14): extends: expected the name of a recipe or a file in quotes, but found 5.", Error("""{ "extends": 5 }"""));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        string message = Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>("minii")).Message;
        Assert.Equal("config 'minii': there is no such file and no embedded recipe of that name; did you mean 'mini'?", message);
        Assert.Equal($"config '{_folder}' is a folder; name a JSON file in it.", Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(_folder)).Message);
        string binary = Path.Combine(_folder, "binary.json");
        File.WriteAllBytes(binary, [0xff, 0xfe, 0x00]);
        Assert.Equal($"{binary}: this is not UTF-8 text; save the file as UTF-8.", Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(binary)).Message);
        string large = Write("large.json", new string(' ', 5 << 20));
        Assert.Contains("Is it a data set?", Assert.Throws<R1Exception>(() => ConfigReader.Load<KitchenConfig>(large)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_no_mistake() => Assert.Equal("stew", Parse("\ufeff{ \"dish\": \"stew\" }").Dish);

    [Fact]
    public void Without_a_file_the_defaults_hold() => Assert.Equal(7, ConfigReader.Load<KitchenConfig>(null, ["spoons=7"]).Spoons);
}
