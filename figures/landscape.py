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
               ylim=(-0.3, 5.2), xticks=[-1, 0, 1])
    axes[0].set(ylabel="loss")


def valleys(paths, curvatures):
    """Each optimizer's path in a valley and in the same, turned.

    `paths` maps a name to two lists of points (x, y).
    """
    _, axes = plt.subplots(2, 1, figsize=(5.6, 6.4), height_ratios=[1, 1.35])
    for place, (ax, angle) in enumerate(zip(axes, (0, 45), strict=True)):
        contours(ax, curvatures, angle)
        for name, both in paths.items():
            role, dash, marker = STYLE[name]
            x, y = zip(*both[place], strict=True)
            ax.plot(x, y, linestyle=dash, marker=marker, markersize=3,
                    linewidth=1.3, color=PALETTE[role])
        ax.plot(0, 0, "*", markersize=11, color=PALETTE["ink"], zorder=5)
        ax.set_aspect("equal")
    axes[0].set(xlim=(-4.4, 1.3), ylim=(-1.35, 1.45))
    axes[1].set(xlim=(-4.4, 1.3), ylim=(-3, 1.3))


def contours(ax, curvatures, angle):
    """Lines of equal loss, of ½ (a x² + b y²) turned by an angle."""
    a, b = curvatures
    for loss in (0.25, 1, 3, 7, 13, 21):
        ax.add_patch(Ellipse(
            (0, 0), 2 * math.sqrt(2 * loss / a), 2 * math.sqrt(2 * loss / b),
            angle=angle, facecolor="none", edgecolor=PALETTE["rule"],
            linewidth=0.9,
        ))
