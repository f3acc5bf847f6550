"""What the backward pass leaves untouched, and what it does not compute."""

import inspect

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from draws import draw, draw_network
from scratch.backward import (
    backward,
    cross_entropy_backward,
    linear_backward,
    relu_backward,
)

# ------------------------------------------------- what it leaves untouched


def test_no_input_is_modified():
    x, targets, params = draw_network(0, 16, 12, 9, 5)
    inputs = [x, targets, *params]
    copies = [t.clone() for t in inputs]
    backward(x, targets, *params)
    z, d = draw(1, (16, 5), (16, 5))
    kept = z.clone(), d.clone()
    cross_entropy_backward(z, targets)
    relu_backward(z, d)
    linear_backward(z, params[2].T, draw(2, (16, 9)))
    for t, copy in zip([*inputs, z, d], [*copies, *kept], strict=True):
        assert torch.equal(t, copy)


def test_no_graph_is_built_for_parameters_that_require_gradients():
    x, targets, params = draw_network(0, 16, 12, 9, 5)
    leaves = [p.requires_grad_() for p in params]
    loss, grads = backward(x, targets, *leaves)
    for t in (loss, *grads):
        assert not t.requires_grad and t.grad_fn is None
    assert all(p.grad is None for p in leaves)
    assert torch.is_grad_enabled()


def test_results_are_the_same_whether_parameters_require_gradients():
    x, targets, params = draw_network(0, 16, 12, 9, 5)
    plain = backward(x, targets, *params)
    leaves = backward(x, targets, *[p.requires_grad_() for p in params])
    assert torch.equal(plain[0], leaves[0])
    for a, b in zip(plain[1], leaves[1], strict=True):
        assert torch.equal(a, b)


def test_it_never_asks_autograd(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("autograd was asked")

    monkeypatch.setattr(torch.autograd, "backward", refuse)
    monkeypatch.setattr(torch.autograd, "grad", refuse)
    x, targets, params = draw_network(0, 16, 12, 9, 5)
    backward(x, targets, *[p.requires_grad_() for p in params])


def test_gradients_have_the_shapes_and_dtypes_of_the_parameters():
    for dtype in (torch.float32, torch.float64):
        x, targets, params = draw_network(0, 16, 12, 9, 5, dtype)
        loss, grads = backward(x, targets, *params)
        assert loss.shape == () and loss.dtype == dtype
        assert isinstance(grads, list)
        for p, grad in zip(params, grads, strict=True):
            assert grad.shape == p.shape and grad.dtype == dtype


# ----------------------------------------------------- what is not computed


class Products(TorchDispatchMode):
    """The shapes of all matrix products that are taken."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.mm.default:
            self.shapes.append(list(result.shape))
        return result


def test_d_x_is_none_and_its_product_not_taken_when_not_needed():
    x, W, d_out = draw(0, (6, 7), (7, 8), (6, 8))
    with Products() as taken:
        d_x, d_W, d_b = linear_backward(x, W, d_out, need_x=False)
    assert d_x is None
    assert taken.shapes == [[7, 8]]
    _, whole_W, whole_b = linear_backward(x, W, d_out)
    assert torch.equal(d_W, whole_W) and torch.equal(d_b, whole_b)


def test_need_x_can_only_be_given_by_name():
    need_x = inspect.signature(linear_backward).parameters["need_x"]
    assert need_x.kind is need_x.KEYWORD_ONLY and need_x.default is True


def test_backward_takes_five_products_and_no_gradient_of_the_pixels():
    x, targets, params = draw_network(0, 64, 784, 128, 10)
    with Products() as taken:
        backward(x, targets, *params)
    assert sorted(taken.shapes) == sorted([
        [64, 128], [64, 10],                    # forward
        [128, 10], [64, 128], [784, 128],       # backward
    ])


def test_multiply_adds_are_those_of_the_chapter_s_table():
    x, targets, params = draw_network(0, 64, 784, 128, 10)
    with FlopCounterMode(display=False) as counter:
        backward(x, targets, *params)
    forth = 64 * (784 * 128 + 128 * 10)
    back = 64 * (784 * 128 + 2 * 128 * 10)
    assert counter.get_total_flops() == 2 * (forth + back)
