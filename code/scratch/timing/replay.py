# Tangled from book/09-gpu.qmd. Checksum 303cc121.
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scratch.timing.clocks import is_cuda


class Tape(TorchDispatchMode):
    """Records kernels and the memory they work in; replays them.

    A CUDA graph in Python: what is between the kernels, names,
    loops and Python's numbers, is not on the tape.
    """

    def __init__(self):
        super().__init__()
        self.kernels = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = op(*args, **kwargs)
        if not op.is_view:                       # a view stays one
            new = None if op._schema.is_mutable else out
            self.kernels.append((op, args, kwargs, new))
        return out

    def replay(self):
        """Run the kernels again, into the same memory."""
        for op, args, kwargs, new in self.kernels:
            out = op(*args, **kwargs)
            if torch.is_tensor(new):
                new.copy_(out)
            elif new is not None:
                for old, now in zip(new, out, strict=True):
                    old.copy_(now)


def record(step, state, device):
    """A function that repeats step() without its Python.

    state: the tensors that step changes. They are put back, so that
    recording leaves no trace. On a GPU this is a CUDA graph, on a
    CPU a Tape.
    """
    before = [t.clone() for t in state]
    if is_cuda(device):
        replay = record_graph(step)
    else:
        with Tape() as tape:
            step()
        replay = tape.replay
    for t, old in zip(state, before, strict=True):
        t.copy_(old)
    return replay


def record_graph(step):
    """step() as a CUDA graph; it has run three times before."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):                # not the default one
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):                # recorded, not run
        step()
    return graph.replay
