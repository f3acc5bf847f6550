"""The simulations that train lose what `scratch` loses."""

import re

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

from elements import close
from scratch.backward import backward
from scratch.compare import (
    fused_backward,
    side_by_side,
    torch_layout,
    torch_net,
)
from scratch.data import DataLoader
from scratch.init import make_params
from scratch.train import evaluate, make_optimizer, train
from stage import settled, snapshot

SIZES = (2, 16, 2)
RATES = {"sgd": 0.1, "momentum": 0.03, "adam": 0.01}


def spirals(n=100):
    """As in Chapter 7."""
    t = torch.linspace(0, 1, n)
    angle, radius = 2 * torch.pi * t, 0.15 + 0.85 * t
    arm = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return torch.cat([arm, -arm]), torch.arange(2).repeat_interleave(n)


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
        close(ours, q.detach().t().flatten(), 1e-6, 1e-7)


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


def test_a_rung_is_climbed_by_keys_and_its_curve_goes_to_0(on_stage):
    tab = on_stage("two-runs", motion="reduce")
    line = tab.locator(".stage-readout")
    assert line.text_content().startswith("Step 1.")
    tab.get_by_label("2 copied").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    tab.locator("text=One step").focus()
    for _ in range(3):
        tab.keyboard.press("Enter")
    settled(tab)
    assert "equal in every bit" in line.text_content()
    assert "exact" in tab.locator(".stage svg").nth(1).text_content()
    tab.get_by_label("3 float64").check(force=True)
    tab.locator("text=One step").click()
    settled(tab)
    assert "10⁻¹" in line.text_content()


# ----------------------------------------------------------- live training


def test_the_spirals_are_chapter_7s(numbers):
    X, y = spirals()
    found = numbers("live-training", "points", "spirals")
    close(found["x"], X.flatten(), 1e-5, 1e-6)
    assert found["y"] == y.tolist()


def trained(name, batch_size, epochs, dtype, X, y, params):
    """Losses, weights and accuracy after Chapter 7's loop."""
    params = [p.detach().to(dtype).clone() for p in params]
    optimizer = make_optimizer(name, params, RATES[name])
    loader = DataLoader(X.to(dtype), y, batch_size,
                        generator=torch.Generator().manual_seed(0))
    losses = [train(params, loader, optimizer) for _ in range(epochs)]
    return losses, params, evaluate(params, loader)[1]


@pytest.mark.parametrize("name, batch_size", [
    ("sgd", 20), ("momentum", 50), ("adam", 20), ("adam", 7), ("sgd", 200),
])
def test_a_training_in_the_page_is_that_of_chapter_7(
    numbers, name, batch_size
):
    X, y = spirals()
    params = make_params(SIZES)
    found = numbers("live-training", "train", 30, {
        **given(X, y, params), "optimizer": name, "batchSize": batch_size,
        "options": {"lr": RATES[name]}})
    losses, after, share = trained(
        name, batch_size, 30, torch.float64, X, y, params)
    close(found["losses"], losses)
    for ours, p in zip(found["params"], after, strict=True):
        close(ours, p.flatten(), least=1e-9)
    assert found["accuracy"] == pytest.approx(share)


def test_the_page_ends_where_the_figure_of_chapter_7_ends(numbers):
    X, y = spirals()
    found = numbers("live-training", "train", 100, {
        **given(X, y, make_params(SIZES)), "optimizer": "adam",
        "batchSize": 20, "options": {"lr": 0.01}})
    losses, _, share = trained("adam", 20, 100, torch.float32, X, y,
                               make_params(SIZES))
    assert found["losses"][-1] == pytest.approx(losses[-1], rel=0.02)
    assert found["accuracy"] == share == 1


@pytest.mark.parametrize("kind", ["rings", "quarters"])
def test_the_other_points_can_be_learned(numbers, kind):
    found = numbers("live-training", "points", kind)
    assert found["y"] == [0] * 100 + [1] * 100
    X = torch.tensor(found["x"]).view(200, 2)
    assert X.abs().max() < 1.25
    start = given(X, torch.tensor(found["y"]), make_params(SIZES))
    result = numbers("live-training", "train", 60, {
        **start, "optimizer": "adam", "batchSize": 20,
        "options": {"lr": 0.01}})
    assert result["accuracy"] > 0.9
    if kind == "quarters":
        assert ((X[:, 0] * X[:, 1] > 0) == (
            torch.tensor(found["y"]) == 0)).all()


def test_training_is_played_by_mouse_and_by_keys(on_stage):
    tab = on_stage("live-training")
    line, play = tab.locator(".stage-readout"), tab.locator("text=/^Play$/")
    assert line.text_content().startswith("Epoch 0, step 0.")
    tab.locator("text=One step").click()
    settled(tab)
    assert line.text_content().startswith("Epoch 0, step 1.")
    tab.locator("text=One epoch").focus()
    tab.keyboard.press("Enter")
    settled(tab)
    assert line.text_content().startswith("Epoch 1, step 10.")
    play.focus()
    tab.keyboard.press("Space")
    expect(line).to_have_text(re.compile("Epoch ([6-9]|[1-9][0-9]+),"))
    tab.get_by_role("button", name="Pause").click()
    before = snapshot(tab)
    assert snapshot(tab) == before
    tab.get_by_label("200", exact=True).check(force=True)
    tab.locator("text=One step").click()
    settled(tab)
    assert line.text_content().startswith("Epoch 1, step 1.")


def test_a_rate_too_large_is_said_to_be(on_stage):
    tab = on_stage("live-training")
    tab.get_by_label("momentum").check(force=True)
    tab.get_by_label("learning rate").fill("1")
    line = tab.locator(".stage-readout")
    tab.get_by_role("button", name="Play").click()
    expect(line).to_contain_text("this rate is too large")
