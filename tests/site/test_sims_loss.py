"""The simulation of the loss computes what `scratch` computes."""

import pytest
import torch

from scratch.data import load_mnist
from scratch.functional import cross_entropy, forward, softmax
from scratch.init import make_params
from stage import settled

LOGITS = [0.5687, 0.0570, 0.3109, -0.0212, 0.3148, -0.4427, -0.5048,
          0.0492, 0.2150, -0.5722]


def explored(numbers, logits, target, *, shift=True, double=False):
    """What the simulation finds, in float32 or in float64."""
    if not double:
        return numbers("cross-entropy", "crossEntropy", logits, target,
                       {"shift": shift})
    return numbers("cross-entropy", "inFloat64", logits, target)


def by_scratch(logits, target, dtype):
    z = torch.tensor([logits], dtype=dtype, requires_grad=True)
    t = torch.tensor([target])
    loss = cross_entropy(z, t)
    [d_z] = torch.autograd.grad(loss, z)
    squared = (1 - softmax(z)[0, target]) ** 2
    [d_squared] = torch.autograd.grad(squared, z)
    return {
        "probs": softmax(z)[0].tolist(), "loss": loss.item(),
        "gradient": d_z[0].tolist(), "squared": squared.item(),
        "squaredGradient": d_squared[0].tolist(),
    }


@pytest.mark.parametrize("seed", range(5))
def test_cross_entropy_equals_scratch(numbers, seed):
    g = torch.Generator().manual_seed(seed)
    logits = (5 * torch.randn(10, generator=g)).tolist()
    for dtype, rel in ((torch.float64, 1e-9), (torch.float32, 2e-5)):
        ours = explored(numbers, logits, seed,
                        double=dtype is torch.float64)
        for name, value in by_scratch(logits, seed, dtype).items():
            assert ours[name] == pytest.approx(value, rel=rel, abs=1e-7), name


def naive(logits):
    e = torch.tensor([logits]).exp()
    return e[0], (e / e.sum(1, keepdim=True))[0]


def test_exponentials_overflow_at_the_logit_where_float32_does(numbers):
    low, high = torch.tensor(80.0), torch.tensor(100.0)
    while torch.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (low, middle) if middle.exp().isinf() else (middle, high)
    for edge, finite in ((low, True), (high, False)):
        found = explored(numbers, [edge.item()] + [0.0] * 9, 0, shift=False)
        assert (found["exps"][0] != float("inf")) == finite


@pytest.mark.parametrize("added", [0, 60, 85.6, 86, 87, 88, 90, 120])
def test_without_the_shift_the_same_places_are_lost(numbers, added):
    logits = [z + added for z in LOGITS]
    e, p = naive(logits)
    found = explored(numbers, logits, 7, shift=False)
    assert found["exps"] == pytest.approx(e.tolist(), rel=1e-6)
    assert found["probs"] == pytest.approx(p.tolist(), rel=1e-5, nan_ok=True)
    assert found["loss"] == pytest.approx(
        -p[7].log().item(), rel=1e-4, nan_ok=True)


def test_with_the_shift_nothing_is_lost(numbers):
    plain = explored(numbers, LOGITS, 7)
    for added in (60, 88, 120):
        found = explored(numbers, [z + added for z in LOGITS], 7)
        assert found["loss"] == pytest.approx(plain["loss"], abs=2e-5)


def test_a_picture_has_the_untrained_networks_logits(numbers):
    X, _ = load_mnist(split="test")
    params = [p.detach().double() for p in make_params(seed=0)]
    wanted = forward(X[:2].double(), *params)
    for image, logits in zip(X[:2], wanted, strict=True):
        found = numbers("cross-entropy", "logitsOf", image.tolist())
        assert found == pytest.approx(logits.tolist(), abs=1e-5)
    assert wanted[0].tolist() == pytest.approx(LOGITS, abs=6e-5)


def test_the_bars_begin_as_in_the_still(numbers, on_stage):
    tab = on_stage("cross-entropy")
    assert tab.evaluate(
        "scratchSims['cross-entropy'].math.START") == LOGITS
    loss = by_scratch(LOGITS, 7, torch.float32)["loss"]
    assert f"= {loss:.2f}" in tab.locator(".stage svg").text_content()


def test_raising_all_logits_loses_them_without_the_shift(on_stage):
    tab = on_stage("cross-entropy")
    slider = tab.get_by_label("add to every logit")
    slider.fill("90")
    settled(tab)
    assert "nan" not in tab.locator(".stage svg").text_content()
    tab.get_by_label("subtract the largest logit first").uncheck()
    settled(tab)
    assert "nan" in tab.locator(".stage svg").text_content()
    assert "beyond float32" in tab.locator(".stage-readout").text_content()
