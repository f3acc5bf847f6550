"""torch.cuda without a GPU."""

import contextlib
from types import SimpleNamespace

import torch

from parts import put
from scratch import timing as module
from scratch.timing import Tape


def pretend(monkeypatch):
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
