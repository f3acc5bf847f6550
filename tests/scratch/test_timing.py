"""The clock, the ledger, the recordings, and the record of a machine."""

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from parts import put
from scratch import timing as module
from scratch.backward import backward
from scratch.data import load_mnist
from scratch.functional import forward
from scratch.init import make_params
from scratch.optim import Adam
from scratch.timing import (
    BATCH,
    IMAGES,
    STEPS,
    Learner,
    Ledger,
    Sizes,
    Tape,
    TensorAdam,
    Timing,
    a_step,
    about,
    attempt,
    bound,
    by_torch,
    cases,
    clock,
    cpu_name,
    crossover,
    digits,
    driver_version,
    eager,
    fresh,
    gradients,
    is_cuda,
    label,
    layers,
    make_record,
    measure,
    multiply_adds,
    pick_device,
    pieces,
    plain,
    powers_to,
    products,
    profiled,
    race,
    read,
    readable,
    record,
    record_graph,
    roof,
    shown,
    summary,
    tally,
    threads,
    time_op,
    transfers,
    unasked,
    wait,
    waiting,
    write,
)
from scratch.timing.__main__ import main

REPO = Path(__file__).parents[2]
CPU = torch.device("cpu")
CASES = ["eager", "resident", "no item", "torch.nn", "tape", "compile",
         "graph", "compiled graph"]


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


# ------------------------------------------------------------ the device


def test_the_device_is_the_gpu_only_where_torch_can_use_one(monkeypatch):
    for usable, kind in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda u=usable: u)
        assert pick_device() == torch.device(kind)


@pytest.mark.parametrize("device, yes", [
    ("cuda", True), ("cuda:1", True), (torch.device("cuda"), True),
    ("cpu", False), (CPU, False), ("meta", False),
])
def test_waiting_synchronizes_gpus_and_nothing_else(
    monkeypatch, device, yes
):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    wait(device)
    assert is_cuda(device) is yes
    assert waited == ([device] if yes else [])


# ------------------------------------------------------------- the clock


def test_the_clock_stops_when_the_device_is_done(monkeypatch):
    now, log = [100.0], []

    def waited(device):
        log.append(f"wait {device}")
        now[0] += 10.0

    def called():
        log.append("call")
        now[0] += 1.0

    put(monkeypatch, module, "wait", waited)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    assert clock(called, 3, "it") == 13.0  # three calls and the last wait
    assert log == ["wait it", "call", "call", "call", "wait it"]


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=30))
def test_a_summary_has_the_median_and_the_quartiles(times):
    found = summary(times, 7)
    ordered = sorted(times)
    assert found.median == statistics.median(times)
    assert found.low == ordered[len(times) // 4]
    assert found.high == ordered[::-1][len(times) // 4]
    assert found.low <= found.median <= found.high
    assert (found.turns, found.calls) == (len(times), 7)
    assert summary(times).calls == 1


@pytest.mark.parametrize("seconds, text", [
    (2.0, "2 s"), (83.21, "83.2 s"), (0.9996, "1 s"), (0.5, "500 ms"),
    (0.0999, "99.9 ms"), (1e-3, "1 ms"), (1.234e-5, "12.3 µs"),
    (9.996e-7, "1 µs"), (3e-9, "3 ns"), (0.0, "0 s"),
])
def test_times_are_readable(seconds, text):
    assert readable(seconds) == text


def test_a_timing_prints_its_spread():
    assert str(Timing(2e-3, 1e-3, 0.5, 9)) == "2 ms (1 ms to 500 ms)"


def test_time_op_warms_up_and_fills_its_turns(monkeypatch):
    """A function of 1 s a call, and turns of 5 s: 8 calls a turn."""
    asked, calls = [], []

    def clocked(fn, count, device):
        assert calls, "the first call was clocked"
        asked.append((count, device))
        return float(count) + (len(asked) > 4) * len(asked)

    put(monkeypatch, module, "clock", clocked)
    found = time_op(lambda: calls.append(1), "it", turns=3, seconds=5)
    assert calls == [1]
    assert asked == [(n, "it") for n in (1, 2, 4, 8, 8, 8, 8)]
    times = [1 + n / 8 for n in (5, 6, 7)]
    assert found == summary(times, 8)


def test_time_op_tells_long_from_short(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def taking(seconds):
        def call():
            now[0] += seconds
        return call

    slow = time_op(taking(1 / 4), turns=5, seconds=1 / 2)
    quick = time_op(taking(1 / 1024), turns=5, seconds=1 / 2)
    assert (slow.median, quick.median) == (1 / 4, 1 / 1024)
    assert slow.turns == 5 and quick.calls > slow.calls >= 1


def test_racers_take_turns(monkeypatch):
    log = []

    def clocked(fn, count, device):
        assert (count, device) == (1, "it")
        fn()
        return {"a": 1.0, "b": 2.0}[log[-1]] * len(log)

    put(monkeypatch, module, "clock", clocked)
    found = race({"a": lambda: log.append("a"),
                  "b": lambda: log.append("b")}, "it", 3)
    assert log == ["a", "b"] * 4  # the first round only warms up
    assert found == {"a": summary([3.0, 5.0, 7.0]),
                     "b": summary([8.0, 12.0, 16.0])}


# ------------------------------------------------------------ the ledger


@settings(max_examples=25)
@given(*[st.integers(1, 20)] * 3, st.sampled_from([torch.float32,
                                                  torch.float64]))
def test_products_are_counted_from_their_shapes(n, k, m, dtype):
    a, b = torch.zeros(n, k, dtype=dtype), torch.zeros(k, m, dtype=dtype)
    c = torch.zeros(m, dtype=dtype)
    with Ledger() as ledger:
        a @ b
        torch.addmm(c, a, b)
        a.T + 1.0
    size = a.itemsize
    assert ledger.rows == [
        ("mm", n * k * m, size * (n * k + k * m + n * m)),
        ("addmm", n * k * m, size * (m + n * k + k * m + n * m)),
        ("add", 0, size * 2 * n * k),
    ]


def test_only_chosen_rows_count_as_read():
    X, idx = torch.zeros(1000, 6), torch.arange(5)
    with Ledger() as ledger:
        X.index_select(0, idx)
    assert ledger.rows == [("index_select", 0, 2 * 5 * 6 * 4 + 5 * 8)]


def test_results_and_arguments_in_lists_are_counted():
    a, b = torch.zeros(2, 3), torch.zeros(2, 3)
    with Ledger() as ledger:
        torch.cat([a, b])
        a.max(1)
    assert ledger.rows == [("cat", 0, 4 * (6 + 6 + 12)),
                           ("max", 0, 4 * 6 + 2 * 4 + 2 * 8)]


def test_views_are_not_in_the_ledger():
    a = torch.zeros(2, 3)
    with Ledger() as ledger:
        a.T[1:].unsqueeze(0).expand(4, 2, 2)
    assert ledger.rows == []


def test_no_other_kernel_has_multiply_adds():
    assert multiply_adds("mul", [torch.zeros(2, 3), torch.zeros(2, 3)]) == 0


def test_a_step_has_the_multiply_adds_of_its_five_products():
    X, y = some_data(64)
    with Ledger() as ledger:
        gradients(X, y, *fresh("cpu"))
    first, second = 64 * 784 * 128, 64 * 128 * 10
    assert sum(w for _, w, _ in ledger.rows) == 2 * first + 3 * second


def test_an_estimate_takes_what_holds_each_kernel_back_most():
    roof = {"flops": 100.0, "bytes": 10.0, "launch": 2.0}
    rows = [("mm", 500, 50), ("add", 0, 40), ("neg", 10, 1), ("add", 0, 70)]
    held = bound(rows, roof)
    assert held == {"flops": 10.0, "bytes": 4.0 + 7.0, "launch": 2.0}
    assert bound([], roof) == dict.fromkeys(roof, 0.0)


# --------------------------------------------------------------- the step


def test_the_sizes_are_those_of_mnist():
    assert (IMAGES, BATCH, STEPS) == (60_000, 64, 938)


def test_every_device_starts_from_the_same_four_tensors():
    params = fresh("cpu")
    for p, q in zip(params, make_params(seed=0), strict=True):
        assert torch.equal(p, q) and not p.requires_grad
    assert [(p.device.type, p.shape) for p in fresh("meta")] == [
        ("meta", p.shape) for p in params]


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 8), st.integers(1, 7),
       st.integers(1, 10), st.integers(0, 2**32),
       st.sampled_from([torch.float32, torch.float64]))
def test_gradients_are_those_of_backward(
    N, inputs, hidden, classes, seed, dtype
):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(N, inputs, generator=g, dtype=dtype)
    targets = torch.randint(classes, (N,), generator=g)
    params = [p.detach() for p in make_params(
        (inputs, hidden, classes), seed=seed % 1000, dtype=dtype)]
    kept = [t.clone() for t in (x, targets, *params)]
    loss, right, grads = gradients(x, targets, *params)
    their_loss, their_grads = backward(x, targets, *params)
    assert torch.equal(loss, their_loss)
    for a, b in zip(grads, their_grads, strict=True):
        assert a.dtype == dtype and torch.equal(a, b)
    answers = forward(x, *params).argmax(1)
    assert right.item() == (answers == targets).sum().item()
    assert all(map(torch.equal, kept, (x, targets, *params)))


def test_gradients_record_nothing_for_autograd():
    X, y = some_data(8)
    loss, right, grads = gradients(X, y, *make_params())
    assert not any(t.requires_grad for t in (loss, right, *grads))


def test_a_blank_image_wakes_no_unit():
    """At 0 the slope of ReLU is 0, as for torch.relu."""
    params = [p.detach() for p in make_params((6, 5, 3))]
    x, targets = torch.zeros(1, 6), torch.tensor([1])
    *_, (d_W1, d_b1, _, d_b2) = gradients(x, targets, *params)
    assert not d_W1.any() and not d_b1.any() and d_b2.all()


def test_a_step_asks_for_no_number():
    X, y = some_data(64)
    nowhere, labels = X.to("meta"), y.to("meta")
    Learner(X, y, "meta").step()
    gradients(nowhere, labels, *fresh("meta"))
    with pytest.raises(RuntimeError, match="meta tensors"):
        backward(nowhere, labels, *fresh("meta"))


# -------------------------------------------------------------- the Adam


@pytest.mark.parametrize("dtype, limit", [
    (torch.float64, 1e-12), (torch.float32, 1e-5),
])
@pytest.mark.parametrize("kind", [
    {}, {"lr": 0.03}, {"betas": (0.5, 0.9)}, {"eps": 0.1},
])
def test_tensor_adam_takes_torch_s_steps(dtype, limit, kind):
    g = torch.Generator().manual_seed(1)
    ours = [torch.randn(4, 3, generator=g, dtype=dtype),
            torch.randn(5, generator=g, dtype=dtype)]
    theirs = [p.clone() for p in ours]
    a, b = TensorAdam(ours, **kind), torch.optim.Adam(theirs, **kind)
    for _ in range(50):
        grads = [torch.randn(p.shape, generator=g, dtype=dtype)
                 for p in ours]
        kept = [grad.clone() for grad in grads]
        a.step(grads)
        for p, grad in zip(theirs, grads, strict=True):
            p.grad = grad
        b.step()
        assert all(map(torch.equal, grads, kept))
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=limit)
    assert a.t.item() == 50 and a.t.dtype == torch.float64


def test_tensor_adam_refuses_what_adam_refuses():
    for kind in ({"lr": -1.0}, {"betas": (0.9, 1.0)}, {"eps": -1e-8}):
        with pytest.raises(ValueError):
            TensorAdam(fresh("cpu"), **kind)
    with pytest.raises(TypeError, match="put it in a list"):
        TensorAdam(torch.zeros(3))


def test_tensor_adam_changes_leaves_in_place():
    leaves = make_params((4, 3, 2))
    addresses = [p.data_ptr() for p in leaves]
    TensorAdam(leaves).step([torch.ones_like(p) for p in leaves])
    assert [p.data_ptr() for p in leaves] == addresses
    assert all(p.is_leaf for p in leaves)


def test_tensor_adam_refuses_too_few_gradients():
    params = fresh("cpu")
    with pytest.raises(ValueError):
        TensorAdam(params).step([torch.zeros_like(params[0])])


# ------------------------------------------------------------ the learner


def test_a_learner_steps_with_the_images_it_is_given():
    X, y = some_data()
    learner = Learner(X, y, "cpu", batch=7)
    params, total, hits = fresh("cpu"), 0.0, 0
    adam = TensorAdam(params)
    for start in (0, 50, 100):
        idx = torch.arange(start, start + 7)
        learner.idx.copy_(idx)
        learner.step()
        loss, right, grads = gradients(X[idx], y[idx], *params)
        adam.step(grads)
        total, hits = total + loss, hits + right
    assert all(map(torch.equal, params, learner.params))
    assert torch.equal(learner.loss, total)
    assert learner.right.item() == hits.item()


def test_the_state_is_all_that_a_step_changes():
    learner = Learner(*some_data(), "cpu")
    everything = {"X": learner.X, "y": learner.y, "idx": learner.idx}
    kept = {name: t.clone() for name, t in everything.items()}
    before = [t.clone() for t in learner.state()]
    learner.step()
    for name, t in everything.items():
        assert torch.equal(t, kept[name]), name
    changed = [not torch.equal(a, b)
               for a, b in zip(before, learner.state(), strict=True)]
    # of 4 parameters, t, 4 m, 4 v and two sums; right may stay 0
    assert len(changed) == 15 and all(changed[:14])
    adam = learner.adam
    wanted = [*learner.params, adam.t, *adam.m, *adam.v, learner.loss,
              learner.right]
    assert {t.data_ptr() for t in learner.state()} == {
        t.data_ptr() for t in wanted}


# -------------------------------------------------------------- the tape


def test_a_tape_replays_into_the_memory_it_was_recorded_in():
    x, W = torch.rand(5, 4), torch.rand(4, 3)
    kept = torch.zeros(3)
    with Tape() as tape:
        h = (x @ W).clamp(min=0.5)
        top, place = h.max(0)
        kept.add_(top)
        part = h.T[1:]
    x.copy_(torch.rand(5, 4))
    kept.zero_()
    tape.replay()
    expected = (x @ W).clamp(min=0.5)
    assert torch.equal(h, expected)
    assert torch.equal(part, expected.T[1:])
    assert torch.equal(kept, top)
    assert torch.equal(top, expected.max(0).values)
    assert torch.equal(place, expected.max(0).indices)
    tape.replay()
    assert torch.equal(kept, 2 * top)


def test_a_tape_does_not_replay_python():
    ran, x = [], torch.ones(2)
    with Tape() as tape:
        ran.append(1)
        x.mul_(len(ran) + 1)
    ran.append(1)
    tape.replay()
    assert ran == [1, 1] and x.tolist() == [4.0, 4.0]


def test_a_count_in_python_is_frozen_on_a_tape():
    w = torch.zeros(1)
    w.grad = torch.ones(1)
    adam = Adam([w], lr=1.0)
    adam.step()
    with Tape() as tape:
        adam.step()
    before = w.item()
    tape.replay()
    assert abs(before - w.item() - 1.0) > 0.1
    assert adam.state[w][0] == 2


@pytest.mark.parametrize("steps", [1, 5])
def test_a_recorded_step_is_the_step_bit_for_bit(steps):
    X, y = some_data()
    plain_one, taped = (Learner(X, y, "cpu", batch=16) for _ in range(2))
    before = [t.clone() for t in taped.state()]
    replay = record(taped.step, taped.state(), "cpu")
    assert all(map(torch.equal, before, taped.state()))  # no trace
    for n in range(steps):
        for learner, step in ((plain_one, plain_one.step), (taped, replay)):
            learner.idx.copy_(torch.arange(16) + n)
            step()
    assert all(map(torch.equal, plain_one.state(), taped.state()))


# --------------------------------------- CUDA's part, with a tape in it


@pytest.fixture
def cuda(monkeypatch):
    """torch.cuda as far as we use it: a graph is a tape that has not run.

    Everything stays on the CPU, which passes for the GPU. The log says
    in which order CUDA was asked for what.
    """
    log, state = [], []

    class Stream:
        def __init__(self, name="side"):
            self.name = name

        def wait_stream(self, other):
            log.append(f"{self.name} waits for {other.name}")

    class CUDAGraph:
        def replay(self):
            log.append("replay")
            self.tape.replay()

    @contextlib.contextmanager
    def stream(given):
        log.append(f"on {given.name}")
        yield
        log.append(f"off {given.name}")

    @contextlib.contextmanager
    def graph(given):
        """Recording runs nothing: what ran is undone."""
        log.append("record")
        kept = [t.clone() for t in state]
        with Tape() as given.tape:
            yield
        for t, old in zip(state, kept, strict=True):
            t.copy_(old)
        log.append("recorded")

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            log.append("event")

        def elapsed_time(self, other):
            assert isinstance(other, Event)
            return 250.0  # milliseconds

    for name, value in {
        "Stream": Stream, "CUDAGraph": CUDAGraph, "stream": stream,
        "graph": graph, "Event": Event,
        "current_stream": lambda: Stream("main"),
        "synchronize": lambda device=None: log.append("synchronize"),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda t: t.clone())
    put(monkeypatch, module, "is_cuda", lambda device: True)
    return SimpleNamespace(log=log, state=state)


def test_a_graph_is_warmed_up_on_a_stream_of_its_own(cuda):
    def step():
        cuda.log.append("step")

    replay = record_graph(step)
    assert cuda.log == [
        "side waits for main", "on side", "step", "step", "step",
        "off side", "main waits for side", "record", "step", "recorded"]
    replay()
    assert cuda.log[-1] == "replay"


def test_recording_a_graph_leaves_no_trace_and_replays_the_step(cuda):
    X, y = some_data()
    plain_one, graphed = (Learner(X, y, "cpu", batch=16) for _ in range(2))
    cuda.state[:] = graphed.state()
    before = [t.clone() for t in graphed.state()]
    replay = record(graphed.step, graphed.state(), "cuda")
    assert all(map(torch.equal, before, graphed.state()))
    assert "record" in cuda.log
    for n in range(4):
        for learner, step in ((plain_one, plain_one.step),
                              (graphed, replay)):
            learner.idx.copy_(torch.arange(16) + n)
            step()
    assert all(map(torch.equal, plain_one.state(), graphed.state()))


def test_on_a_gpu_events_are_asked_too(cuda):
    found = waiting("cpu", 8, turns=3)
    assert found["event"] == 0.25 and found["n"] == 8
    assert 0 < found["returns"] <= found["done"]
    assert cuda.log == ["synchronize", "event", "event",
                        "synchronize"] * 4


def test_transfers_move_what_they_name(cuda, monkeypatch):
    moved = []

    def timed(fn, device):
        assert device == "cpu"
        fn()
        moved.append(fn())
        return "time"

    put(monkeypatch, module, "time_op", timed)
    X, _ = some_data(100)
    found = transfers(X, "cpu")
    assert {k: v["bytes"] for k, v in found.items()} == {
        "batch": 64 * 784 * 4, "pinned batch": 64 * 784 * 4,
        "images": X.nbytes, "batch back": 64 * 784 * 4, "item": 4}
    assert all(v["time"] == "time" for v in found.values())
    batch, (pinned, waited), images, back, item = moved
    assert all(torch.equal(t, X[:64]) for t in (batch, pinned, back))
    assert torch.equal(images, X) and item == 0.0 and waited is None
    assert cuda.log == ["synchronize"] * 2  # one for each pinned batch


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


def test_a_measured_gpu_has_every_result(cuda, monkeypatch):
    fast(monkeypatch)
    monkeypatch.setattr(torch, "compile", lambda step: step)
    seen = []
    put(
        monkeypatch, module, "profiled",
        lambda fn, device: seen.append(fn()) or {"launches": len(seen)})
    X, y = some_data()
    found = plain(measure(CPU, X, y, Sizes(2, 1, 32, 4096)))
    check_results(found, gpu=True)
    assert found["threads"] == {"absent": "a matter of CPUs"}
    assert found["launches"]["graph"] == {"launches": 0.1}


# ------------------------------------------------------- ways of training


@settings(max_examples=20)
@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 9),
       st.integers(0, 99))
def test_pieces_go_through_all_images_before_any_again(
    images, steps, batch, seed
):
    torch.manual_seed(seed)
    parts = pieces(images, steps, batch, "cpu")
    assert [len(p) for p in parts] == [batch] * steps
    order = torch.cat(parts).tolist()
    for start in range(0, len(order), images):
        part = order[start : start + images]
        assert len(set(part)) == len(part)
        assert set(part) <= set(range(images))
    torch.manual_seed(seed)
    assert order[:images] == torch.randperm(images).tolist()[:len(order)]


def test_pieces_lie_on_their_device():
    assert {p.device.type for p in pieces(9, 2, 3, "meta")} == {"meta"}


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


# ---------------------------------------------------------- measurements


@pytest.fixture
def timed(monkeypatch):
    """time_op runs its function once, and keeps it."""
    kept = []

    def once(fn, device="cpu", **_):
        kept.append((fn(), device, torch.get_num_threads()))
        return Timing(0.5, 0.4, 0.6, 3)

    put(monkeypatch, module, "time_op", once)
    return kept


def test_products_are_square_and_double(timed):
    rows = products("cpu", 100)
    assert [r["n"] for r in rows] == [16, 32, 64]
    assert [tuple(out.shape) for out, *_ in timed] == [
        (16, 16), (32, 32), (64, 64)]
    assert rows[0]["time"] == Timing(0.5, 0.4, 0.6, 3)
    assert [r["n"] for r in products("cpu", 128)] == [16, 32, 64, 128]


def test_layers_are_the_first_of_the_network(timed):
    rows = layers("cpu", (1, 5))
    assert [r["batch"] for r in rows] == [1, 5]
    assert [tuple(out.shape) for out, *_ in timed] == [(1, 128), (5, 128)]


@pytest.mark.parametrize("most, counts", [
    (1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]),
    (8, [1, 2, 4, 8]),
])
def test_thread_counts_are_powers_of_two_and_the_most(most, counts):
    assert powers_to(most) == counts


def test_threads_are_set_and_put_back(timed):
    before = torch.get_num_threads()
    rows = threads(2, (8, 16))
    assert [(r["threads"], r["n"]) for r in rows] == [
        (1, 8), (2, 8), (1, 16), (2, 16)]
    assert [(tuple(out.shape), n) for out, _, n in timed] == [
        ((8, 8), 1), ((8, 8), 2), ((16, 16), 1), ((16, 16), 2)]
    assert torch.get_num_threads() == before


def test_threads_are_put_back_after_an_error(monkeypatch):
    def broken(fn, device="cpu"):
        raise ValueError

    put(monkeypatch, module, "time_op", broken)
    before = torch.get_num_threads()
    with pytest.raises(ValueError):
        threads(before + 1)
    assert torch.get_num_threads() == before


def test_on_a_cpu_a_product_returns_when_it_is_done():
    found = waiting("cpu", 256, turns=5)
    assert set(found) == {"n", "returns", "done"}
    assert 0.5 * found["done"] < found["returns"] <= found["done"]


def test_a_roof_is_made_of_rates(timed):
    assert roof("cpu", 12, 4000) == {
        "flops": 2 * 12**3 / 0.5, "bytes": 2 * 4000 / 0.5, "launch": 0.5}
    shapes = [tuple(out.shape) for out, *_ in timed]
    assert shapes == [(12, 12), (6, 6), (3, 3), (1000,), (1,)]


def test_a_roof_takes_the_product_with_the_best_rate(monkeypatch):
    seconds = {8: 1.0, 4: 0.001, 2: 1.0, 1000: 1.0, 1: 1.0}
    put(monkeypatch, module, "time_op", lambda fn, device: Timing(
        seconds[len(fn())], 0.0, 0.0, 1))
    assert roof("cpu", 8, 4000)["flops"] == 2 * 4**3 / 0.001


def event(name, kind="CPU", parent=None, us=0, note=False):
    return SimpleNamespace(
        name=name, device_type=f"DeviceType.{kind}", cpu_parent=parent,
        time_range=SimpleNamespace(elapsed_us=lambda: us),
        is_user_annotation=note)


def test_a_profile_is_counted_by_kind():
    outer = event("aten::linear")
    events = [
        outer, event("aten::addmm", parent=outer),
        event("aten::relu", parent=event("my range")),
        event("cudaLaunchKernel", parent=outer),
        event("cudaLaunchKernelExC"), event("cuLaunchKernel"),
        event("cudaMemcpyAsync"), event("cudaStreamSynchronize"),
        event("cudaDeviceSynchronize"), event("cudaGraphLaunch"),
        event("sgemm", "CUDA", us=30), event("relu_kernel", "CUDA", us=12),
        event("Memcpy HtoD", "CUDA", us=500),
        event("## Call Compiled", "CUDA", us=500),
        event("Torch-Compiled Region", "CUDA", us=500),
        event("a range", "CUDA", us=500, note=True),
    ]
    assert tally(events) == {
        "operations": 2, "launches": 3, "copies": 1, "waits": 1,
        "graphs": 1, "kernels": 2, "busy": pytest.approx(42e-6)}


def test_the_profiler_sees_each_operation_once():
    a = torch.rand(4, 4)
    ran = []

    def act():
        ran.append(1)
        return torch.nn.functional.linear(a, a).relu().sum()

    assert profiled(act, "cpu")["operations"] == 3
    assert len(ran) == 2


def test_a_step_is_the_difference_of_two_runs(monkeypatch):
    """Five operations once, seven in each step."""
    put(
        monkeypatch, module, "profiled",
        lambda fn, device: {"operations": 5 + 7 * fn(), "waits": 2})
    assert a_step(lambda steps: steps, "cpu") == {
        "operations": 7.0, "waits": 0.0}


# ------------------------------------------------------- the circumstances


def test_the_digits_are_mnist_where_its_files_are():
    X, y, name = digits(REPO / "data")
    wanted = load_mnist(REPO / "data")
    assert torch.equal(X, wanted[0]) and torch.equal(y, wanted[1])
    assert X.dtype == torch.float32 and y.dtype == torch.int64
    assert name == "MNIST"


def test_random_numbers_take_the_place_of_absent_digits(tmp_path):
    X, y, name = digits(tmp_path)
    assert X.shape == (60_000, 784) and y.shape == (60_000,)
    assert 0 <= X.min() < 0.1 and 0.9 < X.max() <= 1
    assert y.unique().tolist() == list(range(10))
    assert "random" in name


def test_the_driver_is_asked_of_nvidia_smi(monkeypatch):
    def asked(command, **kind):
        assert command[0] == "nvidia-smi" and "driver_version" in command[1]
        assert kind["check"] and kind["timeout"]
        return SimpleNamespace(stdout="580.159.04\n580.159.04\n")

    monkeypatch.setattr(subprocess, "run", asked)
    assert driver_version() == "580.159.04"


def test_the_processor_has_a_name(monkeypatch, tmp_path):
    assert cpu_name()
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor : 0\nmodel name\t: Some: CPU 9\nflags : a\n",
        encoding="utf-8",
    )
    put(monkeypatch, module, "Path", lambda _: info)
    assert cpu_name() == "Some: CPU 9"
    info.unlink()
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert cpu_name() == "arm"
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv")
    assert cpu_name() == "riscv"


def test_a_record_begins_with_its_circumstances():
    facts = about()
    assert facts["format"] == 1 and facts["gpu"] is None or facts["gpu"]
    assert facts["torch"] == torch.__version__
    assert facts["cpu"] == {
        "name": cpu_name(), "cores": os.cpu_count(),
        "threads": torch.get_num_threads()}
    assert len(facts["date"].split("-")) == 3


def test_a_gpu_is_named_with_its_driver(cuda, monkeypatch):
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda i: SimpleNamespace(
            name="H100", total_memory=80, multi_processor_count=132))
    put(monkeypatch, module, "driver_version", lambda: "580")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    facts = about()
    assert facts["gpu"] == {
        "name": "H100", "bytes": 80, "processors": 132, "driver": "580",
        "cuda": "13.0",
        "precision": torch.get_float32_matmul_precision()}
    assert label(facts) == (
        f"H100, driver 580, torch {torch.__version__}, {facts['date']}")


# -------------------------------------------------------------- the record

TIME = {"median", "low", "high", "turns", "calls"}


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


def test_the_committed_record_has_the_form_it_says():
    found = json.loads(
        (REPO / "book" / "recorded" / "timing" / "cpu.json")
        .read_text(encoding="utf-8"))
    assert set(found) == {
        "format", "date", "torch", "python", "system", "load", "cpu", "gpu",
        "data", "steps", "batch", "results"}
    assert (found["format"], found["steps"], found["batch"]) == (1, 938, 64)
    check_results(found["results"]["cpu"])


def test_everything_in_a_record_becomes_json():
    found = plain({"a": [Timing(1.0, 1.0, 1.0, 2, 3)], "b": {"c": None}})
    assert found == {"a": [{"median": 1.0, "low": 1.0, "high": 1.0,
                            "turns": 2, "calls": 3}], "b": {"c": None}}


@pytest.fixture
def small(monkeypatch):
    """Records of small sizes, without a compiler."""
    fast(monkeypatch)
    put(
        monkeypatch, module, "digits", lambda: (*some_data(), "a few numbers"))
    monkeypatch.setattr(torch, "compile", lambda step: step)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    put(monkeypatch, module, "Sizes", partial(Sizes, 2, 1, 32, 4096))


def test_a_record_of_this_machine(small, capsys):
    found = make_record(module.Sizes())
    assert json.loads(json.dumps(found)) == found
    assert found["data"] == "a few numbers"
    assert (found["steps"], found["batch"]) == (2, 64)
    assert list(found["results"]) == ["cpu"]
    check_results(found["results"]["cpu"])
    assert found["results"]["cpu"]["transfers"] == {"absent": "needs CUDA"}
    assert found["results"]["cpu"]["products"][-1]["n"] == 32
    assert found["results"]["cpu"]["launches"]["eager"]["operations"] > 20
    assert capsys.readouterr().err.count("cpu:") == 3


def test_with_a_gpu_a_record_has_two_devices(small, monkeypatch):
    asked = []

    def measured(device, X, y, sizes):
        asked.append((device.type, sizes.largest, sizes.copy, sizes.steps))
        return {}

    put(monkeypatch, module, "measure", measured)
    put(monkeypatch, module, "pick_device", lambda: torch.device("cuda"))
    put(monkeypatch, module, "about", lambda: {"gpu": {"name": "H100"}})
    found = make_record(module.Sizes(), largest_gpu=77)
    assert asked == [("cuda", 77, 2**30, 2), ("cpu", 32, 4096, 2)]
    assert set(found["results"]) == {"cpu", "cuda"}


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write({"format": 1, "x": [1.5]}, path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept == {"format": 1, "x": [1.5]}
    with pytest.raises(TypeError):
        write({"x": object()}, path)
    assert json.loads(path.read_text(encoding="utf-8"))["x"] == [1.5]
    assert [f.name for f in tmp_path.iterdir()] == ["a.json"]


def test_records_are_read_newest_first(tmp_path):
    assert read(tmp_path) == read(tmp_path / "nowhere") == []
    for name, date in (("a", "2026-01-02"), ("b", "2027-01-01"),
                       ("c", "2025-12-31")):
        write({"format": 1, "date": date}, tmp_path / f"{name}.json")
    (tmp_path / "notes.txt").write_text("no record", encoding="utf-8")
    assert [r["date"][:4] for r in read(tmp_path)] == [
        "2027", "2026", "2025"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 2}'])
def test_what_is_no_record_is_named(tmp_path, text):
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.json: not a record"):
        read(tmp_path)


def test_a_cpu_is_named_with_its_threads():
    assert label({
        "gpu": None, "torch": "2.15.0", "date": "2026-11-25",
        "cpu": {"name": "EPYC", "cores": 4, "threads": 2},
    }) == "EPYC, 2 of 4 cores, torch 2.15.0, 2026-11-25"


@pytest.mark.parametrize("result, text", [
    (None, "–"), ({"absent": "needs CUDA"}, "–"),
    ({"median": 0.25}, "250 ms"),
])
def test_a_dash_stands_for_nothing(result, text):
    assert shown(result) == text


@pytest.mark.parametrize("first, second, found", [
    ([1, 2, 4, 8], [2, 2, 2, 2], 4),      # equal is not faster
    ([1, 2, 4, 8], [3, 1, 9, 2], 8),      # once faster is not enough
    ([1, 2, 4, 8], [9, 9, 9, 9], None),
    ([5, 5, 5, 5], [1, 1, 1, 1], 1),
    ([1, 2, 4], [2, 2, 2, 2], 3),         # only what both were given
    ([], [2, 2], None),
])
def test_a_crossover_is_where_the_second_stays_faster(
    first, second, found
):
    def rows(times):
        return [{"n": n, "time": {"median": t}}
                for n, t in enumerate(times, 1)]

    wanted = {4: 3, 8: 4}.get(found, found)
    assert crossover(rows(first), rows(second)[::-1], "n") == wanted


# -------------------------------------------------------- the command line


def test_the_command_writes_a_record(small, tmp_path, capsys):
    path = tmp_path / "deep" / "here.json"
    main(["--json", str(path)])
    (found,) = read(path.parent)
    check_results(found["results"]["cpu"])
    assert capsys.readouterr().out == f"{path}: {label(found)}\n"


@pytest.mark.parametrize("options, says", [
    ([], "--json"),
    (["--json", "."], ". cannot be written"),
    (["--json", "file/x.json"], "file"),
    (["--js", "x.json"], "--json"),
])
def test_what_cannot_be_written_ends_before_measuring(
    tmp_path, monkeypatch, capsys, options, says
):
    def too_late(*_):
        raise AssertionError("measured")

    put(monkeypatch, module, "make_record", too_late)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_it_needs_torch_alone():
    program = (
        "import sys\n"
        "for name in ('tqdm', 'torchvision', 'matplotlib', 'IPython'):\n"
        "    sys.modules[name] = None\n"
        "import scratch.timing\n"
        "print(*sorted(n for n in sys.modules if n.startswith('scratch.')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(REPO / "code")})
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [
        *("scratch." + name for name in (
            "backward", "data", "functional", "init", "mnist",
            "mnist.fetch", "mnist.files", "mnist.rebuild", "mnist.sources",
            "optim")),
        *("scratch.timing" + name for name in (
            "", ".clocks", ".loops", ".machine", ".profiler", ".records",
            ".replay", ".roofline", ".ways"))]


def test_it_runs_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "scratch.timing", "--help"],
        env=os.environ | {"PYTHONPATH": str(REPO / "code")},
        capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0 and "--json" in run.stdout
