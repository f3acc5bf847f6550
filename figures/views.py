"""A view and a copy: windows on one storage, and a second storage."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare


def strip(ax, left, values, role):
    """A storage, a square a number."""
    for n, value in enumerate(values):
        ax.add_patch(Rectangle(
            (left + n, 0), 1, 1, facecolor=PALETTE[role] + "20",
            edgecolor=PALETTE[role], linewidth=0.9,
        ))
        ax.text(left + n + 0.5, 0.5, f"{value}", ha="center", va="center")


def window(ax, left, right, y, text):
    """A tensor: a bracket above the numbers that it reads."""
    ax.plot([left + 0.08, left + 0.08, right - 0.08, right - 0.08],
            [y - 0.22, y, y, y - 0.22], color=PALETTE["forward"])
    ax.text((left + right) / 2, y + 0.12, text, ha="center", va="bottom",
            color=PALETTE["forward"])


def about(name, tensor):
    return (f"{name}: shape {list(tensor.shape)}, "
            f"offset {tensor.storage_offset()}")


def views(grid, part, listed):
    """Draw `grid`, its slice `part`, and the copy `listed`."""
    _, ax = plt.subplots(figsize=(6.4, 1.9))
    whole, copied = grid.flatten().tolist(), listed.flatten().tolist()
    start = part.storage_offset()
    strip(ax, 0, whole, "weights")
    window(ax, 0, len(whole), 2.25, about("grid", grid))
    window(ax, start, start + part.numel(), 1.35, about("grid[1:]", part))
    left = len(whole) + 3
    strip(ax, left, copied, "weights")
    window(ax, left, left + len(copied), 1.35,
           about("grid[[1]]", listed))
    ax.annotate("", (left - 0.15, 0.5), (len(whole) + 0.15, 0.5),
                arrowprops={"arrowstyle": "->", "linestyle": "--",
                            "color": PALETTE["ink"]})
    ax.text((len(whole) + left) / 2, 0.62, "copied", ha="center",
            va="bottom")
    for x, text in ((len(whole) / 2, "one storage"),
                    (left + len(copied) / 2, "another storage")):
        ax.text(x, -0.15, text, ha="center", va="top",
                color=PALETTE["muted"])
    ax.set(xlim=(-0.8, left + len(copied) + 1.4), ylim=(-0.6, 2.75),
           aspect="equal")
    bare(ax)
