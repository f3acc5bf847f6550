"""Random numbers, and a function's gradients on our tape and on torch's."""

import torch

from scratch.autograd import Tensor

INDEX = torch.tensor([2, 0, 2, 1])


def drawn(seed, *shapes, dtype=torch.float64, low=None):
    """Random tensors; numbers of at least low, if that is given."""
    g = torch.Generator().manual_seed(seed)
    made = [torch.randn(s, generator=g, dtype=torch.float64)
            for s in shapes]
    if low is not None:
        made = [t.abs() + low for t in made]
    return [t.to(dtype) for t in made]


def gradients(f, numbers):
    """(out, gradients) on our tape, and the same on torch's."""
    ours = [Tensor(t, requires_grad=True) for t in numbers]
    theirs = [t.clone().requires_grad_() for t in numbers]
    a, b = f(*ours), f(*theirs)
    weights = torch.linspace(1, 2, max(b.numel(), 1), dtype=b.dtype)
    weights = weights[:b.numel()].reshape(b.shape)
    a.backward(weights)
    b.backward(weights)
    return ((a.data, [t.grad for t in ours]),
            (b.detach(), [t.grad for t in theirs]))
