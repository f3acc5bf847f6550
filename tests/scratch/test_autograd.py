"""scratch.autograd as a whole, and the book on it."""

import ast
import copy
from pathlib import Path

import pytest
import torch

from scratch import nn
from scratch.autograd import CrossEntropy, Function, Mul, Tensor, no_grad
from scratch.autograd.tape import Context
from scratch.autograd.tensor import adopt
from scratch.backward import backward
from scratch.functional import forward
from scratch.init import make_params
from scratch.optim import SGD, Adam
from two_tapes import drawn


def test_the_module_offers_what_a_program_needs():
    offered = {}
    exec("from scratch.autograd import *", offered)
    assert set(offered) - {"__builtins__"} == {
        "Function", "Tensor", "no_grad",
    }


@pytest.mark.parametrize("module, most", [("function", 200), ("tape", 135),
                                          ("tensor", 320)])
def test_the_engine_stays_short(module, most):
    root = Path(__file__).parents[2]
    path = root / "code" / "scratch" / "autograd" / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= most and max(map(len, lines)) <= 72
    starts = [node.lineno for node in ast.walk(ast.parse(text))
              if isinstance(node, ast.stmt)]
    assert len(starts) == len(set(starts))       # one statement a line


# A function of one's own


def test_a_function_may_be_defined_elsewhere():
    class Cube(Function):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        def backward(ctx, grad):
            return 3 * grad * ctx.saved_tensors[0] ** 2
    x = Tensor(torch.tensor([2.0]), True)
    Cube.apply(x).backward()
    assert x.grad.tolist() == [12]
    assert isinstance(Cube.apply(x).grad_fn, Context)
    assert Cube.method()(x).tolist() == [8]
    assert Mul.apply(x, 3).grad_fn.needs_input_grad == [True, False]
    assert CrossEntropy.__mro__[1] is Function


# It carries the book


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_training_equals_the_hand_written_gradients_bit_for_bit(kind):
    x, = drawn(0, (50, 64, 784), dtype=torch.float32)
    y = torch.randint(10, (50, 64),
                      generator=torch.Generator().manual_seed(1))
    by_hand = [p.detach() for p in make_params(seed=0)]
    ours = [Tensor(p.clone(), True) for p in by_hand]
    first, second = kind(by_hand, 0.05), kind(ours, 0.05)
    for images, targets in zip(x, y, strict=True):
        loss, grads = backward(images, targets, *by_hand)
        for p, g in zip(by_hand, grads, strict=True):
            p.grad = g
        first.step()
        second.zero_grad()
        own = forward(images, *ours).cross_entropy(targets)
        own.backward()
        second.step()
        assert torch.equal(own.data, loss)
    for p, q in zip(ours, by_hand, strict=True):
        assert torch.equal(p.data, q)


LAYERS = {
    "Sequential": (lambda: nn.Sequential(
        nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3, bias=False)), (6, 5)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1),
               (4, 2, 7, 7)),
    "Conv2d, no bias": (lambda: nn.Conv2d(2, 3, (2, 3), bias=False),
                        (2, 2, 5, 5)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(5), (6, 5)),
    "BatchNorm1d, 3": (lambda: nn.BatchNorm1d(5), (6, 5, 2)),
    "Dropout": (lambda: nn.Dropout(0.3), (6, 5)),
    "Dropout, all": (lambda: nn.Dropout(1.0), (6, 5)),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(8, 2, dropout=0.1), (5, 3, 8)),
    "Attention, first": (
        lambda: nn.MultiheadAttention(8, 4, batch_first=True), (5, 3, 8)),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_scratch_nn_run_on_it(name, training):
    make, shape = LAYERS[name]
    torch.manual_seed(0)
    layer = make().to(torch.float64).train(training)
    twin = copy.deepcopy(layer)
    x = torch.randn(shape, dtype=torch.float64)
    a, b = Tensor(x, True), x.clone().requires_grad_()
    params = adopt(layer, Tensor)
    outs = []
    for model, value in ((layer, a), (twin, b)):
        torch.manual_seed(1)
        args = (value,) * (3 if "ttention" in name else 1)
        out = model(*args)
        outs.append(out[0] if isinstance(out, tuple) else out)
        (outs[-1] ** 2).sum().backward()
    assert isinstance(outs[0], Tensor)
    assert torch.allclose(outs[0].data, outs[1], rtol=0, atol=1e-12)
    pairs = [(a, b), *zip(params, twin.parameters(), strict=True)]
    for p, q in pairs:
        assert torch.allclose(p.grad, q.grad, rtol=0, atol=1e-11)
    for name, t in twin.named_tensors():         # running statistics
        if not t.requires_grad:
            mine = dict(layer.named_tensors())[name]
            assert torch.allclose(mine, t, rtol=0, atol=1e-12)


def test_adopt_shares_memory_and_keeps_shared_parameters_shared():
    layer = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    layer[1].weight = layer[0].weight
    state = layer.state_dict()
    params = adopt(layer, Tensor)
    assert len(params) == 3 and layer[0].weight is layer[1].weight
    assert all(p.requires_grad for p in params)
    with no_grad():
        params[0].zero_()
    assert not state["0.weight"].any()
