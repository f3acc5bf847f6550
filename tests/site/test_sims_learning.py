"""The simulations that learn compute what `scratch` computes."""

import re

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

from scratch.backward import (
    backward,
    cross_entropy_backward,
    linear_backward,
    relu_backward,
)
from scratch.compare import (
    fused_backward,
    side_by_side,
    torch_layout,
    torch_net,
)
from scratch.data import DataLoader, load_mnist, shuffled
from scratch.functional import cross_entropy, linear, relu, softmax
from scratch.init import make_params
from scratch.optim import SGD, Adam
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


# -------------------------------------------------------------- optimizers


STRAIGHT = torch.diag(torch.tensor([1.0, 30.0], dtype=torch.float64))
TURN = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / 2**0.5
LANDS = {
    "level": lambda w: w @ STRAIGHT @ w / 2,
    "turned": lambda w: w @ TURN @ STRAIGHT @ TURN.T @ w / 2,
    "saddle": lambda w: w[0] ** 2 / 2 + w[1] ** 4 / 4 - w[1] ** 2 / 2 + 1 / 4,
    "bent": lambda w: (1 - w[0]) ** 2 / 10 + (w[1] - w[0] ** 2) ** 2,
}
MAKERS = {
    "sgd": lambda p, o: SGD(p, o["lr"]),
    "momentum": lambda p, o: SGD(p, o["lr"], o["momentum"]),
    "adam": lambda p, o: Adam(p, o["lr"], o["betas"]),
}


def descended(land, name, options, start, steps):
    """The path of scratch's optimizer, with autograd's gradients."""
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = MAKERS[name]([w], options)
    path, losses = [w.tolist()], [LANDS[land](w).item()]
    for _ in range(steps):
        [w.grad] = torch.autograd.grad(LANDS[land](w), w)
        optimizer.step()
        path.append(w.tolist())
        losses.append(LANDS[land](w).item())
    return path, losses


@pytest.mark.parametrize("land", LANDS)
@pytest.mark.parametrize("name, options", [
    ("sgd", {"lr": 0.06}), ("momentum", {"lr": 0.03, "momentum": 0.8}),
    ("momentum", {"lr": 0.02, "momentum": 0.95}),
    ("momentum", {"lr": 0.05, "momentum": 0}),
    ("adam", {"lr": 0.2, "betas": [0.9, 0.999]}),
    ("adam", {"lr": 0.05, "betas": [0.3, 0.9]}),
    ("adam", {"lr": 0.3, "betas": [0, 0]}),
])
def test_every_path_is_that_of_scratch_optim(numbers, land, name, options):
    for start in (numbers("optimizers", "start", land), [0.7, -0.4]):
        found = numbers("optimizers", "descend", land, name, options, start,
                        60)
        path, losses = descended(land, name, options, start, 60)
        close(found["points"], path, 1e-6, 1e-9)
        close(found["losses"], losses, 1e-6, 1e-9)


def test_the_valleys_begin_as_in_the_still(numbers):
    assert numbers("optimizers", "start", "level") == [-4, 1]
    close(numbers("optimizers", "start", "turned"),
          TURN @ torch.tensor([-4.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("lr, diverges", [(0.066, False), (0.068, True)])
def test_sgd_diverges_above_2_over_the_curvature(numbers, lr, diverges):
    found = numbers("optimizers", "descend", "level", "sgd", {"lr": lr},
                    [-4, 1], 400)
    assert (found["diverged"] is not None) == diverges
    if diverges:
        first, losses = found["diverged"], found["losses"]
        assert losses[first - 1] < 100 * losses[0] <= losses[first]


def test_the_start_is_dragged_and_moved_by_keys(on_stage):
    tab = on_stage("optimizers")
    ring, line = tab.locator(".stage .drag"), tab.locator(".stage-readout")
    before, first = line.text_content(), ring.bounding_box()
    x, y = first["x"] + 11, first["y"] + 11
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + 60, y - 40, steps=3)
    tab.mouse.up()
    settled(tab)
    moved = ring.bounding_box()
    assert moved["x"] - first["x"] == pytest.approx(60, abs=1)
    assert moved["y"] - first["y"] == pytest.approx(-40, abs=1)
    after = line.text_content()
    assert after != before
    ring.focus()
    tab.keyboard.press("ArrowUp")
    settled(tab)
    assert ring.bounding_box()["y"] < moved["y"]
    assert line.text_content() != after


def test_divergence_is_said_and_shown(on_stage):
    tab = on_stage("optimizers")
    line = tab.locator(".stage-readout")
    assert "diverges" not in line.text_content()
    tab.get_by_label("learning rate of SGD").fill("-0.8")
    settled(tab)
    assert "SGD diverges, from step" in line.text_content()
    assert "SGD ↑" in tab.locator(".stage svg").nth(1).text_content()
    tab.get_by_label("● SGD").uncheck()
    settled(tab)
    assert "SGD" not in line.text_content()


# ----------------------------------------------------------------- batches


def test_the_60_labels_are_mnists(numbers):
    assert numbers("batches", "labels") == load_mnist()[1][:60].tolist()


@pytest.mark.parametrize("epoch", [1, 2, 5])
@pytest.mark.parametrize("size", [8, 7, 60])
def test_the_orders_are_those_of_chapter_6(numbers, epoch, size):
    y = load_mnist()[1][:60]
    g = torch.Generator().manual_seed(0)
    for way, epochs in (("every", epoch), ("once", 1)):
        g.manual_seed(0)
        for _ in range(epochs):
            order = list(shuffled(60, size, g))
        found = numbers("batches", "batchesOf", way, epoch, size)
        assert found == [part.tolist() for part in order]
        for ours, part in zip(found, order, strict=True):
            counts = y[part].bincount(minlength=10).tolist()
            assert numbers("batches", "balance", ours) == counts
    assert numbers("batches", "orderOf", "sorted", epoch) == (
        y.argsort(stable=True).tolist())
    assert numbers("batches", "orderOf", "file", epoch) == list(range(60))


def test_epochs_differ_only_if_shuffled_each_time(on_stage):
    tab = on_stage("batches", motion="reduce")
    line = tab.locator(".stage-readout")
    for way, moves in (("every epoch", True), ("shuffled once", False),
                       ("as in the file", False), ("sorted", False)):
        tab.get_by_label(way).check(force=True)
        tab.get_by_role("button", name="Next epoch").focus()
        tab.keyboard.press("Enter")
        settled(tab)
        moved = line.text_content().split("than before: ")[1]
        assert (moved != "0 of 60.") == moves
        assert "epoch 2" in tab.locator(".stage svg").first.text_content()


def test_a_batch_is_chosen_by_pointer_and_by_keys(on_stage):
    tab = on_stage("batches")
    rows = tab.locator(".stage .drag")
    title = tab.locator(".stage svg").nth(1)
    box = rows.bounding_box()
    tab.mouse.click(box["x"] + 50, box["y"] + box["height"] - 5)
    settled(tab)
    assert "class balance of batch 8" in title.text_content()
    rows.focus()
    tab.keyboard.press("ArrowUp")
    settled(tab)
    assert "class balance of batch 7" in title.text_content()
    assert rows.get_attribute("aria-valuetext").startswith("Batch 7 of 8: ")
    tab.get_by_label("batch size").fill("20")
    settled(tab)
    assert "class balance of batch 3" in title.text_content()


# ------------------------------------------------------- computation graph


@pytest.mark.parametrize("x, target", [
    ([1.0, 0.5], 1), ([1.0, 0.5], 0), ([0.3, 0.9], 1), ([0.5, 0.5], 1),
    ([0.0, 0.0], 0),
])
def test_the_graph_holds_autograds_gradients(numbers, x, target):
    V1 = torch.tensor([[0.5, -1.0], [1.0, 1.0]], dtype=torch.float64)
    V2 = torch.tensor([[1.0, -0.5], [0.5, 1.5]], dtype=torch.float64)
    pixels = torch.tensor([x], dtype=torch.float64)
    check_graph(numbers, pixels, target, V1, V2)
    start = numbers("computation-graph", "pass", x, target)
    assert start == numbers("computation-graph", "pass", x, target,
                            V1.tolist(), V2.tolist())


@pytest.mark.parametrize("seed", range(4))
def test_other_weights_too(numbers, seed):
    g = torch.Generator().manual_seed(seed)
    draw = [torch.randn(n, 2, generator=g, dtype=torch.float64)
            for n in (1, 2, 2)]
    check_graph(numbers, draw[0], seed % 2, *draw[1:])


def check_graph(numbers, pixels, target, V1, V2):
    V1, V2 = (V.clone().requires_grad_() for V in (V1, V2))
    h_pre = linear(pixels, V1, torch.zeros(2, dtype=torch.float64))
    h = relu(h_pre)
    logits = linear(h, V2, torch.zeros(2, dtype=torch.float64))
    targets = torch.tensor([target])
    loss = cross_entropy(logits, targets)
    found = numbers("computation-graph", "pass", pixels[0].tolist(), target,
                    V1.tolist(), V2.tolist())
    none = torch.zeros(2, dtype=torch.float64)
    again, grads = backward(pixels, targets, V1, none, V2, none)
    close(found["loss"], loss.detach())
    close(found["loss"], again)
    close(found["p"], softmax(logits)[0].detach())
    for name, value in (("h_pre", h_pre), ("h", h), ("logits", logits)):
        close(found[name], value[0].detach())
    d_logits = cross_entropy_backward(logits.detach(), targets)
    d_h, d_V2, _ = linear_backward(h.detach(), V2.detach(), d_logits)
    for name, value in (("d_logits", d_logits), ("d_h", d_h), (
            "d_h_pre", relu_backward(h_pre.detach(), d_h))):
        close(found[name], value[0])
    close(found["d_W1"], grads[0])
    close(found["d_W2"], d_V2)


def test_the_graph_is_walked_by_mouse_and_by_keys(on_stage):
    tab = on_stage("computation-graph")
    line, svg = tab.locator(".stage-readout"), tab.locator(".stage svg")
    assert "Step forward" in line.text_content()
    assert "1.70" not in svg.text_content()
    for _ in range(7):
        tab.get_by_role("button", name="Step").click()
    settled(tab)
    assert "loss = −ln 0.18 = 1.70" in line.text_content()
    assert "1.23" not in svg.text_content()
    tab.locator(".stage .drag").focus()
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    settled(tab)
    assert "d_h[0] = 0.82 · 1.00 + (−0.82) · (−0.50) = 1.23" in (
        line.text_content())
    assert "1.23" in svg.text_content()
    tab.keyboard.press("PageUp")
    settled(tab)
    assert "16 of 16" in line.text_content()
    tab.get_by_role("button", name="Back").click()
    settled(tab)
    assert "asleep" in line.text_content()
    tab.get_by_label("x[1]").fill("1")
    tab.get_by_label("x[0]").fill("0.5")
    settled(tab)
    assert "awake" in line.text_content()
