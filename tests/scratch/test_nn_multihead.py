"""MultiheadAttention beside torch's, with all kinds of masks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from draws import draw
from scratch.nn import MultiheadAttention, attention
from twins import (
    DTYPES,
    assert_close,
    assert_same,
    bools,
    both_of,
    dtypes,
    passes,
    seeds,
    twin,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_attention(bias, dtype):
    for embed, heads in ((8, 2), (12, 3), (10, 1), (7, 7)):
        made = []
        for kind in (MultiheadAttention, nn.MultiheadAttention):
            torch.manual_seed(4)
            layer = kind(embed, heads, bias=bias, dtype=dtype)
            made.append(layer.state_dict())
        assert list(made[0]) == list(made[1])
        assert_same(*(state.values() for state in made))


def mask_of(draw_mask, shape, dtype, seed):
    if draw_mask == "bool":  # the first key is always open
        closed = draw(seed, shape, dtype=dtype) > 0
        return closed & (torch.arange(shape[-1]) > 0)
    return draw(seed, shape, dtype=dtype)


@settings(max_examples=120)
@given(dtypes, seeds, st.integers(1, 4), st.integers(1, 4),
       st.integers(1, 3), both_of(1, 5), st.sampled_from([None, 2, 3]),
       bools, st.sampled_from(["bool", "float"]), bools, bools, bools,
       st.sampled_from([0.0, 0.3]))
def test_attention_equals_torch(
    dtype, seed, heads, width, N, lengths, attn, padded, mask_kind,
    batch_first, bias, average, dropout
):
    embed, (L, S) = heads * width, lengths
    ours, theirs = twin(*(
        kind(embed, heads, dropout, bias, batch_first=batch_first,
             dtype=dtype)
        for kind in (MultiheadAttention, nn.MultiheadAttention)))
    options = {"average_attn_weights": average}
    if attn:
        shape = (L, S) if attn == 2 else (N * heads, L, S)
        options["attn_mask"] = mask_of(mask_kind, shape, dtype, seed)
    if padded:
        options["key_padding_mask"] = mask_of(
            mask_kind, (N, S), dtype, seed + 1)
    inputs = [
        draw(seed + n,
             (N, n, embed) if batch_first else (n, N, embed),
             dtype=dtype) for n in (L, S, S)
    ]
    made = []
    for layer in (ours, theirs):
        torch.manual_seed(seed)
        looks = []

        def call(*qkv, layer=layer, looks=looks):
            out, weights = layer(*qkv, **options)
            looks.append(weights.detach())
            return out

        made.append([*passes(layer, *inputs, call=call), *looks])
    assert_close(*made, size=10)
    ours.eval(), theirs.eval()
    a, b = (m(*inputs, need_weights=False, **options)
            for m in (ours, theirs))
    assert_close(a[:1], b[:1], size=10)
    assert a[1] is None is b[1]


def test_attention_without_masks_in_default_settings():
    ours, theirs = twin(MultiheadAttention(6, 2),
                        nn.MultiheadAttention(6, 2))
    x = draw(1, (4, 3, 6), dtype=torch.float32)
    for a, b in zip(ours(x, x, x), theirs(x, x, x), strict=True):
        assert_close([a.detach()], [b.detach()])


def test_each_row_of_weights_adds_up_to_one_and_hides_what_is_masked():
    q, k, v = draw(0, (3, 2, 4, 5), dtype=torch.float64)
    causal = torch.full((4, 4), -math.inf, dtype=q.dtype).triu(1)
    out, weights = attention(q, k, v, causal)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4).double())
    assert not weights.triu(1).any()
    assert torch.allclose(out[:, 0], v[:, 0])  # sees itself alone
    theirs = nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True)
    assert_close([out], [theirs])


def test_a_query_that_may_look_nowhere_is_nan_in_both():
    ours, theirs = twin(MultiheadAttention(4, 2),
                        nn.MultiheadAttention(4, 2))
    x = draw(0, (3, 1, 4), dtype=torch.float32)
    mask = torch.zeros(3, 3, dtype=torch.bool)
    mask[1] = True
    for layer in (ours, theirs):
        out, _ = layer(x, x, x, attn_mask=mask)
        assert out.isnan().any(2).flatten().tolist() == [
            False, True, False]
    # torch's path without weights answers with zeros, and so the bias
    out, _ = ours(x, x, x, attn_mask=mask, need_weights=False)
    assert out.isnan().any(2).flatten().tolist() == [False, True, False]
    out, _ = theirs(x, x, x, attn_mask=mask, need_weights=False)
    assert torch.equal(out[1, 0], theirs.out_proj.bias)


def test_heads_must_share_evenly():
    with pytest.raises(ValueError, match="3 heads cannot share 8"):
        MultiheadAttention(8, 3)
