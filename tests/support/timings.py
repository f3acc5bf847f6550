"""Some data, measurements that take no time, and the form of a record."""

import torch

from parts import put
from scratch import timing as module

CASES = ["eager", "resident", "no item", "torch.nn", "tape", "compile",
         "graph", "compiled graph"]
TIME = {"median", "low", "high", "turns", "calls"}


def some_data(n=200, seed=0):
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(n, 784, generator=g),
            torch.randint(10, (n,), generator=g))


def fast(monkeypatch):
    """Every measurement takes next to no time."""
    real = module.time_op
    put(
        monkeypatch, module, "time_op",
        lambda fn, device="cpu", **_: real(
            fn, device, turns=2, seconds=1e-6))


def check_time(time):
    assert set(time) == TIME and 0 < time["low"] <= time["median"]
    assert time["median"] <= time["high"]


def check_results(found, gpu=False):
    """The RESULTS have the form that the module's head describes."""
    assert set(found) == {"products", "layers", "waiting", "roof",
                          "threads", "transfers", "epochs", "launches"}
    for rows, key in (("products", "n"), ("layers", "batch")):
        for row in found[rows]:
            assert set(row) == {key, "time"} and row[key] > 0
            check_time(row["time"])
    assert {"n", "returns", "done"} <= set(found["waiting"])
    assert set(found["roof"]) == {"flops", "bytes", "launch"}
    for part in ("transfers",) if gpu else ("threads",):
        assert "absent" not in found[part]
    assert list(found["epochs"]) == list(found["launches"]) == CASES
    for result in found["epochs"].values():
        if "absent" not in result:
            check_time(result)
