# Tangled from book/09-gpu.qmd. Checksum 81f34794.
import statistics
import time
from dataclasses import dataclass

import torch


def pick_device():
    """The GPU if torch can use one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def is_cuda(device):
    """Whether a device, or its name, is a GPU that CUDA serves."""
    return torch.device(device).type == "cuda"


def wait(device):
    """Return when the device has done all that it was given."""
    if is_cuda(device):
        torch.cuda.synchronize(device)


def clock(fn, calls, device):
    """The seconds of so many calls, until the device is done."""
    wait(device)
    start = time.perf_counter()
    for _ in range(calls):
        fn()
    wait(device)
    return time.perf_counter() - start


@dataclass(frozen=True)
class Timing:
    """Seconds a call: the median of the turns, and the quartiles."""

    median: float
    low: float
    high: float
    turns: int
    calls: int = 1                               # in each turn

    def __str__(self):
        return (f"{readable(self.median)}"
                f" ({readable(self.low)} to {readable(self.high)})")


UNITS = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


def readable(seconds):
    """A time with three digits, in the unit that suits it."""
    for unit, size in UNITS.items():
        if seconds >= 0.9995 * size:             # 999.5 is 1e+03
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def summary(times, calls=1):
    """The Timing of turns that took so many seconds a call."""
    times = sorted(times)
    quarter = len(times) // 4
    return Timing(statistics.median(times), times[quarter],
                  times[-1 - quarter], len(times), calls)


def time_op(fn, device="cpu", *, turns=11, seconds=0.01):
    """The Timing of fn(), warmed up, waited for and repeated.

    A turn makes as many calls as take `seconds` or more.
    """
    fn()                                         # the first is slower
    calls = 1
    while clock(fn, calls, device) < seconds:
        calls *= 2
    return summary(
        [clock(fn, calls, device) / calls for _ in range(turns)], calls)


def waiting(device, n, turns=11):
    """When a product of [n, n] returns, and when it is done.

    Medians, in seconds. On a GPU also what lies between two events
    on the device's own clock.
    """
    a = torch.randn(n, n, device=device)         # [n, n]
    cuda = is_cuda(device)
    times = {"returns": [], "done": [], "event": []}
    for _ in range(turns + 1):
        wait(device)
        if cuda:
            first = torch.cuda.Event(enable_timing=True)
            last = torch.cuda.Event(enable_timing=True)
            first.record()
        start = time.perf_counter()
        a @ a
        times["returns"].append(time.perf_counter() - start)
        if cuda:
            last.record()
        wait(device)
        times["done"].append(time.perf_counter() - start)
        if cuda:
            times["event"].append(first.elapsed_time(last) / 1000)
    found = {name: statistics.median(t[1:])      # the first warms up
             for name, t in times.items() if t}
    return {"n": n, **found}


def race(runs, device, rounds):
    """Let functions take turns; {name: Timing}.

    A machine that is busy for a moment slows all of them.
    """
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(clock(run, 1, device))
    return {name: summary(t) for name, t in times.items()}
