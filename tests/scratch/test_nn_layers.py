"""Linear, ReLU, Sequential and Dropout beside torch's."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from draws import draw
from scratch.nn import Dropout, Linear, ReLU, Sequential, linear
from scratch.optim import Adam
from twins import (
    DTYPES,
    assert_same,
    bools,
    dtypes,
    few,
    passes,
    seeds,
    some,
    twin,
)

# ---------------------------------------- Linear, ReLU, Sequential: bits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_draws_torch_s_linear(bias, dtype):
    for seed, (size_in, size_out) in enumerate([
        (784, 128), (128, 10), (1, 1), (3, 7), (7, 3), (10, 10),
        (11, 2), (13, 5), (50, 4), (97, 3),
    ]):
        made = []
        for kind in (Linear, nn.Linear):
            torch.manual_seed(seed)
            layer = kind(size_in, size_out, bias=bias, dtype=dtype)
            made.append(list(layer.parameters()))
        assert_same(*made)


@some
@given(dtypes, seeds, st.integers(1, 40), st.integers(1, 40), bools,
       st.sampled_from([(), (1,), (64,), (0,), (3, 5), (2, 3, 4)]))
def test_linear_equals_torch_to_the_last_bit(
    dtype, seed, size_in, size_out, bias, batch
):
    ours, theirs = twin(
        Linear(size_in, size_out, bias, dtype=dtype),
        nn.Linear(size_in, size_out, bias, dtype=dtype),
    )
    x = draw(seed, (*batch, size_in), dtype=dtype)
    assert_same(passes(ours, x), passes(theirs, x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_equals_torch_to_the_last_bit_at_zero_too(dtype):
    edges = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, -1e-40]
    x = torch.cat([torch.tensor(edges, dtype=dtype),
                   draw(0, (93,), dtype=dtype)])
    assert_same(passes(ReLU(), x), passes(nn.ReLU(), x))
    assert passes(ReLU(), torch.zeros(3, dtype=dtype))[1].any() == 0


@few
@given(dtypes, seeds, st.integers(1, 65),
       st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_a_network_equals_torch_to_the_last_bit(dtype, seed, n, sizes):
    def build(linear, relu, sequential):
        torch.manual_seed(seed)
        layers = []
        for size_in, size_out in zip(sizes, sizes[1:], strict=False):
            layers += [linear(size_in, size_out, dtype=dtype), relu()]
        return sequential(*layers[:-1])

    ours = build(Linear, ReLU, Sequential)
    theirs = build(nn.Linear, nn.ReLU, nn.Sequential)
    x = draw(seed, (n, sizes[0]), dtype=dtype)
    assert_same(passes(ours, x), passes(theirs, x))


def test_training_a_network_equals_torch_in_every_bit():
    losses = []
    for lib, adam in ((None, Adam), (nn, torch.optim.Adam)):
        torch.manual_seed(3)
        net = (
            Sequential(Linear(20, 16), ReLU(), Linear(16, 5))
            if lib is None else
            nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
        )
        optimizer = adam(net.parameters())
        x = draw(1, (64, 20), dtype=torch.float32)
        targets = torch.arange(64) % 5
        for _ in range(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), targets)
            loss.backward()
            optimizer.step()
        losses.append([*net.parameters(), loss])
    assert_same(*losses)


def test_linear_alone_takes_plain_tensors():
    x, W, b = (draw(0, s, dtype=torch.float64)
               for s in ((4, 3), (2, 3), (2,)))
    assert_same([linear(x, W, b)], [nn.functional.linear(x, W, b)])
    assert_same([linear(x, W)], [nn.functional.linear(x, W)])


# -------------------------------------------------------------- Dropout


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [0, 0.1, 0.3, 0.5, 0.77, 1])
def test_dropout_draws_torch_s_masks_from_the_same_seed(p, dtype):
    for shape in [(5,), (64, 128), (3, 0), (7, 9, 11)]:
        x, made = draw(1, shape, dtype=dtype), []
        for kind in (Dropout, nn.Dropout):
            torch.manual_seed(5)
            made.append(passes(kind(p), x))
        assert_same(*made)


def test_dropout_keeps_the_mean_and_scales_what_stays():
    torch.manual_seed(0)
    out = Dropout(0.2)(torch.ones(100_000))
    assert sorted(set(out.tolist())) == [0, 1.25]
    assert abs((out == 0).double().mean() - 0.2) < 0.005


def test_dropout_lets_everything_through_when_judging():
    x = torch.randn(5)
    assert Dropout(0.9).eval()(x) is x
    assert Dropout(1).eval()(x) is x and Dropout(0)(x) is x


def test_dropout_of_everything_is_zeros_with_a_gradient_of_zeros():
    x = torch.ones(4, requires_grad=True)
    out = Dropout(1.0)(x)
    out.sum().backward()
    assert out.tolist() == [0] * 4 == x.grad.tolist()


def test_dropout_works_out_of_place():
    x = torch.ones(1000)
    Dropout(0.5)(x)
    assert x.eq(1).all()


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="not from 0 to 1"):
        Dropout(p)
