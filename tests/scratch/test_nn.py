"""What holds for every layer of scratch.nn."""

import pytest
import torch
from torch import nn

from draws import draw
from scratch.nn import (
    BatchNorm1d,
    Conv2d,
    Dropout,
    Linear,
    Module,
    MultiheadAttention,
    ReLU,
    Sequential,
)


@pytest.mark.parametrize("make", [
    lambda **kind: Linear(3, 2, **kind),
    lambda **kind: Conv2d(3, 2, 2, **kind),
    lambda **kind: BatchNorm1d(3, **kind),
    lambda **kind: MultiheadAttention(4, 2, **kind),
])
def test_layers_are_born_where_and_how_they_are_asked(make):
    layer = make(device="meta", dtype=torch.float64)
    for _, t in layer.named_tensors():
        assert t.is_meta
        assert t.dtype == torch.float64 or t.dtype == torch.int64
    assert all(not t.is_meta for _, t in make().named_tensors())


def test_dropout_and_attention_have_torch_s_defaults():
    assert Dropout().p == nn.Dropout().p
    assert MultiheadAttention(4, 2).dropout.p == (
        nn.MultiheadAttention(4, 2).dropout)


@pytest.mark.parametrize("layer, shapes", [
    (Linear(3, 2), [(4, 3)]),
    (Linear(3, 2, bias=False), [(2, 2, 3)]),
    (Conv2d(2, 3, (2, 3), (2, 1), (1, 0)), [(2, 2, 4, 5)]),
    (Conv2d(1, 2, 2, bias=False), [(1, 1, 3, 3)]),
    (BatchNorm1d(3), [(4, 3)]),
    (BatchNorm1d(2), [(2, 2, 3)]),
    (BatchNorm1d(3).eval(), [(2, 3)]),
    (MultiheadAttention(4, 2), [(3, 2, 4), (2, 2, 4), (2, 2, 4)]),
    (Sequential(Linear(3, 4), ReLU(), Linear(4, 2)), [(2, 3)]),
], ids=lambda v: type(v).__name__ if isinstance(v, Module) else "")
def test_gradients_agree_with_differences(layer, shapes):
    layer.to(torch.float64)
    for t in layer.parameters():
        t.data.copy_(draw(t.numel(), t.shape, dtype=t.dtype))
    inputs = [draw(i, shape, dtype=torch.float64).requires_grad_()
              for i, shape in enumerate(shapes)]
    names = [name for name, _ in layer.named_parameters()]
    spots = dict(layer.named_modules())

    def act(*values):
        for name, value in zip(names, values[len(inputs):], strict=True):
            path, _, last = name.rpartition(".")
            vars(spots[path])[last] = value
        out = layer(*values[:len(inputs)])
        return out[0] if isinstance(out, tuple) else out

    leaves = [p.detach().clone().requires_grad_()
              for p in layer.parameters()]
    assert torch.autograd.gradcheck(act, [*inputs, *leaves])
