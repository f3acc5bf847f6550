# Tangled from book/10-nn.qmd. Checksum 7554b3c6.
import math

import torch

from scratch.nn.layers import Dropout, Linear, linear, uniform
from scratch.nn.module import Module, Parameter
from scratch.shapes import shapes


@shapes
def attention(q, k, v, mask=None, drop=None):
    """Means of the rows of v, weighted by how k answers q.

    q [..., L, d], k [..., S, d], v [..., S, e] -> [..., L, e] and
    the weights [..., L, S]. mask: of q's dtype, is added to the
    scores. drop: a function that is applied to the weights.

    softmax(q k^T / sqrt(d)) v, Vaswani et al. (2017).
    """
    scores = q / math.sqrt(q.shape[-1]) @ k.transpose(-2, -1)
    if mask is not None:
        scores = scores + fit_mask(mask, scores)     # [..., L, S]
    weights = scores.softmax(-1)                 # [..., L, S]
    if drop is not None:
        weights = drop(weights)
    return weights @ v, weights


def fit_mask(mask, scores):
    """The mask. TypeError for another dtype than that of the scores,
    ValueError for a shape that they would have to grow to."""
    if getattr(mask, "dtype", None) != scores.dtype:
        raise TypeError(f"the mask must be {scores.dtype}: a bool mask "
                        "becomes that by additive")
    if torch.broadcast_shapes(mask.shape, scores.shape) != scores.shape:
        raise ValueError(f"the mask is {list(mask.shape)}, the scores "
                         f"are {list(scores.shape)}")
    return mask


def additive(mask, dtype):
    """A mask to add: where it is bool, True becomes -inf, else 0.

    Raises TypeError for what is neither bool nor of that dtype.
    """
    kind = getattr(mask, "dtype", type(mask).__name__)
    if kind not in (torch.bool, dtype):
        raise TypeError(f"the mask must be {dtype} or bool, not {kind}")
    if kind != torch.bool:
        return mask
    zeros = torch.zeros_like(mask, dtype=dtype)
    return zeros.masked_fill(mask, -math.inf)


class MultiheadAttention(Module):
    """Attention in several heads, as torch.nn.MultiheadAttention.

    in_proj_weight [3 E, E] stacks those of query, key and value.
    Raises ValueError unless num_heads divides embed_dim, E.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, *,
                 batch_first=False, device=None, dtype=None):
        if min(embed_dim, num_heads) < 1 or embed_dim % num_heads:
            raise ValueError(f"{num_heads} heads cannot share "
                             f"{embed_dim} numbers evenly")
        kind = {"device": device, "dtype": dtype}
        self.num_heads, self.batch_first = num_heads, batch_first
        self.dropout = Dropout(dropout)
        self.out_proj = Linear(embed_dim, embed_dim, bias, **kind)
        edge = math.sqrt(3) * math.sqrt(2 / (4 * embed_dim))
        self.in_proj_weight = uniform(
            (3 * embed_dim, embed_dim), edge, **kind
        )
        self.register_parameter("in_proj_bias", None)
        if bias:
            zeros = torch.zeros(3 * embed_dim, **kind)
            self.in_proj_bias = Parameter(zeros)
            self.out_proj.bias = Parameter(zeros[:embed_dim].clone())

    def project(self, inputs):
        """query, key, value, each [N, L, E] -> [N, heads, L, d]."""
        weights = self.in_proj_weight.chunk(3)   # [E, E], three
        biases = (None,) * 3
        if self.in_proj_bias is not None:
            biases = self.in_proj_bias.chunk(3)  # [E], three
        for t, *parts in zip(inputs, weights, biases, strict=True):
            t = linear(t, *parts)                # [N, L, E]
            t = t.unflatten(2, (self.num_heads, -1))
            yield t.transpose(1, 2)              # [N, heads, L, d]

    def mask(self, attn_mask, key_padding_mask, shape, dtype):
        """Both masks as one that broadcasts to shape, (N, heads, L,
        S), or None. Raises ValueError for any other shape."""
        N, heads, L, S = shape
        total = None
        if attn_mask is not None:
            total = additive(attn_mask, dtype)
            if total.shape == (N * heads, L, S):
                total = total.unflatten(0, (N, heads))
            elif total.shape != (L, S):
                raise ValueError(
                    f"attn_mask is {list(total.shape)}, not [{L}, {S}]"
                    f" or [{N * heads}, {L}, {S}]")
        if key_padding_mask is not None:
            padding = additive(key_padding_mask, dtype)
            if padding.shape != (N, S):
                raise ValueError(
                    f"key_padding_mask is {list(padding.shape)}, not "
                    f"[{N}, {S}]")
            padding = padding[:, None, None]     # [N, 1, 1, S]
            total = padding if total is None else total + padding
        return total

    @shapes
    def forward(self, query, key, value, key_padding_mask=None,
                need_weights=True, attn_mask=None,
                average_attn_weights=True):
        """query [i, j, E], key and value [k, l, E] -> out, shaped
        like query, and weights. With batch_first these are [N, L, E]
        and [N, S, E], else [L, N, E] and [S, N, E]; the weights are
        [N, L, S], the mean over heads, or [N, heads, L, S] if not
        averaged, or None if not needed.

        attn_mask: (L, S) or (N heads, L, S), key_padding_mask: (N,
        S). Bool, True where no look is allowed, or of the dtype of
        query, to be added.
        """
        inputs = (query, key, value)
        if not self.batch_first:
            inputs = [t.transpose(0, 1) for t in inputs]
        (N, L, _), S = inputs[0].shape, inputs[1].shape[1]
        mask = self.mask(attn_mask, key_padding_mask,
                         (N, self.num_heads, L, S), query.dtype)
        out, weights = attention(
            *self.project(inputs), mask, self.dropout)
        out = self.out_proj(out.transpose(1, 2).flatten(2))
        if not self.batch_first:
            out = out.transpose(0, 1)            # [L, N, E]
        if average_attn_weights:
            weights = weights.mean(1)            # [N, L, S]
        return out, weights if need_weights else None
