"""Numbers of a page beside tensors, element by element."""

import torch


def close(ours, theirs, rel=1e-6, least=1e-12):
    """Equal to `rel`, element by element."""
    a, b = (torch.as_tensor(t, dtype=torch.float64) for t in (ours, theirs))
    assert a.shape == b.shape
    assert ((a - b).abs() <= rel * b.abs() + least).all(), (
        f"off by {((a - b).abs() / (b.abs() + least)).max():.1e}")
