"""Figures of Chapter 8: floats in a row, and where two sums part."""

import matplotlib.pyplot as plt
import torch

from figures.book import PALETTE, bare

TINY = (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8)


def row():
    """Floats of very few bits where they lie, and their places."""
    _, ax = plt.subplots(figsize=(6.4, 2.3))
    above = [(v, n) for n, v in enumerate(TINY)]
    below = [(-v, -1 - n) for n, v in enumerate(TINY)]
    wide = 8 / len(TINY)                         # of one place, drawn
    for value, n in below + above:
        role = "forward" if n >= 0 else "backward"
        at = wide * (n + 0.5)
        ax.plot([value, value], [0.92, 1.08], color=PALETTE["ink"],
                linewidth=1.1)
        ax.plot([value, at], [0.88, 0.12], color=PALETTE[role],
                linewidth=0.7, linestyle="-" if n >= 0 else "--")
        ax.text(at, 0, f"{n}".replace("-", "−"), ha="center", va="center",
                fontsize=8, color=PALETTE[role])
    ax.plot([-8.3, 8.3], [1, 1], color=PALETTE["ink"], linewidth=0.9)
    for value in (-8, -6, -4, -3, -2, -1, 1, 2, 3, 4, 6, 8):
        ax.text(value, 1.16, f"{value}".replace("-", "−"), ha="center",
                va="bottom", fontsize=9)
    ax.text(0, 1.16, "−0, 0", ha="center", va="bottom", fontsize=9)
    ax.text(-8.7, 1, "floats", ha="right", va="center", fontsize=9)
    ax.text(-8.7, 0, "places", ha="right", va="center", fontsize=9)
    ax.set(xlim=(-10.6, 8.5), ylim=(-0.15, 1.4))
    bare(ax)


def draws(ours, theirs):
    """Histograms of two sets of first weights, on one scale."""
    _, axes = plt.subplots(2, 1, figsize=(6.2, 2.9), sharex=True,
                           sharey=True)
    edges = torch.linspace(-0.2, 0.2, 81).tolist()
    for ax, weights, role, name in zip(
        axes, (ours, theirs), ("ours", "torch"),
        ("ours: normal", "nn.Linear: uniform"), strict=True,
    ):
        ax.hist(weights.flatten().tolist(), bins=edges,
                color=PALETTE[role], alpha=0.75, histtype="stepfilled",
                hatch=None if role == "ours" else "///",
                edgecolor=PALETTE[role])
        ax.text(0.02, 0.9, name, transform=ax.transAxes, va="top",
                color=PALETTE[role])
        ax.set(yticks=[], xlim=(-0.2, 0.2))
        ax.spines["left"].set_visible(False)
    axes[1].set_xlabel("a first weight")


def corner(sums):
    """ReLU and its slope close to 0, with the sums of two programs, of
    which one is awake and the other is not."""
    power = 10.0 ** -7
    reach = 2.2 * max(map(abs, sums)) / power
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.5))
    left.plot([-reach, 0, reach], [0, 0, reach], color=PALETTE["ink"])
    right.plot([-reach, 0], [0, 0], color=PALETTE["ink"])
    right.plot([0, reach], [1, 1], color=PALETTE["ink"])
    for z, role, name, marker in zip(
        sums, ("ours", "torch"), ("ours", "torch.nn"), "os", strict=True,
    ):
        z, awake = z / power, z > 0
        for ax, height in ((left, max(z, 0)), (right, int(awake))):
            ax.plot(z, height, marker, markersize=8,
                    color=PALETTE[role], markeredgecolor=PALETTE["paper"])
        right.text(z, 0.87 if awake else 0.13, name, fontsize=9,
                   ha="left" if awake else "right",
                   va="top" if awake else "bottom", color=PALETTE[role])
        left.text(z, max(z, 0) + (-0.08 if awake else 0.08) * reach, name,
                  ha="left" if awake else "right", fontsize=9,
                  va="top" if awake else "bottom", color=PALETTE[role])
    for ax, title in ((left, "what the unit passes on"),
                      (right, "the slope it passes back")):
        ax.set(title=title, xlabel="h_pre, in units of 10⁻⁷",
               xlim=(-reach, reach))
    left.set(ylim=(-0.12 * reach, reach), yticks=[])
    right.set(ylim=(-0.12, 1.15), yticks=[0, 1])
