"""The tape of scratch.autograd: its order, what it keeps and frees."""

import gc
import weakref

import pytest
import torch

from scratch.autograd import Tensor, no_grad
from scratch.autograd.tape import behind, run


@pytest.mark.parametrize("depth", [10_000, 30_000])
def test_chains_may_be_deep(depth):
    leaf = Tensor(torch.ones(2, dtype=torch.float64), True)
    x = leaf
    for _ in range(depth):
        x = x + leaf
    x.sum().backward()
    assert leaf.grad.tolist() == [depth + 1] * 2
    for _ in range(depth):
        leaf = leaf + 1
    del leaf                                     # without a crash


def test_each_operation_comes_before_those_it_used():
    x = Tensor(torch.tensor(2.0), True)
    y = x * x
    z = y * 3 + y
    order = behind(z.grad_fn)
    assert [type(n).__name__ for n in order] == ["Add", "Mul", "Mul"]
    assert [n.number for n in order] == sorted(
        (n.number for n in order), reverse=True)
    z.backward()
    assert x.grad == 16


def test_another_order_gives_another_gradient():
    x = Tensor(torch.tensor(2.0), True)
    y = x * x
    z = y * 3 + y
    last, thrice, square = behind(z.grad_fn)
    grads = {last: torch.tensor(1.0)}
    run([last, square, thrice], grads, retain_graph=True)
    assert grads == {x: 4, square: 3}            # 3 came too late
    grads = {last: torch.tensor(1.0)}
    run([last, thrice, square], grads, retain_graph=True)
    assert grads == {x: 16}


def test_gradients_add_up_over_calls_and_uses():
    x = Tensor(torch.tensor([1.0, 2.0]), True)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5, 7]


def test_leaves_do_not_share_a_gradient():
    a, b = (Tensor(torch.ones(2), True) for _ in range(2))
    seed = torch.ones(2)
    (a + b).backward(seed)
    a.grad.add_(1)
    assert b.grad.tolist() == [1, 1] and seed.tolist() == [1, 1]
    c = Tensor(torch.ones(2), True)
    c.sum().backward()
    c.grad[0] = 5                                # not an expanded view
    assert c.grad.tolist() == [5, 1]


def test_a_leaf_has_a_backward_too():
    x = Tensor(torch.tensor(2.0), True)
    x.backward()
    x.backward(torch.tensor(3.0))
    assert x.grad == 4 and x.is_leaf


def test_retain_graph_keeps_the_tape():
    x = Tensor(torch.tensor(3.0), True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 12
    with pytest.raises(RuntimeError, match="freed.*retain_graph"):
        y.backward()


def test_a_graph_that_shares_a_freed_part_is_refused_at_once():
    x = Tensor(torch.tensor(3.0), True)
    y = x * x
    (y + 1).backward()
    with pytest.raises(RuntimeError, match="freed"):
        (x + y * 2).backward()
    assert x.grad == 6                           # nothing was added


def test_retain_grad_keeps_that_of_a_value_in_between():
    x = Tensor(torch.tensor(3.0), True)
    y = x * x
    y.retain_grad()
    x.retain_grad()
    (y * 5).backward()
    assert y.grad == 5 and x.grad == 30
    assert not y.is_leaf


def test_without_retain_grad_nothing_is_kept_in_between():
    x = Tensor(torch.tensor(3.0), True)
    y = x * x
    (y * 5).backward()
    assert y.grad is None


@pytest.mark.parametrize("off", [no_grad, torch.no_grad])
def test_nothing_is_recorded_without_grad(off):
    x = Tensor(torch.tensor(3.0), True)
    with off():
        y = x * x
        with off():
            pass
        z = x * 2
    assert not y.requires_grad and not z.requires_grad
    assert y.grad_fn is None and (x * x).requires_grad

    @off()
    def inside():
        return x * x
    assert not inside().requires_grad


def test_no_grad_ends_with_an_error_inside():
    x = Tensor(torch.tensor(3.0), True)
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * x).requires_grad


def test_detach_shares_numbers_and_no_past():
    x = Tensor(torch.tensor([3.0]), True)
    y = (x * x).detach()
    assert not y.requires_grad and y.is_leaf and y.tolist() == [9]
    (x * y).sum().backward()
    assert x.grad.tolist() == [9]
    z = x.detach()
    z.add_(1)
    assert x.tolist() == [4]


def test_memory_is_freed_by_backward():
    x = Tensor(torch.ones(10), True)
    y = x * x
    z = y.exp()
    node = y.grad_fn
    factor = weakref.ref(node.saved[0][0])
    held = weakref.ref(z.grad_fn.saved[0][0])
    loss = z.sum()
    del y, z
    gc.collect()
    assert held() is not None
    loss.backward()
    assert held() is None and node.inputs is None and node.saved == ()
    assert factor() is x.data                    # a leaf's own


def test_memory_is_freed_with_the_loss_without_a_collector():
    x = Tensor(torch.ones(10), True)
    y = (x * x).exp()
    node, numbers = weakref.ref(y.grad_fn), weakref.ref(y.data)
    gc.disable()
    try:
        del y
        assert node() is None and numbers() is None
    finally:
        gc.enable()


def test_backward_releases_a_cycle_that_retain_grad_made():
    x = Tensor(torch.ones(10), True)
    y = x * x
    y.retain_grad()
    y.sum().backward()
    seen = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert seen() is None
    finally:
        gc.enable()
