"""Optimizers, batches and gradients in pages are those of `scratch`."""

import pytest
import torch

from elements import close
from scratch.backward import (
    backward,
    cross_entropy_backward,
    linear_backward,
    relu_backward,
)
from scratch.data import load_mnist, shuffled
from scratch.functional import cross_entropy, linear, relu, softmax
from scratch.optim import SGD, Adam
from stage import settled

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


def test_the_graph_sees_two_pixels_of_a_picture(numbers):
    X, _ = load_mnist(split="test")
    assert numbers("computation-graph", "pixelsOf", X[0].tolist()) == [1, .5]


def test_the_graph_is_walked_by_mouse_and_by_keys(on_stage):
    tab = on_stage("computation-graph")
    line, svg = tab.locator(".stage-readout"), tab.locator(".stage svg")
    assert "d_W1" in line.text_content()          # all of it, at first
    assert all(n in svg.text_content() for n in ("1.70", "1.23", "−0.82"))
    tab.get_by_role("button", name="Step").click()
    settled(tab)
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
