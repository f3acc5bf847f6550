"""Every way of training learns the same, or says why it cannot."""

import statistics

import pytest
import torch
import torch.nn.functional as F

from scratch.backward import backward
from scratch.functional import forward
from scratch.optim import Adam
from scratch.timing import (
    Learner,
    attempt,
    by_torch,
    cases,
    eager,
    fresh,
    pieces,
    record,
    unasked,
)
from timings import CASES, some_data

CPU = torch.device("cpu")


def follow(X, y, steps, batch):
    """Mean loss and share of right answers, by the book's parts."""
    params = fresh("cpu")
    adam = Adam(params)
    losses, right = [], []
    for idx in pieces(len(X), steps, batch, "cpu"):
        right.append((forward(X[idx], *params).argmax(1) == y[idx]).sum())
        loss, grads = backward(X[idx], y[idx], *params)
        for p, grad in zip(params, grads, strict=True):
            p.grad = grad
        adam.step()
        losses.append(loss)
    return (sum(losses).item() / steps, sum(right).item() / steps / batch)


@pytest.mark.parametrize("kind", ["eager", "unasked", "tape"])
def test_all_loops_by_hand_learn_the_same(kind):
    X, y = some_data(100)
    learner = Learner(X, y, "cpu", batch=16)
    run = {
        "eager": lambda: eager(X, y, "cpu", 16),
        "unasked": lambda: unasked(learner, learner.step),
        "tape": lambda: unasked(
            learner, record(learner.step, learner.state(), "cpu")),
    }[kind]()
    torch.manual_seed(5)
    found = run(12)
    torch.manual_seed(5)
    wanted = follow(X, y, 12, 16)
    assert found[0] == pytest.approx(wanted[0], rel=1e-5)
    assert found[1] == wanted[1]
    assert run(12)[0] < found[0]  # it goes on from where it was


def test_torch_s_loop_is_torch_s():
    X, y = some_data(100)
    torch.manual_seed(5)
    run = by_torch(X, y, 16)
    found = [run(10), run(10)]

    torch.manual_seed(5)
    net = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(),
                              torch.nn.Linear(128, 10))
    adam = torch.optim.Adam(net.parameters())
    for loss, share in found:
        losses, right = [], 0
        for idx in pieces(100, 10, 16, "cpu"):
            logits = net(X[idx])
            adam.zero_grad()
            F.cross_entropy(logits, y[idx]).backward()
            adam.step()
            losses.append(F.cross_entropy(logits, y[idx]).item())
            right += (logits.argmax(1) == y[idx]).sum().item()
        assert loss == pytest.approx(statistics.mean(losses), rel=1e-4)
        assert share == right / 160


def test_what_fails_says_why():
    def broken():
        raise RuntimeError("no compiler\n   was found" + "!" * 500)

    why = attempt(broken)["absent"]
    assert why.startswith("RuntimeError: no compiler was found!")
    assert len(why) == 200
    assert attempt(lambda: 5) == 5


def test_a_cpu_says_what_it_lacks(monkeypatch):
    def broken(step):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", broken)
    ways = cases(*some_data(), CPU)
    assert list(ways) == CASES
    for name in ("resident", "graph", "compiled graph"):
        assert ways[name] == {"absent": "needs CUDA"}
    assert ways["compile"] == {"absent": "RuntimeError: no C++ compiler"}
    for name in ("eager", "no item", "torch.nn", "tape"):
        assert ways[name](2)[0] > 0


def test_compiling_can_be_left_out_and_is_done_beforehand(monkeypatch):
    ran = []
    monkeypatch.setattr(
        torch, "compile", lambda step: lambda: ran.append(1) or step())
    data = some_data()
    assert cases(*data, CPU, compiling=False)["compile"] == {
        "absent": "left out"}
    assert ran == []
    run = cases(*data, CPU)["compile"]
    assert ran  # a first run has compiled it
    run(2)
    assert len(ran) > 2


def test_a_gpu_has_all_cases_but_the_tape(cuda, monkeypatch):
    X, y = some_data()
    compiled = []
    monkeypatch.setattr(
        torch, "compile", lambda step: compiled.append(step) or step)
    ways = cases(X, y, CPU)
    assert list(ways) == CASES
    assert ways["tape"] == {"absent": "needs CUDA"}
    for name in CASES:
        if name != "tape":
            loss, right = ways[name](3)
            assert 1.5 < loss < 3.5 and 0 <= right <= 1, name
    assert len(compiled) == 2
    assert cuda.log.count("record") == 2
