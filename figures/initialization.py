"""Figures of Chapter 1 about the first values of the weights."""

import matplotlib.pyplot as plt
import torch

from figures.book import PALETTE


def depth_curves(normal, one_over, kaiming, width: int) -> None:
    """Spread of h_pre by layer for three scales; thin: predicted."""
    fig, ax = plt.subplots(figsize=(6.4, 3.5))
    curve(ax, normal, width**0.5, (width / 2) ** 0.5, "sgd", (0, (5, 2)))
    curve(ax, one_over, 1, 0.5**0.5, "forward", (0, (1.5, 1.2)))
    curve(ax, kaiming, 2**0.5, 1, "correct", "solid")
    name(ax, (17, 1e22), "scale 1", "sgd", "right")
    name(ax, (50, 60), "scale √(2 / fan-in)", "correct", "right")
    name(ax, (50, 1e-12), "scale √(1 / fan-in)", "forward", "right")
    end = (len(normal), normal[-1])
    ax.plot(*end, "x", ms=8, mew=2, color=PALETTE["sgd"])
    beside = (end[0] + 1.2, end[1] / 3)
    name(ax, beside, "too large for\nfloat32", "sgd", "left")
    ax.set_yscale("log")
    ax.set(
        xlabel="layer", ylabel="standard deviation of h_pre",
        ylim=(1e-14, 1e40), yticks=[10.0**p for p in range(-10, 41, 10)],
    )
    ax.minorticks_off()
    ax.grid(axis="y")


def curve(ax, spreads, first, factor, role, dash) -> None:
    """One measured curve, and below it the predicted one."""
    layers = range(1, len(spreads) + 1)
    predicted = [first * factor ** (i - 1) for i in layers]
    ax.plot(layers, predicted, color=PALETTE["ink"], lw=0.7, alpha=0.6)
    ax.plot(layers, spreads, color=PALETTE[role], ls=dash, lw=2)


def name(ax, at, text, role, side) -> None:
    """The name of a curve, written beside it."""
    ax.text(*at, text, color=PALETTE[role], ha=side, va="center")


def spread(normal, kaiming, reach: float = 30, bins: int = 160) -> None:
    """Histograms of h_pre [N, hidden] for two scales of the weights."""
    fig, axes = plt.subplots(2, 1, figsize=(6.4, 3.2), sharex=True)
    edges = torch.linspace(-reach, reach, bins + 1)
    for ax, sums, role, text in (
        (axes[0], normal, "sgd", "standard normal weights"),
        (axes[1], kaiming, "correct", "Kaiming weights"),
    ):
        counts = torch.histc(sums, bins, -reach, reach)
        share = (counts / sums.numel()).tolist()
        middles = ((edges[1:] + edges[:-1]) / 2).tolist()
        color = PALETTE[role]
        ax.bar(middles, share, width=2 * reach / bins * 0.9, linewidth=0.5,
               color=[color if m > 0 else "none" for m in middles],
               edgecolor=color)
        name(ax, (-reach, max(share) * 0.75), text, role, "left")
        ax.text(reach, max(share) * 0.75, f"standard deviation "
                f"{sums.std():.2f}", ha="right", va="center")
        ax.set(yticks=[], xlim=(-reach, reach))
        ax.spines["left"].set_visible(False)
    axes[1].set_xlabel("h_pre")
