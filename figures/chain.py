"""The smallest network with a hidden layer, as a chain of slopes."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from figures.book import PALETTE, bare


def chain(names, values, links, slopes, gradients):
    """Draw a chain of numbers, `links` between them (what is computed)
    and their `slopes`; below, the gradient of the last in each."""
    gap, wide = 2.0, 0.95
    _, ax = plt.subplots(figsize=(6.3, 2.4))
    for n, (name, value, d) in enumerate(
            zip(names, values, gradients, strict=True)):
        x = n * gap
        ax.add_patch(FancyBboxPatch(
            (x - wide / 2, -0.32), wide, 0.64, facecolor="none",
            boxstyle="round,pad=0,rounding_size=0.12", linewidth=1.2,
            edgecolor=PALETTE["ink"]))
        ax.text(x, 0, f"{value:g}", ha="center", va="center", fontsize=11,
                color=PALETTE["weights" if n == 0 else "forward"])
        ax.text(x, 0.5, name, ha="center", weight="bold", fontsize=10.5)
        ax.text(x, -1.62, f"{d:g}", ha="center", va="center", fontsize=11,
                color=PALETTE["backward"], style="italic")
    for n, (link, slope) in enumerate(zip(links, slopes, strict=True)):
        left, right = n * gap + wide / 2, (n + 1) * gap - wide / 2
        middle = (left + right) / 2
        ax.annotate("", (right, 0), (left, 0), arrowprops={
            "arrowstyle": "-|>", "color": PALETTE["forward"],
            "linewidth": 1.2, "shrinkA": 1, "shrinkB": 1})
        ax.text(middle, 0.42, link, ha="center", fontsize=9,
                color=PALETTE["forward"])
        ax.annotate("", (left - 0.1, -1.62), (right + 0.1, -1.62),
                    arrowprops={
            "arrowstyle": "-|>", "color": PALETTE["backward"],
            "linewidth": 1.2, "linestyle": "--"})
        ax.text(middle, -1.42, f"× {slope:g}", ha="center", fontsize=10,
                color=PALETTE["backward"])
        ax.text(middle, -0.62, f"slope {slope:g}", ha="center", fontsize=9,
                color=PALETTE["muted"])
    end = (len(names) - 1) * gap
    ax.text(-0.75, -1.62, "d_", ha="right", va="center", fontsize=10.5,
            weight="bold", color=PALETTE["backward"])
    ax.set(xlim=(-1.3, end + 0.6), ylim=(-1.95, 0.85))
    ax.set_aspect("equal")
    bare(ax)
