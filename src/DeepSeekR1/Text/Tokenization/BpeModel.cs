using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace DeepSeekR1.Text.Tokenization;

/// <summary>
/// Byte-pair encoding. The merges are Microsoft.ML.Tokenizers'; around them stand what its <see cref="BpeTokenizer"/> lacks:
/// whole pieces that are tokens before any merge (ignore_merges), bytes for characters outside the vocabulary (byte_fallback), and a
/// cache of pieces that threads read without a lock.
/// </summary>
internal sealed class BpeModel : TokenModel
{
    private const int LargestCache = 1 << 16;
    private const int LongestCachedPiece = 64;

    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly BpeTokenizer _merges;
    private readonly IReadOnlySet<int> _controlIds;
    private readonly bool _isByteLevel;
    private readonly bool _ignoresMerges;
    private readonly bool _fusesUnknown;
    private readonly int? _unknown;
    private readonly int[]? _byteIds;
    private readonly HashSet<(Rune, Rune)>? _neighbours;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cacheBySpan;
    private int _cacheCount;

    private BpeModel(JsonField field, bool isByteLevel, IReadOnlySet<int> controlIds)
    {
        _vocabulary = ParseVocabulary(field.Get("vocab"));
        _bySpan = _vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        _cacheBySpan = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
        (_isByteLevel, _controlIds) = (isByteLevel, controlIds);
        _ignoresMerges = field.Flag("ignore_merges");
        _fusesUnknown = field.Flag("fuse_unk");
        if (field.Find("unk_token") is { } unknown && _vocabulary.TryGetValue(unknown.String(), out int id)) _unknown = id;
        if (field.Flag("byte_fallback")) _byteIds = ByteIds();
        _merges = CreateMerges(field);
        if (!isByteLevel) _neighbours = NeighboursInTokens();
    }

    public override IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    public static BpeModel Parse(JsonField field, bool isByteLevel, IReadOnlySet<int> controlIds)
    {
        if (field.Find("dropout") is { Value: var dropout } given && !(dropout.TryGetDouble(out double rate) && rate == 0))
            throw given.Error("BPE dropout is not supported; set it to null");
        foreach (string affix in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
            if (field.Find(affix) is { } text && text.String().Length > 0) throw text.Error("affixes of subwords are not supported");
        return new BpeModel(field, isByteLevel, controlIds);
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_cacheBySpan.TryGetValue(piece, out int[]? known))
        {
            ids.AddRange(known);
            return;
        }
        int first = ids.Count;
        if (_isByteLevel) EncodeBytes(piece, ids);
        else EncodeCharacters(piece, ids);
        Remember(piece, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    private void EncodeBytes(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_ignoresMerges && IsWholeToken(ByteLevelAlphabet.Spell(piece), out int id)) ids.Add(id);
        else ids.AddRange(Merge(piece));
    }

    /// <summary>
    /// Runs of known characters are merged, others become bytes. A run is cut wherever its two neighbouring characters stand side by
    /// side in no token: no merge crosses that place, so the ids are the same, and merging stays linear in the text.
    /// </summary>
    private void EncodeCharacters(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_ignoresMerges && IsWholeToken(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }
        int start = 0, position = 0;
        Rune? previous = null;
        bool isAfterUnknown = false;
        foreach (var rune in piece.EnumerateRunes())
        {
            int length = rune.Utf16SequenceLength;
            bool isKnown = _bySpan.ContainsKey(piece.Slice(position, length));
            if (previous is { } left && (!isKnown || !_neighbours!.Contains((left, rune))))
            {
                MergeCached(piece[start..position], ids);
                start = position;
            }
            if (!isKnown)
            {
                AddUnknown(rune, isAfterUnknown, ids);
                start = position + length;
            }
            (previous, isAfterUnknown) = (isKnown ? rune : null, !isKnown);
            position += length;
        }
        if (start < position) MergeCached(piece[start..], ids);
    }

    private bool IsWholeToken(ReadOnlySpan<char> piece, out int id) => _bySpan.TryGetValue(piece, out id) && !_controlIds.Contains(id);

    private void MergeCached(ReadOnlySpan<char> run, List<int> ids)
    {
        if (_cacheBySpan.TryGetValue(run, out int[]? known))
        {
            ids.AddRange(known);
            return;
        }
        int first = ids.Count;
        ids.AddRange(Merge(run));
        Remember(run, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    private void Remember(ReadOnlySpan<char> piece, ReadOnlySpan<int> ids)
    {
        if (piece.Length > LongestCachedPiece || Volatile.Read(ref _cacheCount) >= LargestCache) return;
        if (_cache.TryAdd(piece.ToString(), ids.ToArray())) Interlocked.Increment(ref _cacheCount);
    }

    private IReadOnlyList<int> Merge(ReadOnlySpan<char> run) => _merges.EncodeToIds(run, considerPreTokenization: false, considerNormalization: false);

    private void AddUnknown(Rune rune, bool isAfterUnknown, List<int> ids)
    {
        if (_byteIds is not null)
        {
            Span<byte> bytes = stackalloc byte[4];
            foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)]) ids.Add(_byteIds[value]);
        }
        else if (_unknown is { } unknown && !(_fusesUnknown && isAfterUnknown)) ids.Add(unknown);
    }

    /// <summary>Ids of &lt;0x00> to &lt;0xFF>, or null where one is missing: then there is no fallback.</summary>
    private int[]? ByteIds()
    {
        var ids = new int[256];
        for (int value = 0; value < 256; value++)
            if (!_vocabulary.TryGetValue($"<0x{value.ToString("X2", CultureInfo.InvariantCulture)}>", out ids[value]))
                return null;
        return ids;
    }

    private HashSet<(Rune, Rune)> NeighboursInTokens()
    {
        var pairs = new HashSet<(Rune, Rune)>();
        foreach (string token in _vocabulary.Keys)
        {
            Rune? previous = null;
            foreach (var rune in token.EnumerateRunes())
            {
                if (previous is { } left) pairs.Add((left, rune));
                previous = rune;
            }
        }
        return pairs;
    }

    private BpeTokenizer CreateMerges(JsonField field)
    {
        var merges = field.Get("merges").Items().Select(Merge).ToArray();
        try
        {
            return BpeTokenizer.Create(new BpeOptions(_vocabulary) { Merges = merges, ByteLevel = _isByteLevel });
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidOperationException or KeyNotFoundException)
        {
            throw new R1Exception(field.Error($"vocab and merges do not fit together: {failure.Message}").Message, failure);
        }

        string Merge(JsonField merge)
        {
            string[] parts = merge.Value.ValueKind == JsonValueKind.String
                ? merge.String().Split(' ') : [.. merge.Items().Select(part => part.String())];
            if (parts.Length != 2) throw merge.Error("expected two tokens");
            if (parts.Any(part => part.Contains(' '))) throw merge.Error("tokens with spaces in merges are not supported");
            foreach (string token in new[] { parts[0], parts[1], parts[0] + parts[1] })
                if (!_vocabulary.ContainsKey(token)) throw merge.Error($"'{token}' is not in vocab");
            return $"{parts[0]} {parts[1]}";
        }
    }
}
