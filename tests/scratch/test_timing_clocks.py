"""The device, the clock, and when a device is done."""

import statistics
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from parts import put
from scratch import timing as module
from scratch.timing import (
    Timing,
    clock,
    is_cuda,
    pick_device,
    race,
    readable,
    summary,
    time_op,
    wait,
    waiting,
)

CPU = torch.device("cpu")


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


def test_on_a_cpu_a_product_returns_when_it_is_done():
    found = waiting("cpu", 256, turns=5)
    assert set(found) == {"n", "returns", "done"}
    assert 0.5 * found["done"] < found["returns"] <= found["done"]


def test_on_a_gpu_events_are_asked_too(cuda):
    found = waiting("cpu", 8, turns=3)
    assert found["event"] == 0.25 and found["n"] == 8
    assert 0 < found["returns"] <= found["done"]
    assert cuda.log == ["synchronize", "event", "event",
                        "synchronize"] * 4
