"""The first parameters: shapes, spread, seeds, and nothing disturbed."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.init import kaiming_normal, make_params

few = settings(max_examples=25)
seeds = st.integers(0, 2**32)
several_sizes = st.lists(st.integers(1, 40), min_size=2, max_size=5)
dtypes = st.sampled_from([torch.float32, torch.float64])
SCHEMES = ["kaiming", "normal", "zeros"]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def same(ours, theirs):
    """Equal in every bit, number of tensors and dtypes included."""
    return len(ours) == len(theirs) and all(
        a.dtype == b.dtype and torch.equal(a, b)
        for a, b in zip(ours, theirs, strict=True)
    )


# ---------------------------------------------------------- kaiming_normal


@few
@given(st.integers(1, 60), st.integers(1, 60), seeds, dtypes)
def test_kaiming_is_a_normal_draw_scaled_by_he_s_formula(
    fan_in, fan_out, seed, dtype
):
    W = kaiming_normal(fan_in, fan_out, generator=seeded(seed), dtype=dtype)
    draw = torch.randn(
        fan_in, fan_out, generator=seeded(seed), dtype=dtype
    )
    assert W.shape == (fan_in, fan_out) and W.dtype == dtype
    torch.testing.assert_close(W, draw * math.sqrt(2 / fan_in))


@pytest.mark.parametrize(
    "fan_in, fan_out", [(784, 128), (128, 784), (2, 50_000), (50_000, 2)]
)
def test_kaiming_has_torch_s_spread_and_no_offset(fan_in, fan_out):
    W = kaiming_normal(fan_in, fan_out, generator=seeded(0))
    theirs = torch.empty(fan_out, fan_in)           # torch's [out, in]
    torch.nn.init.kaiming_normal_(
        theirs, nonlinearity="relu", generator=seeded(1)
    )
    std, n = math.sqrt(2 / fan_in), W.numel()
    slack = 5 / math.sqrt(2 * n)                    # five standard errors
    assert W.std().item() == pytest.approx(std, rel=slack)
    assert theirs.std().item() == pytest.approx(std, rel=slack)
    assert abs(W.mean().item()) < 5 * std / math.sqrt(n)


def test_kaiming_keeps_the_size_of_a_signal_through_twenty_relu_layers():
    generator = seeded(0)
    h = torch.randn(64, 256, generator=generator)
    before = h.square().mean()
    for _ in range(20):
        h = (h @ kaiming_normal(256, 256, generator=generator)).relu()
    # Halved or doubled by each layer, it would be a million times off.
    assert 0.2 < h.square().mean() * 2 / before < 5


def test_kaiming_without_a_generator_follows_the_global_seed():
    draws = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        draws.append(kaiming_normal(5, 4))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_kaiming_with_a_generator_moves_it_and_leaves_the_global_one():
    before, generator = torch.get_rng_state(), seeded(0)
    first = kaiming_normal(5, 4, generator=generator)
    second = kaiming_normal(5, 4, generator=generator)
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


def test_kaiming_draws_on_the_device_that_is_asked_for():
    assert kaiming_normal(3, 2, device="meta").device.type == "meta"
    assert kaiming_normal(3, 2).device.type == "cpu"


# ------------------------------------------------------------- make_params


@few
@given(several_sizes, seeds, dtypes, st.sampled_from(SCHEMES))
def test_params_are_leaves_shaped_by_the_sizes(sizes, seed, dtype, scheme):
    params = make_params(sizes, seed=seed, scheme=scheme, dtype=dtype)
    shapes = []
    for fan_in, fan_out in pairwise(sizes):
        shapes += [(fan_in, fan_out), (fan_out,)]
    assert isinstance(params, list)
    assert [tuple(p.shape) for p in params] == shapes
    assert all(p.dtype == dtype for p in params)
    assert all(p.requires_grad and p.is_leaf for p in params)
    assert all(p.grad is None and p.is_contiguous() for p in params)


def test_params_are_the_book_s_network_unless_told_otherwise():
    params = make_params()
    assert [list(p.shape) for p in params] == [
        [784, 128], [128], [128, 10], [10]
    ]
    assert sum(p.numel() for p in params) == 101_770
    assert all(p.dtype == torch.float32 for p in params)
    assert all(p.device.type == "cpu" for p in params)
    assert same(params, make_params((784, 128, 10), seed=0,
                                    scheme="kaiming"))


@few
@given(several_sizes, seeds, dtypes)
def test_kaiming_params_are_drawn_in_order_from_one_seeded_stream(
    sizes, seed, dtype
):
    generator, expected = seeded(seed), []
    for fan_in, fan_out in pairwise(sizes):
        expected.append(kaiming_normal(
            fan_in, fan_out, generator=generator, dtype=dtype
        ))
        expected.append(torch.zeros(fan_out, dtype=dtype))
    assert same(make_params(sizes, seed=seed, dtype=dtype), expected)


@few
@given(several_sizes, seeds, dtypes)
def test_normal_params_are_the_bare_draws_of_one_seeded_stream(
    sizes, seed, dtype
):
    generator, expected = seeded(seed), []
    for fan_in, fan_out in pairwise(sizes):
        expected.append(torch.randn(
            fan_in, fan_out, generator=generator, dtype=dtype
        ))
        expected.append(torch.zeros(fan_out, dtype=dtype))
    ours = make_params(sizes, seed=seed, scheme="normal", dtype=dtype)
    assert same(ours, expected)


def test_zero_params_are_all_zero():
    assert not any(p.any() for p in make_params(scheme="zeros"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_biases_begin_at_zero_in_every_scheme(scheme):
    _, b1, _, b2 = make_params(scheme=scheme)
    assert not b1.any() and not b2.any()


@pytest.mark.parametrize("scheme", ["kaiming", "normal"])
def test_a_seed_gives_the_same_params_again_and_another_gives_others(scheme):
    first = make_params((9, 8, 7), seed=5, scheme=scheme)
    again = make_params((9, 8, 7), seed=5, scheme=scheme)
    other = make_params((9, 8, 7), seed=6, scheme=scheme)
    assert same(first, again)
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[2], other[2])


def test_two_calls_share_no_memory():
    first, again = make_params((3, 2)), make_params((3, 2))
    with torch.no_grad():
        for p in first:
            p.fill_(7)
    assert not any((p == 7).any() for p in again)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_params_neither_read_nor_move_the_global_generator(scheme):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = make_params((5, 4), scheme=scheme)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(first, make_params((5, 4), scheme=scheme))


def test_params_follow_the_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        params = make_params((3, 2))
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(p.dtype == torch.float64 for p in params)


@pytest.mark.parametrize("sizes", [(), (784,)])
def test_fewer_than_two_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least two"):
        make_params(sizes)


@pytest.mark.parametrize("scheme", ["he", "Kaiming", "", None])
def test_an_unknown_scheme_is_refused_by_name(scheme):
    with pytest.raises(ValueError, match=f"{scheme!r}.*kaiming"):
        make_params((3, 2), scheme=scheme)


# The meta device holds shapes without numbers. It has no generator, so
# these two tests lend it one and write down where that was asked for.


@pytest.fixture
def asked(monkeypatch):
    devices, real = [], torch.Generator

    def lend(device="cpu"):
        devices.append(torch.device(device).type)
        return real()

    monkeypatch.setattr(torch, "Generator", lend)
    return devices


@pytest.mark.parametrize("scheme", SCHEMES)
def test_params_are_drawn_on_the_device_that_is_asked_for(asked, scheme):
    params = make_params((3, 2, 1), scheme=scheme, device="meta")
    assert {p.device.type for p in params} == {"meta"}
    assert asked == ["meta"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_params_are_drawn_on_the_default_device(asked, scheme):
    with torch.device("meta"):
        params = make_params((3, 2, 1), scheme=scheme)
        assert {p.device.type for p in params} == {"meta"}
        assert asked == ["meta"]
        params = make_params((3, 2, 1), scheme=scheme, device="cpu")
        assert {p.device.type for p in params} == {"cpu"}
        assert asked == ["meta", "cpu"]
