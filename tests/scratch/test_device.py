"""What is made along the way is made where the arguments are.

Under another default device whatever forgets to say its own shows at once.
"""

import pytest
import torch

from scratch import nn
from scratch.backward import backward, cross_entropy_backward
from scratch.functional import cross_entropy
from scratch.init import make_params
from scratch.nn import BatchNorm1d, conv2d
from scratch.timing import TensorAdam, pieces


@pytest.fixture
def elsewhere():
    """Tensors, drawn while the default device is still the CPU."""
    torch.manual_seed(0)
    drawn = {
        "x": torch.randn(4, 5), "t": torch.tensor([0, 1, 2, 0]),
        "params": [p.detach() for p in make_params((5, 6, 3), seed=0)],
        "images": torch.randn(2, 1, 5, 5), "kernel": torch.randn(1, 1, 3, 3),
    }
    with torch.device("meta"):
        yield drawn


def test_losses_and_gradients(elsewhere):
    x, t, params = (elsewhere[name] for name in ("x", "t", "params"))
    assert cross_entropy(x, t).device.type == "cpu"
    assert cross_entropy_backward(x, t).device.type == "cpu"
    loss, grads = backward(x, t % 3, *params)
    assert {g.device.type for g in (loss, *grads)} == {"cpu"}


def test_layers(elsewhere):
    made = conv2d(elsewhere["images"], elsewhere["kernel"])
    assert made.device.type == "cpu"
    norm = BatchNorm1d(5, device="cpu")
    assert {b.device.type for b in norm.state_dict().values()} == {"cpu"}
    assert nn.Linear(5, 2, device="cpu").weight.device.type == "cpu"


def test_the_timed_loop(elsewhere):
    (batch,) = pieces(128, 1, 128, "cpu")
    assert batch.device.type == "cpu"
    assert TensorAdam(elsewhere["params"]).t.device.type == "cpu"
