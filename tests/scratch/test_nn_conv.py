"""Conv2d beside torch's, and its definition in loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from draws import draw
from scratch.nn import Conv2d, conv2d, window_numbers
from twins import (
    DTYPES,
    assert_close,
    assert_same,
    bools,
    both_of,
    dtypes,
    few,
    passes,
    seeds,
    some,
    twin,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_conv(bias, dtype):
    for size in (1, 3, 5, (2, 3)):
        made = []
        for kind in (Conv2d, nn.Conv2d):
            torch.manual_seed(2)
            layer = kind(3, 4, size, bias=bias, dtype=dtype)
            made.append(list(layer.parameters()))
        assert_same(*made)


@some
@given(dtypes, seeds, st.integers(0, 4), st.integers(1, 4),
       st.integers(1, 5), both_of(1, 4), both_of(1, 3), both_of(0, 2),
       both_of(0, 6), bools)
def test_conv_equals_torch(
    dtype, seed, n, channels, out, kernel, stride, padding, more, bias
):
    H, W = (max(1, k - 2 * p) + m
            for k, p, m in zip(kernel, padding, more, strict=True))
    ours, theirs = twin(*(
        kind(channels, out, kernel, stride, padding, bias=bias,
             dtype=dtype) for kind in (Conv2d, nn.Conv2d)))
    x = draw(seed, (n, channels, H, W), dtype=dtype)
    assert_close(passes(ours, x), passes(theirs, x), size=10)


@few
@given(seeds, st.integers(1, 3), st.integers(1, 2), st.integers(0, 2))
def test_a_number_stands_for_a_pair(seed, kernel, stride, padding):
    x = draw(seed, (2, 1, 7, 7), dtype=torch.float64)
    square = Conv2d(1, 2, kernel, stride, padding, dtype=x.dtype)
    pairs = Conv2d(1, 2, (kernel, kernel), (stride, stride),
                   [padding, padding], dtype=x.dtype)
    pairs.load_state_dict(square.state_dict())
    assert_same([square(x)], [pairs(x)])


def test_conv_without_further_settings_equals_torch():
    ours, theirs = twin(Conv2d(2, 3, 2), nn.Conv2d(2, 3, 2))
    x = draw(0, (2, 2, 5, 4), dtype=torch.float32)
    assert_close(passes(ours, x), passes(theirs, x))
    assert_close([conv2d(x, ours.weight)],
                 [nn.functional.conv2d(x, theirs.weight)])


def loops(x, weight, bias, stride, padding):
    """The definition, one product at a time."""
    (sh, sw), (ph, pw) = stride, padding
    x = nn.functional.pad(x, (pw, pw, ph, ph))
    N, C, H, W = x.shape
    out, _, kh, kw = weight.shape
    rows, columns = (H - kh) // sh + 1, (W - kw) // sw + 1
    y = torch.zeros(N, out, rows, columns, dtype=x.dtype)
    for n in range(N):
        for o in range(out):
            for i in range(rows):
                for j in range(columns):
                    window = x[n, :, i * sh:i * sh + kh,
                               j * sw:j * sw + kw]
                    y[n, o, i, j] = (window * weight[o]).sum() + bias[o]
    return y


@settings(max_examples=10)
@given(seeds, both_of(1, 3), both_of(1, 2), both_of(0, 1))
def test_conv2d_is_what_the_loops_say(seed, kernel, stride, padding):
    x = draw(seed, (2, 2, 4, 5), dtype=torch.float64)
    weight = draw(seed + 1, (3, 2, *kernel), dtype=torch.float64)
    bias = draw(seed + 2, (3,), dtype=torch.float64)
    assert_close([conv2d(x, weight, bias, stride, padding)],
                 [loops(x, weight, bias, stride, padding)])


def test_conv2d_refuses_other_channels_and_too_large_a_filter():
    with pytest.raises(RuntimeError, match="weight is .* in = 4"):
        Conv2d(3, 2, 2)(torch.zeros(1, 4, 5, 5))
    with pytest.raises(RuntimeError, match="maximum size"):
        Conv2d(1, 2, 6)(torch.zeros(1, 1, 5, 5))


def test_windows_are_numbered_where_the_images_are():
    x = torch.empty(1, 1, 4, 4, device="meta")
    assert window_numbers(x, (2, 2), (1, 1), (0, 0)).is_meta
    assert not window_numbers(
        torch.empty(4, 4), (2, 2), (1, 1), (0, 0)).is_meta
