"""The graph of a product and a sum: values right, slopes left."""

import matplotlib.pyplot as plt
from matplotlib.patches import Circle

from figures.book import PALETTE, bare

RADIUS = 0.42
PLACES = (0, 2.9, 5.8)


def listed(tensor):
    """The numbers of a tensor, as short as they can be."""
    numbers = tensor.detach().flatten().tolist()
    return ", ".join(f"{v:g}" for v in numbers)


def node(ax, x, name, value, slope, note):
    """A circle with its value above and its slope below."""
    ax.add_patch(Circle((x, 0), RADIUS, facecolor="none", linewidth=1.2,
                        edgecolor=PALETTE["ink"]))
    ax.text(x, 0, name, ha="center", va="center", family="monospace",
            color=PALETTE["weights" if name == "w" else "ink"])
    ax.text(x, RADIUS + 0.12, value, ha="center", va="bottom",
            color=PALETTE["forward"], fontsize=10)
    ax.text(x, -RADIUS - 0.14, slope, ha="center", va="top",
            color=PALETTE["backward"], fontsize=10, style="italic")
    ax.text(x, -RADIUS - 0.62, note, ha="center", va="top",
            color=PALETTE["muted"], fontsize=8.5, linespacing=1.3)


def arrow(ax, start, end, y, role, dash, text):
    ax.annotate("", (end, y), (start, y), arrowprops={
        "arrowstyle": "-|>", "color": PALETTE[role], "linewidth": 1.2,
        "linestyle": dash})
    ax.text((start + end) / 2, y + (0.1 if y > 0 else -0.12), text,
            ha="center", va="bottom" if y > 0 else "top",
            color=PALETTE[role])


def three_nodes(w, x, product, out):
    """Draw out = (w * x).sum() after backward; w.grad is filled."""
    _, ax = plt.subplots(figsize=(5.8, 2.1))
    ones = ", ".join("1" for _ in x)
    node(ax, PLACES[0], "w", listed(w), listed(w.grad), "w.grad\na leaf")
    node(ax, PLACES[1], "∗", listed(product), ones, "w ∗ x")
    node(ax, PLACES[2], "sum", listed(out), "1", "out")
    for left, right, there, back in (
        (PLACES[0], PLACES[1], f"times {listed(x)}", f"times {listed(x)}"),
        (PLACES[1], PLACES[2], "added", "passed on"),
    ):
        ends = (left + RADIUS + 0.12, right - RADIUS - 0.12)
        arrow(ax, *ends, 0.14, "forward", "-", there)
        arrow(ax, *ends[::-1], -0.14, "backward", "--", back)
    ax.text(-0.75, RADIUS + 0.12, "values", ha="right", va="bottom",
            color=PALETTE["forward"])
    ax.text(-0.75, -RADIUS - 0.14, "slopes", ha="right", va="top",
            color=PALETTE["backward"], style="italic")
    ax.set(xlim=(-1.9, 6.5), ylim=(-1.5, 0.9), aspect="equal")
    bare(ax)
