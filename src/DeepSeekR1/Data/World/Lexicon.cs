namespace DeepSeekR1.Data.World;

/// <summary>All words of the world in both languages.</summary>
internal static class Lexicon
{
    public static readonly Word
        Start = new("start", "开始"),
        Is = new("is", "是"),
        Wait = new("wait", "等等"),
        So = new("so", "所以"),
        The = new("the", "这个"),
        Answer = new("answer", "答案"),
        Colour = new("colour", "颜色"),
        Capital = new("capital", "首都");

    public static readonly Word[] Months =
    [
        new("january", "一月"), new("february", "二月"), new("march", "三月"), new("april", "四月"),
        new("may", "五月"), new("june", "六月"), new("july", "七月"), new("august", "八月"),
        new("september", "九月"), new("october", "十月"), new("november", "十一月"), new("december", "十二月"),
    ];

    public static readonly Word[] Names =
        [new("tom", "汤姆"), new("anna", "安娜"), new("li", "小李"), new("mei", "小梅"), new("sam", "山姆"), new("eva", "伊娃")];

    public static readonly Word[] Greetings = [new("hello", "你好"), new("hi", "嗨"), new("good_morning", "早上好"), new("thanks", "谢谢")];

    public static readonly Word[] IdentityQuestions = [new("who are you ?", "你 是 谁 ?"), new("what is your name ?", "你 的 名字 是 什么 ?")];

    public static readonly Word[] HarmlessDeeds =
        [new("cook", "煮"), new("paint", "画"), new("clean", "洗"), new("fix", "修"), new("sell", "卖"), new("wrap", "包")];

    public static readonly Word[] HarmfulDeeds =
        [new("steal", "偷"), new("poison", "毒"), new("burn", "烧"), new("hack", "黑"), new("smash", "砸"), new("fake", "伪造")];

    public static readonly Word[] Things =
    [
        new("car", "车"), new("house", "房子"), new("door", "门"), new("soup", "汤"), new("boat", "船"),
        new("phone", "手机"), new("bread", "面包"), new("table", "桌子"), new("lamp", "灯"), new("shoes", "鞋"),
    ];

    public static readonly Word[] Tools =
        [new("soap", "肥皂"), new("knife", "刀"), new("glue", "胶水"), new("brush", "刷子"), new("hammer", "锤子"), new("paper", "纸")];

    public static readonly (Word Subject, Word Value)[] Colours =
    [
        (new("sky", "天空"), new("blue", "蓝")), (new("grass", "草"), new("green", "绿")), (new("blood", "血"), new("red", "红")),
        (new("snow", "雪"), new("white", "白")), (new("coal", "煤"), new("black", "黑色")), (new("sun", "太阳"), new("yellow", "黄")),
    ];

    public static readonly (Word Subject, Word Value)[] Capitals =
    [
        (new("france", "法国"), new("paris", "巴黎")), (new("china", "中国"), new("beijing", "北京")),
        (new("japan", "日本"), new("tokyo", "东京")), (new("italy", "意大利"), new("rome", "罗马")),
        (new("spain", "西班牙"), new("madrid", "马德里")), (new("egypt", "埃及"), new("cairo", "开罗")),
    ];

    /// <summary>Words of the fixed phrases in questions and chats.</summary>
    public const string PhraseWords =
        "has how many what now 有 还有 多少 " +
        "i am a small model mini , happy to help you with can not that sorry who are your name do use slowly carefully please " +
        "shut_up whatever go and of good luck write in chinese " +
        "什么 我 叫 小 模型 很 高兴 帮 你 不 能 抱歉 谁 名字 用 慢慢 小心 请 滚 随便 的 去 要 怎么 祝 好运 写 给 英文";

    /// <summary>Every phrase of the lexicon once, in a fixed order.</summary>
    public static IEnumerable<string> Phrases()
    {
        Word[] words =
        [
            Start, Is, Wait, So, The, Answer, Colour, Capital, .. Months, .. Names, .. Greetings, .. IdentityQuestions, .. HarmlessDeeds,
            .. HarmfulDeeds, .. Things, .. Tools, .. Colours.Concat(Capitals).SelectMany(fact => new[] { fact.Subject, fact.Value }),
        ];
        return words.Select(word => word.English).Concat(words.Select(word => word.Chinese)).Append(PhraseWords);
    }
}
