"""Optimizers on their way down: parabolas and narrow valleys."""

import math

import matplotlib.pyplot as plt
from matplotlib.patches import Ellipse

from figures.book import PALETTE

STYLE = {  # role, dash, marker
    "SGD": ("sgd", (0, (1.2, 1.2)), "o"),
    "momentum": ("momentum", (0, (5, 2)), "s"),
    "Adam": ("adam", "solid", "^"),
}


def parabolas(hops, curvature):
    """One parabola for each learning rate, with the w of each step."""
    _, axes = plt.subplots(1, len(hops), figsize=(6.2, 2.5), sharey=True)
    grid = [i / 50 - 1.7 for i in range(171)]
    for ax, (rate, path) in zip(axes, hops.items(), strict=True):
        ax.plot(grid, [curvature * w * w / 2 for w in grid],
                color=PALETTE["muted"], linewidth=1)
        ax.plot(path, [curvature * w * w / 2 for w in path], "o:",
                color=PALETTE["sgd"], markersize=4, linewidth=1)
        ax.plot(path[0], curvature * path[0] ** 2 / 2, "o",
                markersize=8, markerfacecolor="none", markeredgewidth=1.2,
                color=PALETTE["ink"])
        ax.set(title=f"lr {rate}", xlabel="w", xlim=(-1.7, 1.7),
               ylim=(-0.3, 5.6), xticks=[-1, 0, 1])
    axes[0].set(ylabel="loss")


def valleys(paths, curvatures):
    """Each optimizer's path in a valley and in the same, turned.

    `paths` maps a name to two lists of points (x, y).
    """
    _, axes = plt.subplots(
        2, 1, figsize=(5.6, 6.5), height_ratios=[2.8, 4.9], sharex=True,
    )
    names = [
        {"SGD": (-3.45, 0.72), "momentum": (-2.85, 0.62),
         "Adam": (-2.3, -0.62)},
        {"SGD": (-3.0, -1.95), "momentum": (-3.5, -1.5),
         "Adam": (-3.55, -2.95)},
    ]
    for place, (ax, angle) in enumerate(zip(axes, (0, 45), strict=True)):
        contours(ax, curvatures, angle)
        for name, both in paths.items():
            role, dash, marker = STYLE[name]
            x, y = zip(*both[place], strict=True)
            ax.plot(x, y, linestyle=dash, marker=marker, markersize=2.8,
                    linewidth=1.2, color=PALETTE[role])
            ax.text(*names[place][name], name, color=PALETTE[role],
                    fontweight="bold")
        ax.plot(*paths["SGD"][place][0], "o", markersize=9,
                markerfacecolor="none", color=PALETTE["ink"])
        ax.plot(0, 0, "*", markersize=11, color=PALETTE["ink"], zorder=5)
        ax.set_aspect("equal")
    axes[0].set(xlim=(-4.4, 1.3), ylim=(-1.35, 1.45), title="level")
    axes[1].set(xlim=(-4.4, 1.3), ylim=(-3.6, 1.3),
                title="turned by 45 degrees")


def contours(ax, curvatures, angle):
    """Lines of equal loss, of ½ (a x² + b y²) turned by an angle."""
    a, b = curvatures
    for loss in (0.25, 1, 3, 7, 13, 21):
        ax.add_patch(Ellipse(
            (0, 0), 2 * math.sqrt(2 * loss / a), 2 * math.sqrt(2 * loss / b),
            angle=angle, facecolor="none", edgecolor=PALETTE["muted"],
            linewidth=0.7, alpha=0.4,
        ))
