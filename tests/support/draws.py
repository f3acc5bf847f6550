"""Random tensors, and results on them that differ by rounding alone."""

import torch


def draw(seed, *shapes, dtype=torch.float32):
    """Standard normal tensors of these shapes, from one seed."""
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(s, generator=generator, dtype=dtype) for s in shapes]
    return made if len(made) > 1 else made[0]


def draw_targets(seed, N, classes):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(classes, (N,), generator=generator)


def draw_network(seed, N, width, hidden, classes, dtype=torch.float32):
    """x, targets and the four parameters, with biases that are not 0."""
    x, W1, b1, W2, b2 = draw(
        seed, (N, width), (width, hidden), (hidden,), (hidden, classes),
        (classes,), dtype=dtype,
    )
    return x, draw_targets(seed, N, classes), [W1, b1, W2, b2]


def near(ours, theirs, ulps=16, size=1.0):
    """Equal but for the rounding of numbers up to `size`."""
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    slack = ulps * torch.finfo(ours.dtype).eps
    torch.testing.assert_close(
        ours, theirs, rtol=slack, atol=slack * size, equal_nan=True
    )
