"""Dropout beside torch's: masks, averages, edges, gradients, and the
network of Chapter 11 that uses it."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck

import scratch.nn
from exact import bits
from scratch.functional import cross_entropy, dropout
from scratch.optim import Adam

few = settings(max_examples=40)
seeds = st.integers(0, 2**32)
shapes = st.lists(st.integers(0, 12), max_size=4).map(tuple)
dtypes = st.sampled_from([torch.float32, torch.float64])
shares = st.sampled_from([0.0, 1e-3, 0.1, 1 / 3, 0.5, 0.75, 0.999, 1.0])


def seeded(seed, act):
    torch.manual_seed(seed)
    return act()


# ------------------------------------------------------------------- masks


@few
@given(shapes, seeds, shares, dtypes, st.booleans())
def test_dropout_equals_torch_s_bit_for_bit(shape, seed, p, dtype, training):
    x = seeded(seed, lambda: torch.randn(shape, dtype=dtype))
    ours = seeded(seed, lambda: dropout(x, p, training))
    theirs = seeded(seed, lambda: F.dropout(x, p, training))
    assert ours.dtype == dtype and ours.shape == x.shape
    assert torch.equal(bits(ours), bits(theirs))


@few
@given(seeds, shares)
def test_dropout_takes_from_the_stream_what_torch_takes(seed, p):
    x = torch.ones(50)
    after = [
        seeded(seed, lambda f=f: (f(x, p), torch.rand(3))[1])
        for f in (dropout, F.dropout)
    ]
    assert torch.equal(*after)


def test_dropout_equals_torch_s_for_a_transposed_view():
    x = torch.randn(7, 5).t()
    ours, theirs = (
        seeded(3, lambda f=f: f(x, 0.3)) for f in (dropout, F.dropout)
    )
    assert torch.equal(ours, theirs)


def test_dropout_equals_the_layer_of_scratch_nn():
    x = torch.randn(20, 30)
    for p in (0.0, 0.4, 1.0):
        layer = scratch.nn.Dropout(p)
        assert torch.equal(
            seeded(1, lambda: dropout(x, p)),           # noqa: B023
            seeded(1, lambda: layer(x)),                # noqa: B023
        )


def test_the_default_is_to_train_and_to_drop_one_half():
    x = torch.ones(1000)
    assert torch.equal(
        seeded(0, lambda: dropout(x)), seeded(0, lambda: F.dropout(x, 0.5))
    )


def test_a_generator_decides_alone_and_is_the_only_one_used():
    x, before = torch.ones(1000), torch.get_rng_state()
    a, b, c = (
        dropout(x, 0.5, generator=torch.Generator().manual_seed(s))
        for s in (1, 1, 2)
    )
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert torch.equal(torch.get_rng_state(), before)


# ---------------------------------------------------------------- averages


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_mean_stays_and_the_variance_is_p_over_1_less_p(p):
    N = 400_000
    out = seeded(0, lambda: dropout(torch.ones(N).double(), p))
    variance = p / (1 - p)
    assert set(out.unique().tolist()) == {0.0, 1 / (1 - p)}
    assert abs(out.mean() - 1) < 5 * math.sqrt(variance / N)
    assert abs(out.var() - variance) < 0.02 * max(1, variance)
    assert abs((out == 0).double().mean() - p) < 0.005


def test_the_mean_of_a_weighted_sum_is_that_without_dropout():
    h, w = torch.rand(64).double(), torch.randn(64).double()
    sums = seeded(0, lambda: dropout(h.expand(50_000, 64), 0.3)) @ w
    spread = math.sqrt(0.3 / 0.7 * ((h * w) ** 2).sum())
    assert abs(sums.mean() - h @ w) < 5 * spread / math.sqrt(50_000)
    assert abs(sums.std() / spread - 1) < 0.02


# ------------------------------------------------------------------- edges


@pytest.mark.parametrize("p, training", [(0.0, True), (0.5, False),
                                         (1.0, False)])
def test_nothing_is_dropped_or_drawn_or_copied(p, training):
    x, before = torch.randn(10), torch.get_rng_state()
    assert dropout(x, p, training) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_all_is_dropped_without_nan_and_without_a_draw():
    x, before = torch.randn(10, requires_grad=True), torch.get_rng_state()
    out = dropout(x, 1)
    out.sum().backward()
    assert out.tolist() == [0.0] * 10 == x.grad.tolist()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("p", [-0.1, 1.0000001, 2, math.nan, math.inf])
@pytest.mark.parametrize("training", [True, False])
def test_what_is_no_probability_is_refused_in_both_modes(p, training):
    with pytest.raises(ValueError, match=rf"p is {p}, not from 0 to 1"):
        dropout(torch.ones(3), p, training)


# --------------------------------------------------------------- gradients


def test_the_gradient_is_the_mask():
    x = torch.randn(50, 20, dtype=torch.float64, requires_grad=True)
    out = dropout(x, 0.3)
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
    assert torch.equal(x.grad, out.detach().ne(0).double() / (1 - 0.3))


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_gradients_agree_with_differences(p):
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda t: seeded(0, lambda: dropout(t, p)), [x])


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_dropout_leaves_its_input_alone(p):
    h = torch.randn(8, 5, requires_grad=True).relu()
    before = h.detach().clone()
    dropout(h, p).sum().backward()               # relu kept h
    assert torch.equal(h, before)


def test_dropout_in_place_after_relu_raises():
    h = torch.randn(8, 5, requires_grad=True).relu()
    h *= (torch.rand_like(h) > 0.5) / 0.5
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        h.sum().backward()


# ------------------------------------------------- the convolutional network


def digit_net(lib):
    """The network of the challenge, from the layers of lib, for
    images of 12 by 12."""
    class Reshape(lib.Module):
        def __init__(self, *shape):
            super().__init__()
            self.shape = shape

        def forward(self, x):
            return x.reshape(len(x), *self.shape)

    return lib.Sequential(
        Reshape(1, 12, 12), lib.Conv2d(1, 8, 5, stride=2, padding=1),
        lib.ReLU(), lib.Conv2d(8, 12, 3, stride=2, padding=1), lib.ReLU(),
        Reshape(12 * 9), lib.Linear(108, 24, bias=False),
        lib.BatchNorm1d(24), lib.ReLU(), lib.Dropout(0.25),
        lib.Linear(24, 4),
    )


@pytest.fixture(scope="module")
def strokes():
    """A bar or its corner in noise: x [N, 144], targets [N] of 4."""
    generator = torch.Generator().manual_seed(0)
    N = 600
    x = 0.3 * torch.rand(N, 12, 12, generator=generator)
    targets = torch.randint(4, (N,), generator=generator)
    places = torch.randint(2, 9, (N, 2), generator=generator)
    for image, kind, (i, j) in zip(x, targets, places, strict=True):
        if kind != 1:
            image[i, 1:11] += 0.7                # level
        if kind != 0:
            image[1:11, j] += 0.7                # upright
        if kind == 3:
            image[i, j] -= 0.7                   # crossing less dark
            image[i - 1, :] *= 0.2
            image[:, j - 1] *= 0.2
    return x.flatten(1), targets


def pair(dtype):
    ours = seeded(0, lambda: digit_net(scratch.nn))
    theirs = digit_net(nn)
    theirs.load_state_dict(ours.state_dict())
    return ours.to(dtype), theirs.to(dtype)


def learn(net, optimizer, loss_of, x, targets, steps):
    torch.manual_seed(0)
    for step in range(steps):
        part = slice(step * 50 % 500, step * 50 % 500 + 50)
        loss = loss_of(net(x[part]), targets[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_the_network_stays_beside_torch_s_in_float64(strokes):
    x, targets = strokes[0].double(), strokes[1]
    ours, theirs = pair(torch.float64)
    start = {n: t.clone() for n, t in ours.state_dict().items()}
    learn(ours, Adam(ours.parameters(), 3e-3), cross_entropy, x, targets, 20)
    learn(theirs, torch.optim.Adam(theirs.parameters(), 3e-3),
          F.cross_entropy, x, targets, 20)
    for (name, p), q in zip(
        ours.state_dict().items(), theirs.state_dict().values(), strict=True
    ):
        assert not torch.equal(p, start[name]), name
        torch.testing.assert_close(p, q, rtol=0, atol=1e-8)


def test_the_network_learns_what_it_has_not_seen(strokes):
    x, targets = strokes
    net, _ = pair(torch.float32)

    def right():
        with torch.no_grad():
            guess = net.eval()(x[500:]).argmax(1)
        net.train()
        return (guess == targets[500:]).float().mean().item()

    before = right()
    learn(net, Adam(net.parameters(), 5e-3), cross_entropy, x, targets, 120)
    assert before < 0.6 and right() > 0.9


def test_the_network_answers_alike_twice_only_when_judging(strokes):
    x, _ = strokes
    net, _ = pair(torch.float32)
    assert not torch.equal(net(x[:50]), net(x[:50]))
    net.eval()
    assert torch.equal(net(x[:50]), net(x[:50]))
