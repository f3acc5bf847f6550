"""What the engine accepts it does as torch does, and the rest it refuses."""

import gc
import weakref

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from scratch.autograd import Function, Tensor, no_grad


def leaf(*numbers, dtype=torch.float32):
    return Tensor(torch.tensor(numbers, dtype=dtype), True)


@pytest.mark.parametrize("write", [
    lambda free, x: free.add_(x), lambda free, x: free.add_(other=x),
    lambda free, x: free.copy_(x), lambda free, x: free.mul_(x * 2),
    lambda free, x: free.addcdiv_(x, x), lambda free, x: free.__iadd__(x),
    lambda free, x: free.add_(torch.ones(2, requires_grad=True) * 1),
])
def test_a_gradient_is_not_lost_by_writing(write):
    free, x = Tensor(torch.ones(2)), leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="would be lost"):
        write(free, x)
    with no_grad():
        write(free, x)


def test_in_place_arithmetic_is_in_place_or_refused():
    x, free = leaf(1.0, 2.0), Tensor(torch.ones(2))
    alias = free
    free += 2
    assert alias is free and alias.tolist() == [3, 3]
    for act in ("__iadd__", "__isub__", "__imul__", "__itruediv__"):
        with pytest.raises(RuntimeError, match="would be lost"):
            getattr(x, act)(1)


def test_an_index_that_max_gave_out_is_guarded():
    x = leaf(1.0, 3.0, 2.0)
    best, at = x.max(0)
    at.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        best.backward()


def test_an_array_of_floats_is_no_index():
    with pytest.raises(TypeError, match="whole numbers or bools"):
        leaf(1.0, 2.0)[np.array([1.0, 0.0])]


def test_a_list_that_indexed_may_change():
    x, index, amounts = leaf(1.0, 2.0, 3.0), [0, 1], [1, 0]
    y, z = x[index], x[:, None][index, index[:1] * 2]
    wide = F.pad(x, amounts)
    index[0], amounts[0] = 2, 0
    (y.sum() + z.sum() + wide.sum()).backward()
    assert x.grad.tolist() == [3, 3, 1]


class Half(Function):
    """Of two arguments one gets a gradient."""
    def forward(ctx, a, b):
        return a * b

    def backward(ctx, grad):
        return grad


class Wide(Function):
    def forward(ctx, a):
        return a * 1

    def backward(ctx, grad):
        return grad.double()


class Listed(Function):
    def forward(ctx, a):
        ctx.save_for_backward([a])
        return a * 1


class Many(Function):
    def forward(ctx, a):
        return a, a


class None_(Function):
    def forward(ctx, a):
        return a * 1

    def backward(ctx, grad):
        return None


def test_a_function_that_forgets_is_named():
    a, b = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match="Half.* 1 gradients for 2"):
        Half.apply(a, b).backward()
    with pytest.raises(TypeError, match="Wide.*float64, not torch.float32"):
        Wide.apply(a).backward()
    with pytest.raises(TypeError, match="a list cannot be guarded"):
        Listed.apply(a)
    with pytest.raises(TypeError, match="Many.*tuple, not one tensor"):
        Many.apply(a)
    assert a.grad is None
    (None_.apply(a * 2) + a).sum().backward()
    assert a.grad.item() == 1


@pytest.mark.parametrize("f", [
    lambda x: x / x, lambda x: (x / 2e-5).sum(), lambda x: 3e-5 - x,
    lambda x: x.mean(), lambda x: x.sqrt(),
])
def test_small_and_large_numbers_of_half_precision(f):
    for numbers in ([1e-5, 2e-5], [100.0] * 1000):
        x = torch.tensor(numbers, dtype=torch.float16)
        assert torch.allclose(f(Tensor(x, True)).data, f(x), rtol=1e-3)


def test_clamp_leaves_small_numbers_what_they_are():
    x = leaf(1e-3, -2e8, 5.0)
    y = x.clamp(min=-1e8)
    assert y.tolist() == torch.tensor([1e-3, -1e8, 5.0]).tolist()
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 1]


def test_a_gradient_must_fit():
    x = leaf(1.0, 2.0)
    y = x * 2
    for wrong in (torch.ones(2).double(), torch.ones(3), [1.0, 1.0], 1.0,
                  Tensor(torch.ones(2))):
        with pytest.raises(RuntimeError, match=r"gradient of shape \[2\]"):
            y.backward(wrong)
        with pytest.raises(TypeError, match="gradient must be a tensor"):
            x.grad = wrong
    assert x.grad is None


def test_a_tensor_is_true_as_torch_s_is():
    assert not Tensor([0.0]) and Tensor([2.0])
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(Tensor([1.0, 0.0]))
    with pytest.raises(TypeError, match="0-d"):
        list(Tensor(1.0))
    assert 2.0 in Tensor([1.0, 2.0])


def test_kept_gradients_add_up_as_torch_s_do():
    found = []
    for x in (leaf(1.0, 2.0), torch.tensor([1.0, 2.0], requires_grad=True)):
        y = x * 2
        y.retain_grad()
        z = (y * y).sum()
        for _ in range(2):
            z.backward(retain_graph=True)
        found.append((y.grad.tolist(), x.grad.tolist()))
    assert found[0] == found[1]
    with pytest.raises(RuntimeError, match="nothing here requires"):
        Tensor([1.0]).retain_grad()


def test_a_tape_goes_with_its_result():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = x * 2
        y.retain_grad()
        tape = weakref.ref(y.grad_fn)
        del y
        assert tape() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("act", [
    lambda x: torch.max(x, x), lambda x: x.max(torch.ones(2)),
    lambda x: x[Tensor([0.0])], lambda x: x ** x, lambda x: x ** 1j,
    lambda x: x ** False,
    lambda x: x.max(keepdim=True), lambda x: x.softmax(None),
    lambda x: x.softmax((0,)), lambda x: x.T, lambda x: x.index_select(1, 0),
    lambda x: x.permute(1), lambda x: x.chunk(-2), lambda x: x.chunk(0),
    lambda x: Tensor(x), lambda x: torch.add(input=x, other=1),
    lambda x: torch.index_select(torch.ones(2), 0, x),
    lambda x: torch.ones(2, requires_grad=True) * x,
    lambda x: torch.addmm(x, torch.ones(2, 2, 2), torch.ones(2, 2, 2)),
])
def test_what_torch_does_otherwise_is_refused(act):
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError)) as e:
        act(leaf(1.0, 2.0))
    assert not isinstance(e.value, RecursionError) and str(e.value)


def test_a_recorded_tensor_of_torch_is_not_cut_off():
    p = torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="detach"):
        Tensor(p * 2)
    with pytest.raises(RuntimeError, match="only a leaf"):
        (leaf(1.0) * 2).requires_grad = False


def test_a_generator_is_not_decorated():
    with pytest.raises(TypeError, match="inside the generator"):
        @no_grad()
        def numbers():
            yield 1


def test_whole_numbers_subtract_as_they_are():
    x = leaf(5.0, 5.0)
    for y in (torch.tensor([1, 2]), torch.tensor([1, 2]).byte()):
        assert (x - y).tolist() == [4, 3]
