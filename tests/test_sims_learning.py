"""The simulations that learn compute what `scratch` computes."""

import pytest
import torch
from sims_harness import *  # noqa: F403
from sims_harness import settled, snapshot
from torch import nn

from scratch.backward import backward
from scratch.compare import (
    fused_backward,
    side_by_side,
    torch_layout,
    torch_net,
)
from scratch.data import DataLoader
from scratch.init import make_params

SIZES = (2, 16, 2)
RATES = {"sgd": 0.1, "momentum": 0.03, "adam": 0.01}


def spirals(n=100):
    """As in Chapter 7."""
    t = torch.linspace(0, 1, n)
    angle, radius = 2 * torch.pi * t, 0.15 + 0.85 * t
    arm = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return torch.cat([arm, -arm]), torch.arange(2).repeat_interleave(n)


def test_the_spirals_are_chapter_7s(numbers):
    X, y = spirals()
    found = numbers("live-training", "points", "spirals")
    close(found["x"], X.flatten(), 1e-5, 1e-6)
    assert found["y"] == y.tolist()


def close(ours, theirs, rel=1e-6, least=1e-12):
    """Equal to `rel`, element by element."""
    a, b = (torch.as_tensor(t, dtype=torch.float64) for t in (ours, theirs))
    assert a.shape == b.shape
    assert ((a - b).abs() <= rel * b.abs() + least).all(), (
        f"off by {((a - b).abs() / (b.abs() + least)).max():.1e}")


def given(X, y, params):
    """Data and weights as a page takes them."""
    return {"set": {"x": X.flatten().tolist(), "y": y.tolist()},
            "params": [p.detach().flatten().tolist() for p in params]}


# ---------------------------------------------------------------- two runs


def both(dtype, name, steps, gradient=backward, layout=list):
    """Chapter 8's two runs on the spirals: losses and distances."""
    X, y = spirals()
    ours = layout([p.detach().to(dtype) for p in make_params(SIZES)])
    net = torch_net(ours)
    loader = DataLoader(X.to(dtype), y, 20,
                        generator=torch.Generator().manual_seed(0))

    def batches():
        while True:
            yield from loader

    rows = []
    for a, b in side_by_side(ours, net, batches(), name, gradient,
                             RATES[name]):
        gap = max((p - q.t()).abs().max().item()
                  for p, q in zip(ours, net.parameters(), strict=True))
        rows.append((a.item(), b.item(), gap))
        if len(rows) == steps:
            return rows


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_weights_begin_as_make_params_and_as_linear(numbers, seed):
    found = numbers("two-runs", "params", "makeParams", SIZES, seed)
    for ours, p in zip(found, make_params(SIZES, seed=seed), strict=True):
        close(ours, p.detach().flatten(), 1e-5, 1e-6)
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    found = numbers("two-runs", "params", "torchParams", SIZES, seed)
    for ours, q in zip(found, net.parameters(), strict=True):
        close(ours, q.detach().t().flatten(), 1e-7)


@pytest.mark.parametrize("name", RATES)
def test_both_runs_lose_what_chapter_8s_lose(numbers, name):
    theirs = torch.tensor(both(torch.float64, name, 300))
    ours = torch.tensor(numbers("two-runs", "record", "double", name, 300,
                                given(*spirals(), make_params(SIZES))),
                        dtype=torch.float64)
    close(ours[:, :2], theirs[:, :2])
    assert 0 < ours[-1, 2] < 1e-12 and theirs[-1, 2] < 1e-12


def test_float32_rounds_as_far_apart_as_in_chapter_8(numbers):
    start = given(*spirals(), make_params(SIZES))
    ours = torch.tensor(numbers("two-runs", "record", "copied", "adam", 300,
                                start))
    theirs = torch.tensor(both(torch.float32, "adam", 300))
    close(ours[:, :2], theirs[:, :2], 1e-3)
    for gaps in (ours[:, 2], theirs[:, 2]):
        assert 1e-8 < gaps[-1] < 1e-4
    assert ours[0, 2] < 1e-6


@pytest.mark.parametrize("name", RATES)
def test_in_one_order_every_bit_is_equal(numbers, name):
    ours = torch.tensor(numbers("two-runs", "record", "order", name, 300))
    assert (ours[:, 2] == 0).all() and (ours[:, 0] == ours[:, 1]).all()
    theirs = torch.tensor(both(torch.float32, name, 300, fused_backward,
                               torch_layout))
    assert (theirs[:, 2] == 0).all()


def test_with_weights_of_their_own_they_differ_from_the_start(numbers):
    ours = numbers("two-runs", "record", "own", "adam", 300)
    assert ours[0][2] > 0.5 and ours[-1][2] > 0.5
    assert ours[0][0] != ours[0][1]
