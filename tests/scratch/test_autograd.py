"""scratch.autograd beside torch.autograd and finite differences."""

import ast
import copy
import gc
import random
import weakref
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch import nn
from scratch.autograd import (
    CrossEntropy,
    Function,
    MatMul,
    Mul,
    Tensor,
    no_grad,
)
from scratch.autograd.tape import Context, behind, run
from scratch.autograd.tensor import adopt
from scratch.backward import backward
from scratch.functional import cross_entropy, forward
from scratch.init import make_params
from scratch.optim import SGD, Adam

some = settings(max_examples=40)
few = settings(max_examples=15)
seeds = st.integers(0, 2**31)
dtypes = st.sampled_from([torch.float32, torch.float64])


def drawn(seed, *shapes, dtype=torch.float64, low=None):
    """Random tensors; numbers of at least low, if that is given."""
    g = torch.Generator().manual_seed(seed)
    made = [torch.randn(s, generator=g, dtype=torch.float64)
            for s in shapes]
    if low is not None:
        made = [t.abs() + low for t in made]
    return [t.to(dtype) for t in made]


def gradients(f, numbers):
    """(out, gradients) on our tape, and the same on torch's."""
    ours = [Tensor(t, requires_grad=True) for t in numbers]
    theirs = [t.clone().requires_grad_() for t in numbers]
    a, b = f(*ours), f(*theirs)
    weights = torch.linspace(1, 2, max(b.numel(), 1), dtype=b.dtype)
    weights = weights[:b.numel()].reshape(b.shape)
    a.backward(weights)
    b.backward(weights)
    return ((a.data, [t.grad for t in ours]),
            (b.detach(), [t.grad for t in theirs]))


def assert_agree(f, numbers, size=None):
    ours, theirs = gradients(f, numbers)
    eps = torch.finfo(numbers[0].dtype).eps
    for p, q in zip([ours[0], *ours[1]], [theirs[0], *theirs[1]],
                    strict=True):
        if q is None:
            q = torch.zeros_like(p)
        assert p.shape == q.shape and p.dtype == q.dtype
        limit = 4000 * eps * max(1.0, q.abs().max().item() if q.numel()
                                 else 1.0)
        assert (p - q).abs().le(limit).all(), (p, q)


def assert_slopes(f, numbers):
    """Against (f(x + h) - f(x - h)) / 2h, one number at a time."""
    (_, ours), _ = gradients(f, numbers)
    h = 1e-6
    for i, (t, grad) in enumerate(zip(numbers, ours, strict=True)):
        for j in range(min(t.numel(), 4)):
            ends = []
            for step in (h, -h):
                moved = [n.clone() for n in numbers]
                moved[i].view(-1)[j] += step
                out = f(*moved)
                weights = torch.linspace(1, 2, out.numel(),
                                         dtype=out.dtype)
                ends.append((out.flatten() * weights).sum())
            slope = (ends[0] - ends[1]) / (2 * h)
            assert abs(slope - grad.reshape(-1)[j]) < 1e-5 * max(
                1, abs(slope))


@st.composite
def broadcasting(draw):
    """Two shapes that broadcast, of up to three sides."""
    full = draw(st.lists(st.integers(1, 4), max_size=3))

    def less():
        kept = [n if draw(st.booleans()) else 1 for n in full]
        return tuple(kept[draw(st.integers(0, len(full))):])
    return less(), less()


PAIRS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a ** b,
}


@pytest.mark.parametrize("name", PAIRS)
@some
@given(shapes=broadcasting(), seed=seeds, dtype=dtypes)
def test_pairs_broadcast_as_torch(name, shapes, seed, dtype):
    assert_agree(PAIRS[name], drawn(seed, *shapes, dtype=dtype, low=0.3))


@pytest.mark.parametrize("name", PAIRS)
@few
@given(shapes=broadcasting(), seed=seeds)
def test_pairs_have_the_slopes_of_differences(name, shapes, seed):
    assert_slopes(PAIRS[name], drawn(seed, *shapes, low=0.3))


@pytest.mark.parametrize("name", PAIRS)
@few
@given(shapes=broadcasting(), seed=seeds)
def test_a_torch_tensor_may_stand_on_either_side(name, shapes, seed):
    a, b = drawn(seed, *shapes, low=0.3)
    f = PAIRS[name]
    if name != "pow":                            # base on the tape
        assert_agree(lambda t: f(a, t), [b])
    assert_agree(lambda t: f(t, b), [a])


SINGLE = {
    "exp": lambda x: x.exp(),
    "log": lambda x: (x * x + 0.1).log(),
    "sqrt": lambda x: (x * x + 0.1).sqrt(),
    "relu": lambda x: x.relu(),
    "clamp": lambda x: torch.clamp(x, min=0.25),
    "clamp at 0": lambda x: torch.clamp(x, min=0),
    "neg": lambda x: -x,
    "square": lambda x: x ** 2,
    "cube": lambda x: x ** 3,
    "power 0": lambda x: x ** 0,
    "reciprocal": lambda x: 1 / (x * x + 1),
    "divided": lambda x: 3 / (x * x + 1),
    "numbers": lambda x: 3 - 2 * x / 4 + 1 - (x - 5),
    "masked": lambda x: x * (x > 0),
    "sum": lambda x: x.sum(),
    "mean": lambda x: x.mean(),
    "max": lambda x: x.max(),
    "reshape": lambda x: (x * x).reshape(-1),
    "softmax": lambda x: x.reshape(-1, 1, 1).softmax(0),
    "twice": lambda x: x * x + x,
    "None": lambda x: x[None] * 2,
    "torch.exp": lambda x: torch.exp(x),
}


@pytest.mark.parametrize("name", SINGLE)
@few
@given(shape=st.lists(st.integers(1, 4), max_size=3), seed=seeds,
       dtype=dtypes)
def test_single_operations_agree_with_torch(name, shape, seed, dtype):
    assert_agree(SINGLE[name], drawn(seed, shape, dtype=dtype))


@pytest.mark.parametrize("name", SINGLE)
def test_single_operations_have_the_slopes_of_differences(name):
    assert_slopes(SINGLE[name], drawn(3, (2, 3)))


INDEX = torch.tensor([2, 0, 2, 1])
MATRIX = {
    "T": lambda x: x.T * 2,
    "permute": lambda x: x.reshape(3, 2, 2).permute(2, 0, 1) * 2,
    "permute back": lambda x: x.reshape(3, 2, 2).permute(-1, 0, -2) * 2,
    "transpose": lambda x: x.reshape(3, 2, 2).transpose(-1, 0) ** 2,
    "flatten": lambda x: (x * x).flatten(),
    "flatten some": lambda x: x.reshape(3, 2, 2).flatten(1, 2) * x,
    "unflatten": lambda x: x.unflatten(1, (2, -1)) ** 2,
    "squeeze": lambda x: x.reshape(3, 1, 4).squeeze(1) * x,
    "rows": lambda x: x[INDEX],
    "pairs": lambda x: x[INDEX, INDEX],
    "columns": lambda x: x[:, INDEX],
    "slice": lambda x: x[1:, ::2],
    "one": lambda x: x[1, 2],
    "chosen": lambda x: x[torch.tensor([True, False, True])],
    "index_select": lambda x: x.index_select(1, INDEX),
    "index_select last": lambda x: x.index_select(-1, INDEX),
    "chunk": lambda x: x.chunk(2)[0] * x.chunk(2)[1].sum(),
    "pad": lambda x: torch.nn.functional.pad(x, (1, 2, 0, 1)) ** 2,
    "sum 0": lambda x: x.sum(0),
    "sum -1": lambda x: x.sum(-1, keepdim=True) * x,
    "sum both": lambda x: x.sum((0, 1)),
    "mean 1": lambda x: x.mean(1),
    "mean kept": lambda x: x - x.mean(0, keepdim=True) * 2,
    "max 0": lambda x: x.max(0).values,
    "max kept": lambda x: x - 2 * x.max(1, keepdim=True).values,
    "softmax 0": lambda x: x.softmax(0),
    "softmax": lambda x: x.softmax(-1),
    "cross-entropy": lambda x: cross_entropy(x, torch.tensor([0, 3, 1])),
    "addmm": lambda x: torch.addmm(x[0, :3], x, x.T),
}


@pytest.mark.parametrize("name", MATRIX)
@few
@given(seed=seeds, dtype=dtypes)
def test_operations_on_a_matrix_agree_with_torch(name, seed, dtype):
    assert_agree(MATRIX[name], drawn(seed, (3, 4), dtype=dtype))


@pytest.mark.parametrize("name", MATRIX)
def test_operations_on_a_matrix_have_the_slopes_of_differences(name):
    assert_slopes(MATRIX[name], drawn(5, (3, 4)))


@some
@given(batch=broadcasting(), n=st.integers(1, 4), m=st.integers(1, 4),
       k=st.integers(1, 4), seed=seeds, dtype=dtypes)
def test_products_of_matrices_broadcast(batch, n, m, k, seed, dtype):
    shapes = (*batch[0], n, m), (*batch[1], m, k)
    a, b = drawn(seed, *shapes, dtype=dtype)
    assert_agree(lambda a, b: a @ b, [a, b])
    assert_agree(lambda b: a @ b, [b])           # torch's on the left
    assert_agree(lambda a: a @ b, [a])


def test_a_softmax_of_large_numbers_is_finite():
    x = torch.tensor([[1000.0, 1001.0, -1000.0]])
    assert torch.equal(Tensor(x).softmax(1).data, x.softmax(1))


def test_an_index_goes_back_on_the_device_of_the_numbers():
    x = Tensor(torch.zeros(3, 2, device="meta"), requires_grad=True)
    x[1].sum().backward()
    assert x.grad.device.type == "meta"


def test_the_module_offers_what_a_program_needs():
    offered = {}
    exec("from scratch.autograd import *", offered)
    assert set(offered) - {"__builtins__"} == {
        "Function", "Tensor", "no_grad",
    }


def test_a_product_takes_only_the_gradients_that_are_wanted():
    seen = []

    class Spy(MatMul):
        def backward(ctx, grad):
            seen.append(MatMul.backward(ctx, grad))
            return seen[-1]
    a, b = drawn(0, (2, 3), (3, 4))
    Spy.apply(a, Tensor(b, True)).sum().backward()
    Spy.apply(Tensor(a, True), b).sum().backward()
    assert [[p is None for p in parts] for parts in seen] == [
        [True, False], [False, True]]


def test_ties_share_evenly_unless_along_a_dimension():
    x = torch.tensor([[3.0, 3.0], [1.0, 3.0]])
    for f in (lambda t: t.max(), lambda t: t.max(1).values.sum(),
              lambda t: t.max(0).values.sum()):
        (_, ours), (_, theirs) = gradients(f, [x])
        assert torch.equal(ours[0], theirs[0])
    t = Tensor(x, True)
    t.max().backward()
    assert torch.equal(t.grad, torch.tensor([[1, 1], [0, 1]]) / 3)
    assert t.max(1).indices.tolist() == x.max(1).indices.tolist()
    assert t.max(1, keepdim=True).indices.shape == (2, 1)


def test_relu_has_no_slope_at_zero():
    t = Tensor(torch.tensor([-1.0, 0.0, 2.0]), True)
    t.relu().sum().backward()
    assert t.grad.tolist() == [0, 0, 1]


def test_cross_entropy_is_chapter_threes():
    logits, = drawn(0, (5, 4), dtype=torch.float32)
    targets = torch.tensor([0, 1, 2, 3, 0])
    a, b = Tensor(logits, True), logits.clone().requires_grad_()
    loss = a.cross_entropy(targets) * 3
    (cross_entropy(b, targets) * 3).backward()
    loss.backward()
    assert torch.allclose(a.grad, b.grad)
    assert torch.allclose(
        loss.data, 3 * torch.nn.functional.cross_entropy(logits, targets))


# Random graphs

KINDS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / (b * b + 1),
    "x": lambda a, b: (-(a * a)).exp(),
    "r": lambda a, b: a.relu(),
    "l": lambda a, b: (a * a + 1).log(),
    "s": lambda a, b: a.softmax(-1) + b,
    "m": lambda a, b: a - b.mean(0, keepdim=True),
    "i": lambda a, b: a[INDEX[:3] % len(a)] * 0.5,
    "T": lambda a, b: a @ b.T @ b,
    "X": lambda a, b: a - b.max(1, keepdim=True).values,
    "p": lambda a, b: (b * b + 1) ** 0.5,
    "c": lambda a, b: a.reshape(-1).reshape(a.shape) + b,
}


def smooth(kind, a, b):
    """Whether this operation is far from its kink on these numbers.

    At a kink the gradient jumps, and rounding decides to which side:
    the mean of three equal rows may differ from them by rounding, ours
    and torch's not in the same way, and then the largest of what is
    left of a row after that mean is another one for us than for torch.
    """
    far = 1e-6                                   # rounding is 1e-16
    if kind == "r":
        return (a.abs() > far).all()
    if kind == "X":
        first, second = b.topk(2, 1).values.unbind(1)
        return (first - second > far).all()
    return True


def random_graph(seed, operations, numbers):
    """A function of leaves with those numbers: so many operations on
    values that are picked among all those made so far. With its plan."""
    r, values, plan = random.Random(seed), list(numbers), []
    while len(plan) < operations:
        kind, i, j = (r.choice(list(KINDS)), r.randrange(len(values)),
                      r.randrange(len(values)))
        if smooth(kind, values[i], values[j]):
            plan.append((kind, i, j))
            values.append(tame(KINDS[kind](values[i], values[j])))

    def f(*leaves):
        values = list(leaves)
        for kind, i, j in plan:
            values.append(tame(KINDS[kind](values[i], values[j])))
        return sum(v.sum() for v in values[-3:])
    return f, plan


def tame(v):
    """Bring a value back into a moderate range."""
    return v / (v * v + 1) ** 0.5


def compare_graph(seed, operations):
    """The largest difference of a gradient, and what was done."""
    numbers = drawn(seed, (3, 3), (1, 3), (3, 1))
    numbers = [n.expand(3, 3).clone() for n in numbers]
    f, plan = random_graph(seed, operations, numbers)
    ours, theirs = gradients(f, numbers)
    worst = 0.0
    for p, q in zip(ours[1], theirs[1], strict=True):
        p = torch.zeros(3, 3).double() if p is None else p
        q = torch.zeros(3, 3).double() if q is None else q
        size = max(1.0, q.abs().max().item())
        worst = max(worst, (p - q).abs().max().item() / size)
    return worst, {kind for kind, _, _ in plan}


@pytest.mark.parametrize("graphs", [
    150, pytest.param(3000, marks=pytest.mark.slow),
])
def test_gradients_of_random_graphs_equal_torchs(graphs):
    used = Counter()
    for seed in range(graphs):
        operations = 200 if seed % 50 == 49 else 1 + seed % 14
        worst, kinds = compare_graph(seed, operations)
        assert worst < 1e-12, seed
        used.update(kinds)
    assert used.keys() == KINDS.keys() and min(used.values()) > graphs // 10


def test_at_a_kink_rounding_decides():
    """Why the graphs above keep away from kinks: torch's own gradient
    jumps from one place to another there."""
    rows = torch.tensor([[0.1, 0.7, 0.3]] * 3, dtype=torch.float64)
    left = rows - rows.mean(0, keepdim=True)     # 0 but for rounding
    assert left.abs().max() < 1e-15
    assert not smooth("X", left, left) and not smooth("r", left, left)
    places = set()
    for i in range(3):
        nudged = left.clone()
        nudged[0, i] += 1e-15
        nudged.requires_grad_()
        nudged.max(1).values[0].backward()
        places.add(nudged.grad[0].argmax().item())
    assert places == {0, 1, 2}


# The tape

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


@pytest.mark.parametrize("module, most", [("function", 160), ("tape", 100),
                                          ("tensor", 250)])
def test_the_engine_is_as_short_as_was_asked(module, most):
    root = Path(__file__).parents[2]
    path = root / "code" / "scratch" / "autograd" / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= most and max(map(len, lines)) <= 72
    starts = [node.lineno for node in ast.walk(ast.parse(text))
              if isinstance(node, ast.stmt)]
    assert len(starts) == len(set(starts))       # one statement a line


def test_a_target_that_is_no_class_is_refused():
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match=r"among the\s+3 classes"):
            Tensor(torch.zeros(2, 3)).cross_entropy(torch.tensor(wrong))


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


# Errors

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
    assert free.mul_(x).tolist() == [5, 5, 5]


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
