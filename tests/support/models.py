"""A few digits, and networks to train on them."""

import functools
from pathlib import Path

import torch

from scratch.data import load_mnist
from scratch.init import make_params

REPO = Path(__file__).parents[2]


@functools.cache
def few_digits():
    """2,000 training digits and 500 test digits."""
    X, y = load_mnist(REPO / "data")
    X_test, y_test = load_mnist(REPO / "data", "test")
    return X[:2000], y[:2000], X_test[:500], y_test[:500]


def fresh(seed=0, dtype=None, sizes=(784, 128, 10)):
    made = make_params(sizes, seed=seed, dtype=dtype)
    return [p.detach() for p in made]


def equal(a, b):
    return len(a) == len(b) and all(map(torch.equal, a, b))


def clones(tensors):
    return [t.detach().clone() for t in tensors]
