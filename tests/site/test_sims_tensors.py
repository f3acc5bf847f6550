"""Simulations of tensors and layers show those of `scratch`."""

import json

import pytest
import torch

from figures.anatomy import describe
from scratch import nn
from scratch.data import load_mnist
from scratch.functional import forward, linear, relu
from scratch.init import make_params
from stage import settled

# ------------------------------------------------------------ tensor memory


def test_the_page_draws_the_numbers_of_make_params(numbers):
    plain = make_params(scheme="normal")
    for name, p in zip(("W1", "b1", "W2", "b2"), plain, strict=True):
        flat, n = p.detach().flatten(), p.numel()
        for start in (0, max(0, n // 2 - 8), max(0, n - 40)):
            found = numbers("tensor-memory", "values", name, start,
                            start + 40)
            assert found == pytest.approx(
                flat[start : start + 40].tolist(), rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_view_has_torchs_strides_and_places(numbers, name, transposed):
    at = ("W1", "b1", "W2", "b2").index(name)
    p = make_params()[at].detach()
    storage = torch.arange(p.numel()).view_as(p)
    if transposed and p.ndim == 2:
        p, storage = p.T, storage.T
    view = numbers("tensor-memory", "viewOf", name, transposed)
    assert tuple(view["shape"]) == p.shape
    assert tuple(view["strides"]) == p.stride()
    assert view["offset"] == p.storage_offset()
    g = torch.Generator().manual_seed(0)
    for _ in range(5):
        index = [torch.randint(n, (), generator=g).item() for n in p.shape]
        place = numbers("tensor-memory", "placeOf", view, index)
        assert place == storage[tuple(index)]


def test_transposing_swaps_the_strides_and_leaves_the_place(on_stage):
    tab = on_stage("tensor-memory")
    facts, line = (tab.locator(".stage-readout").nth(n) for n in (0, 1))
    assert "strides (128, 1)" in facts.text_content()
    assert line.text_content().startswith("W1[1, 3]")
    assert "= 131: bytes 524 to 527" in line.text_content()
    tab.get_by_label("transposed").check()
    settled(tab)
    assert "strides (1, 128)" in facts.text_content()
    assert line.text_content().startswith("W1.T[3, 1]")
    assert "= 131: bytes 524 to 527" in line.text_content()
    tab.locator(".drag").nth(1).focus()
    tab.keyboard.press("ArrowRight")
    settled(tab)
    assert "= 259:" in line.text_content()


# -------------------------------------------------------- shape propagation


def refusal(batch, fault):
    """What torch says of a forward pass with something in a wrong place,
    where no docstring is kept before."""
    W1, b1, W2, b2 = (p.detach() for p in make_params())
    x = torch.zeros(batch, 784)
    if fault == "images":
        x = x.reshape(batch, 28, 28)
    if fault == "weights":
        W1 = W2
    if fault == "bias":
        b1 = b2
    try:
        relu(x @ W1 + b1) @ W2 + b2
    except RuntimeError as error:
        return str(error)


@pytest.mark.parametrize("fault", ["none", "images", "weights", "bias"])
@pytest.mark.parametrize("batch", [1, 64, 200])
def test_shapes_that_do_not_fit_get_torchs_own_error(numbers, fault, batch):
    found = numbers("shape-propagation", "forward", batch, fault)
    assert found["error"] == refusal(batch, fault)
    assert (len(found["steps"]) == 4) == (fault == "none")


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_shapes_and_costs_are_those_of_the_forward_pass(numbers, batch):
    W1, b1, W2, b2 = (p.detach() for p in make_params())
    x = torch.zeros(batch, 784)
    h_pre = linear(x, W1, b1)
    h = relu(h_pre)
    made = [x, h_pre, h, linear(h, W2, b2)]
    found = numbers("shape-propagation", "forward", batch)["steps"]
    for step, tensor in zip(found, made, strict=True):
        assert tuple(step["shape"]) == tensor.shape
        assert step["elements"] == tensor.numel()
        assert step["bytes"] == tensor.nbytes
    work = [step["work"] for step in found]
    assert work == [0, batch * W1.numel(), 0, batch * W2.numel()]


def test_the_batch_slider_and_a_fault(on_stage):
    tab = on_stage("shape-propagation")
    tab.get_by_label("batch size").fill("2")
    settled(tab)
    assert "203,264 multiply-adds" in tab.locator(
        ".stage-readout.mono").text_content()
    tab.get_by_label("W2 in place of W1").check(force=True)
    settled(tab)
    assert "(2x784 and 128x10)" in tab.locator(
        ".stage-readout.mono").text_content()


def test_a_digit_goes_through_as_in_the_untrained_network(numbers):
    X, _ = load_mnist(split="test")
    params = [p.detach() for p in make_params()]
    for image in X[:3]:
        found = numbers("shape-propagation", "pass", image.tolist())
        h_pre = linear(image, *params[:2])
        assert found["hPre"] == pytest.approx(h_pre.tolist(), abs=1e-5)
        assert found["h"] == pytest.approx(relu(h_pre).tolist(), abs=1e-5)
        assert found["logits"] == pytest.approx(
            forward(image, *params).tolist(), abs=1e-5)
    assert numbers("shape-propagation", "logitsOf7") == pytest.approx(
        forward(X[0], *params).tolist(), abs=1e-5)


def test_the_readers_drawing_takes_our_7s_place_and_gives_it_back(on_stage):
    tab = on_stage("shape-propagation")
    verdict = tab.locator(".stage-readout").first
    assert "reads our 7 as a 0" in verdict.text_content()
    assert tab.get_by_text("use our 7").count() == 0
    drawn = [0] * 784
    drawn[300:400] = [255] * 100
    tab.evaluate("(text) => localStorage.setItem(Drawing.KEY, text)",
                 json.dumps(drawn))
    tab.get_by_text("Reset").click()
    settled(tab)
    pixels = torch.tensor(drawn) / 255
    answer = forward(pixels, *make_params()).argmax().item()
    assert f"your drawing as a {answer};" in verdict.text_content()
    tab.get_by_text("use our 7").click()
    settled(tab)
    assert "reads our 7 as a 0" in verdict.text_content()
    tab.get_by_text("use my drawing").click()
    settled(tab)
    assert "your drawing" in verdict.text_content()


# ------------------------------------------------------------------ anatomy


def test_every_operation_of_a_layer_is_explained(numbers, math_pages):
    explained = numbers("anatomy", "MEANING")
    for layer in math_pages("anatomy").evaluate("LAYERS"):
        for operation in layer["operations"]:
            assert operation["name"] in explained


def opened_layers():
    """The layers and inputs of Chapter 10."""
    torch.manual_seed(0)
    x, hidden = torch.rand(64, 784), torch.rand(64, 128)
    return {
        nn.Linear(784, 128): [x], nn.ReLU(): [hidden],
        nn.Dropout(): [hidden],
        nn.Conv2d(1, 8, 5, stride=2, padding=2):
            [x.reshape(64, 1, 28, 28)],
        nn.BatchNorm1d(128): [hidden],
        nn.MultiheadAttention(28, 4, batch_first=True):
            [x.reshape(64, 28, 28)] * 3,
    }


def test_the_layers_are_those_of_scratch_nn(math_pages, numbers):
    shown = opened_layers()
    listed = math_pages("anatomy").evaluate("LAYERS")
    assert listed == [describe(*pair) for pair in shown.items()]
    for layer, entry in zip(shown, listed, strict=True):
        count = sum(p.numel() for p in layer.parameters())
        assert numbers("anatomy", "kept", entry["parameters"]) == count
        last = [op["output"] for op in entry["operations"]]
        assert entry["output"] in last or any(
            torch.Size(o).numel() == torch.Size(entry["output"]).numel()
            for o in last)


def test_a_walk_through_the_operations(on_stage):
    tab = on_stage("anatomy")
    tab.get_by_label("Conv2d").check(force=True)
    settled(tab)
    assert "208 parameters" in tab.locator(
        ".stage-readout").first.text_content()
    tab.locator(".drag").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowDown")
    settled(tab)
    assert tab.locator(".told").text_content().startswith("5. index_select")
    assert "def conv2d" in tab.locator(".stage-code").text_content()
