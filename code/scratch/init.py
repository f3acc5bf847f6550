# Tangled from book/01-tensors.qmd. Checksum 4833910e.
from itertools import pairwise

import torch


def kaiming_normal(
    fan_in, fan_out, *, generator=None, dtype=None, device=None
):
    """Weights W [fan_in, fan_out], normal with variance 2 / fan_in.

    He et al. (2015), for a layer that is followed by ReLU. Raises
    ValueError for a size below 1.
    """
    if min(fan_in, fan_out) < 1:
        raise ValueError(f"sizes {fan_in} and {fan_out}: at least 1")
    W = torch.randn(
        fan_in, fan_out, generator=generator, dtype=dtype, device=device
    )
    return W * (2 / fan_in) ** 0.5


def make_weights(scheme, fan_in, fan_out, *, generator, **kind):
    """W [fan_in, fan_out] by the scheme of that name."""
    if scheme == "kaiming":
        return kaiming_normal(
            fan_in, fan_out, generator=generator, **kind
        )
    if scheme == "normal":
        return torch.randn(
            fan_in, fan_out, generator=generator, **kind
        )
    if scheme == "zeros":
        return torch.zeros(fan_in, fan_out, **kind)
    raise ValueError(f"scheme {scheme!r}: not kaiming, normal or zeros")


def make_params(
    sizes=(784, 128, 10), *, seed=0, scheme="kaiming",
    dtype=None, device=None,
):
    """[W1, b1, W2, b2, ...]: leaves that require gradients.

    W is [fan_in, fan_out], drawn by scheme "kaiming", "normal"
    (variance 1) or "zeros"; b is [fan_out], zeros. Raises ValueError
    for another scheme, and for fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes {sizes}: need at least two")
    if device is None:
        device = torch.get_default_device()
    kind = {"dtype": dtype, "device": device}
    generator = torch.Generator(device).manual_seed(seed)
    params = []
    for fan_in, fan_out in pairwise(sizes):
        params.append(make_weights(
            scheme, fan_in, fan_out, generator=generator, **kind
        ))
        params.append(torch.zeros(fan_out, **kind))
    return [p.requires_grad_() for p in params]
