# Tangled from book/10-nn.qmd. Checksum 17282696.
import math

import torch

from scratch.nn.layers import Dropout, Linear, linear, uniform
from scratch.nn.module import Module, Parameter


def attention(q, k, v, mask=None, drop=None):
    """Means of the rows of v, weighted by how k answers q.

    q [..., L, d], k and v [..., S, d], mask [..., L, S], added to
    the scores -> [..., L, d] and the weights [..., L, S].
    drop: a function that is applied to the weights.

    softmax(q k^T / sqrt(d)) v, Vaswani et al. (2017).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + mask                   # [..., L, S]
    weights = scores.softmax(-1)                 # [..., L, S]
    if drop is not None:
        weights = drop(weights)
    return weights @ v, weights


def additive(mask, dtype):
    """A mask to add: where it is bool, True becomes -inf, else 0."""
    if mask.dtype != torch.bool:
        return mask
    zeros = torch.zeros_like(mask, dtype=dtype)
    return zeros.masked_fill(mask, -math.inf)


class MultiheadAttention(Module):
    """Attention in several heads, as torch.nn.MultiheadAttention.

    in_proj_weight [3 E, E] stacks those of query, key and value.
    Raises ValueError unless num_heads divides embed_dim, E.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True,
                 batch_first=False, **kind):
        if embed_dim % num_heads:
            raise ValueError(f"{num_heads} heads cannot share "
                             f"{embed_dim} numbers evenly")
        self.num_heads, self.batch_first = num_heads, batch_first
        self.dropout = Dropout(dropout)
        self.out_proj = Linear(embed_dim, embed_dim, bias, **kind)
        edge = math.sqrt(3) * math.sqrt(2 / (4 * embed_dim))
        self.in_proj_weight = uniform(
            (3 * embed_dim, embed_dim), edge, **kind
        )
        self.in_proj_bias = None
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

    def mask(self, attn_mask, key_padding_mask, dtype):
        """Both masks as one that broadcasts to [N, heads, L, S]."""
        total = None
        if attn_mask is not None:                # [L, S]
            total = additive(attn_mask, dtype)
            if total.dim() == 3:                 # [N heads, L, S]
                total = total.unflatten(0, (-1, self.num_heads))
        if key_padding_mask is not None:         # [N, S]
            padding = additive(key_padding_mask, dtype)[:, None, None]
            total = padding if total is None else total + padding
        return total

    def forward(self, query, key, value, key_padding_mask=None,
                need_weights=True, attn_mask=None,
                average_attn_weights=True):
        """query [N, L, E], key and value [N, S, E], if batch_first,
        else [L, N, E] and [S, N, E] -> out, shaped like query, and
        the weights [N, L, S], the mean over heads, [N, heads, L, S]
        if not averaged, None if not needed.

        attn_mask [L, S] or [N heads, L, S], key_padding_mask [N, S]:
        bool, True where no look is allowed, or float, to be added.
        """
        inputs = (query, key, value)
        if not self.batch_first:
            inputs = [t.transpose(0, 1) for t in inputs]
        out, weights = attention(
            *self.project(inputs),
            self.mask(attn_mask, key_padding_mask, query.dtype),
            self.dropout,
        )
        out = self.out_proj(out.transpose(1, 2).flatten(2))
        if not self.batch_first:
            out = out.transpose(0, 1)            # [L, N, E]
        if average_attn_weights:
            weights = weights.mean(1)            # [N, L, S]
        return out, weights if need_weights else None
