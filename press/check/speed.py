"""Steps a second of the book's training loop and of torch's, in one run.

    python -m press.check.speed        (with PYTHONPATH=code)

The loops take turns, so that a busy machine slows all of them; each
figure is the median of its turns. Prints one JSON object.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.utils.data import DataLoader as TorchLoader
from torch.utils.data import TensorDataset

from scratch.backward import backward
from scratch.data import DataLoader, load_mnist
from scratch.init import make_params
from scratch.optim import Adam

STEPS, TURNS, BATCH = 200, 16, 64


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def by_hand(X: torch.Tensor, y: torch.Tensor) -> Callable[[], None]:
    """An epoch of the book's own gradients, optimizer and loader."""
    params = [p.detach() for p in make_params(seed=0)]
    optimizer = Adam(params)
    loader = DataLoader(X, y, BATCH, generator=seeded())

    def epoch() -> None:
        for x, targets in loader:
            _, grads = backward(x, targets, *params)
            for p, g in zip(params, grads, strict=True):
                p.grad = g
            optimizer.step()
    return epoch


def by_torch(loader: Iterable) -> Callable[[], None]:
    """An epoch of nn.Sequential, autograd and torch.optim.Adam."""
    model = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    optimizer = torch.optim.Adam(model.parameters())

    def epoch() -> None:
        for x, targets in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), targets).backward()
            optimizer.step()
    return epoch


def measure_loops() -> dict[str, float]:
    """The median steps a second of each loop."""
    X, y = load_mnist()
    X, y = X[:STEPS * BATCH], y[:STEPS * BATCH]
    epochs = {
        "by hand": by_hand(X, y),
        "torch.nn, our loader": by_torch(
            DataLoader(X, y, BATCH, generator=seeded())
        ),
        "torch.nn, torch's loader": by_torch(TorchLoader(
            TensorDataset(X, y), BATCH, shuffle=True, generator=seeded()
        )),
    }
    rates: dict[str, list[float]] = {name: [] for name in epochs}
    for turn in range(TURNS + 1):  # the first only warms up
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            if turn:
                rates[name].append(STEPS / (time.perf_counter() - start))
    return {name: statistics.median(r) for name, r in rates.items()}


if __name__ == "__main__":
    print(json.dumps({"threads": torch.get_num_threads(), **measure_loops()}))
