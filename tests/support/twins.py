"""Layers of scratch.nn and their twins of torch.nn."""

import torch
from hypothesis import settings
from hypothesis import strategies as st

from draws import draw
from exact import bits

DTYPES = [torch.float32, torch.float64]
dtypes = st.sampled_from(DTYPES)
seeds = st.integers(0, 2**31)
bools = st.booleans()
some = settings(max_examples=60)
few = settings(max_examples=25)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def both_of(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def assert_same(ours, theirs):
    """Equal to the last bit, the signs of zeros included."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert torch.equal(bits(a), bits(b))


def assert_close(ours, theirs, size=1.0):
    """Within 1e-5 or 1e-10 of the largest number, at least of 1."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        if not b.is_floating_point():
            assert torch.equal(a, b)
        elif b.numel():
            largest = max(size, b.abs().max().item())
            gap = (a - b).abs().max().item()
            assert gap <= TOLERANCE[b.dtype] * largest


def twin(ours, theirs):
    """Their state in ours and back, which must work both ways."""
    for t in ours.state_dict().values():
        if t.is_floating_point():
            t.uniform_(0.2, 1.5)  # buffers too, so that all of it counts
    assert str(theirs.load_state_dict(ours.state_dict())) == (
        "<All keys matched successfully>")
    for t in theirs.state_dict().values():
        if t.is_floating_point():
            t.mul_(-0.9 if t.dim() > 1 else 0.9)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    return ours, theirs


def passes(module, *inputs, call=None):
    """Outputs, then gradients for inputs and parameters."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = (call or module)(*leaves)
    wanted = [*leaves, *module.parameters()]
    weights = draw(99, out.shape, dtype=out.dtype)
    grads = torch.autograd.grad(out, wanted, weights)
    return [out.detach(), *grads]
