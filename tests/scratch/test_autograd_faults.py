"""What scratch.autograd refuses, and what it answers."""

import pytest
import torch

from scratch.autograd import Tensor, no_grad


def test_a_tensor_needs_a_gradient_to_begin_with():
    x = Tensor(torch.ones(2, 3), True)
    with pytest.raises(RuntimeError, match=r"gradient of shape \[2, 3\]"):
        (x * x).backward()
    with pytest.raises(RuntimeError, match=r"gradient of shape \[2, 3\]"):
        (x * x).backward(torch.ones(3))
    with pytest.raises(RuntimeError, match="nothing here requires"):
        Tensor(1.0).backward()
    Tensor([[2.0]], True).exp().backward()       # a single number


@pytest.mark.parametrize("f", [
    lambda x, y: x * y,
    lambda x, y: y.exp(),
    lambda x, y: y ** 3,
    lambda x, y: y.log(),
    lambda x, y: y.relu(),
    lambda x, y: y @ x,
])
def test_a_saved_tensor_that_changed_is_noticed(f):
    x = Tensor(torch.ones(2, 2), True)
    y = x + 1
    out = f(x, y)
    changed = out if f(x, y).grad_fn.saved[0][0] is not y.data and (
        type(out.grad_fn).__name__ == "Exp") else y
    changed.data.add_(1)
    with pytest.raises(RuntimeError, match=r"\[2, 2\].*changed in place"):
        out.sum().backward()


def test_a_backward_that_fails_adds_nothing():
    x = Tensor(torch.ones(3), True)
    y = x * 1
    square = y * y
    last = square + x * 3                        # x * 3 is undone first
    y.data.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        last.sum().backward()
    assert x.grad is None


def test_an_index_that_changed_is_noticed():
    x, index = Tensor(torch.ones(3), True), torch.tensor([0, 1])
    y, z = x[index], x[index,]
    index[0] = 2
    for t in (y, z):
        with pytest.raises(RuntimeError, match=r"Move.*changed in"):
            t.sum().backward()


def test_overwriting_is_refused_while_recording():
    x = Tensor(torch.ones(3), True)
    with pytest.raises(RuntimeError, match="add_.*no_grad"):
        x.add_(1)
    for off in (no_grad, torch.no_grad):
        with off():
            assert x.add_(1, alpha=2) is x
    assert x.tolist() == [5, 5, 5]
    free = Tensor(torch.ones(3))
    with pytest.raises(RuntimeError, match="mul_.*would be lost"):
        free.mul_(x)
    assert free.mul_(2).tolist() == [2, 2, 2]


def test_shapes_that_do_not_fit_are_named():
    a, b = Tensor(torch.ones(2, 3), True), Tensor(torch.ones(4))
    for f in (lambda: a + b, lambda: a * b):
        with pytest.raises(RuntimeError, match=r"\[\[2, 3\], \[4\]\]"):
            f()
    with pytest.raises(RuntimeError, match=r"MatMul of .*\[3\]"):
        a @ torch.ones(3)
    with pytest.raises(RuntimeError, match=r"Move of \[\[2, 3\]\]"):
        a.reshape(4)


def test_kinds_of_numbers_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="int64"):
        Tensor(torch.tensor([1, 2]), True)
    half = Tensor(torch.ones(2), True)
    with pytest.raises(TypeError, match="float32 would become"):
        half * torch.ones(2).double()
    with pytest.raises(TypeError, match="wrap it"):
        half * torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="cumsum"):
        torch.cumsum(half, 0)
    with pytest.raises(TypeError, match="zeros only"):
        torch.nn.functional.pad(half, (1, 1), value=2.0)
    with pytest.raises(TypeError, match="zeros only"):
        torch.nn.functional.pad(half, (1, 1), mode="reflect")


def test_questions_are_answered_with_tensors_of_torch():
    x = Tensor(torch.tensor([1.0, 3.0, 2.0]), True)
    other = torch.tensor([1.0, 2.0, 3.0])
    for name in ("gt", "lt", "ge", "le", "eq", "ne"):
        want = getattr(x.data, name)(other)
        assert torch.equal(getattr(x, name)(other), want)
        assert torch.equal(getattr(torch, name)(x, other), want)
    assert (x > 1).tolist() == [False, True, True]
    assert (x == 1).tolist() == [True, False, False]
    assert (x != other).tolist() == [False, True, True]
    assert (x < other).tolist() == [False, False, True]
    assert (x <= other).tolist() == [True, False, True]
    assert (x >= other).tolist() == [True, True, False]
    assert len(x) == 3 and x.dim() == 1 and x.numel() == 3
    assert x.argmax() == 1 and x.sum().item() == 6
    assert torch.zeros_like(x).tolist() == [0, 0, 0]
    assert type(torch.empty_like(x)) is torch.Tensor
    assert x.device == other.device and "3" in repr(x)
