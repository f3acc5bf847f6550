"""Random graphs on scratch.autograd and on torch's."""

import random
from collections import Counter

import pytest
import torch

from two_tapes import INDEX, drawn, gradients

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
