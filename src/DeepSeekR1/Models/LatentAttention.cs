using static TorchSharp.torch;

namespace DeepSeekR1.Models;

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, section 2.1). The cache holds one latent and one rotary key per token, not the heads
/// made of them. After a cached past, heads attend to the latents themselves, with the up-projections absorbed into query and output.
/// </summary>
internal sealed class LatentAttention : IAttention
{
    /// <summary>transformers gives the norms of the latents this value whatever the configuration says of the others.</summary>
    private const double LatentNormEpsilon = 1e-6;

    private readonly LatentAttentionConfig _config;
    private readonly Linear? _queryDown;
    private readonly RmsNorm? _queryNorm;
    private readonly Linear _queryUp, _latentDown, _latentUp, _output;
    private readonly RmsNorm _latentNorm;
    private readonly int _heads, _layer;
    private readonly double _scale;

    public LatentAttention(ModelConfig config, LatentAttentionConfig latent, ModelParameters parameters, string prefix, int layer)
    {
        _config = latent;
        if (latent.QueryRank is not null)
        {
            _queryDown = parameters.Linear(prefix + "q_a_proj");
            _queryNorm = parameters.Norm(prefix + "q_a_layernorm", LatentNormEpsilon);
        }
        _queryUp = parameters.Linear(prefix + (latent.QueryRank is null ? "q_proj" : "q_b_proj"));
        _latentDown = parameters.Linear(prefix + "kv_a_proj_with_mqa");
        _latentNorm = parameters.Norm(prefix + "kv_a_layernorm", LatentNormEpsilon);
        _latentUp = parameters.Linear(prefix + "kv_b_proj");
        _output = parameters.Linear(prefix + "o_proj");
        (_heads, _layer) = (config.Heads, layer);
        double mscale = config.RopeScaling is { MscaleAllDim: not 0 } scaling ? scaling.YarnMscale(scaling.MscaleAllDim) : 1;
        _scale = mscale * mscale / Math.Sqrt(latent.QueryHeadDim);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, AttentionMask mask, ForwardContext context)
    {
        long batch = x.shape[0], sequence = x.shape[1];
        var query = _queryDown is null ? _queryUp.Forward(x) : _queryUp.Forward(_queryNorm!.Forward(_queryDown.Forward(x)));
        query = query.view(batch, sequence, _heads, _config.QueryHeadDim);
        var plainQuery = query.narrow(-1, 0, _config.PlainHeadDim).transpose(1, 2);
        var rotaryQuery = Turn(query.narrow(-1, _config.PlainHeadDim, _config.RotaryHeadDim), context.Rotation);

        var down = _latentDown.Forward(x).unsqueeze(2);
        var latent = _latentNorm.Forward(down.narrow(-1, 0, _config.KeyValueRank)).transpose(1, 2);
        var rotaryKey = Turn(down.narrow(-1, _config.KeyValueRank, _config.RotaryHeadDim), context.Rotation);

        bool hasPast = context.Cache is { Length: > 0 };
        var stored = context.Cache?.Append(_layer, 0, cat([latent, rotaryKey], -1));
        var attended = hasPast ? AttendToLatents(plainQuery, rotaryQuery, stored!, mask) : AttendToHeads(plainQuery, rotaryQuery, latent, rotaryKey, mask);
        return _output.Forward(attended.transpose(1, 2).reshape(batch, sequence, _heads * _config.ValueHeadDim));
    }

    /// <summary>Keys and values of every head made from the latents [batch, 1, key, rank]: cheapest where there are many queries.</summary>
    private Tensor AttendToHeads(Tensor plainQuery, Tensor rotaryQuery, Tensor latent, Tensor rotaryKey, AttentionMask mask)
    {
        long batch = latent.shape[0], keys = latent.shape[2];
        var up = _latentUp.Forward(latent.squeeze(1)).view(batch, keys, _heads, _config.PlainHeadDim + _config.ValueHeadDim).transpose(1, 2);
        var key = cat([up.narrow(-1, 0, _config.PlainHeadDim), rotaryKey.expand(batch, _heads, keys, _config.RotaryHeadDim)], -1);
        var value = up.narrow(-1, _config.PlainHeadDim, _config.ValueHeadDim);
        return Kernels.Attention(cat([plainQuery, rotaryQuery], -1), key, value, mask, _scale);
    }

    /// <summary>One key-value head for all, the stored [batch, 1, key, rank + rotary]: nothing is made per cached token.</summary>
    private Tensor AttendToLatents(Tensor plainQuery, Tensor rotaryQuery, Tensor stored, AttentionMask mask)
    {
        var up = _latentUp.Weight().view(_heads, _config.PlainHeadDim + _config.ValueHeadDim, _config.KeyValueRank);
        var keyUp = up.narrow(1, 0, _config.PlainHeadDim);
        var valueUp = up.narrow(1, _config.PlainHeadDim, _config.ValueHeadDim);
        var query = cat([plainQuery.matmul(keyUp), rotaryQuery], -1);
        var mixed = Kernels.Attention(query, stored, stored.narrow(-1, 0, _config.KeyValueRank), mask, _scale);
        return mixed.matmul(valueUp.transpose(1, 2));
    }

    /// <summary>[batch, sequence, heads, rotary width], turned, as [batch, heads, sequence, rotary width].</summary>
    private Tensor Turn(Tensor x, Rotation rotation)
    {
        if (_config.RotaryInterleaved) x = x.reshape([.. x.shape[..^1], _config.RotaryHeadDim / 2, 2]).transpose(-1, -2).reshape(x.shape);
        return rotation.Apply(x).transpose(1, 2);
    }
}
