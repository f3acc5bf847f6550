"""Each operation of scratch.autograd beside torch's and its slopes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.autograd import MatMul, Tensor
from scratch.functional import cross_entropy
from two_tapes import INDEX, drawn, gradients

some = settings(max_examples=40)
few = settings(max_examples=15)
seeds = st.integers(0, 2**31)
dtypes = st.sampled_from([torch.float32, torch.float64])


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


def test_a_target_that_is_no_class_is_refused():
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match=r"among the\s+3 classes"):
            Tensor(torch.zeros(2, 3)).cross_entropy(torch.tensor(wrong))
