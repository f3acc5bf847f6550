"""A small network as a graph: values flow right, gradients left."""

import matplotlib.pyplot as plt
from matplotlib.patches import Circle

from figures.book import PALETTE, bare

RADIUS = 0.17
COLUMNS = {"x": 0, "h_pre": 2.15, "h": 3.35, "logits": 5.5, "loss": 6.7}
ROWS = (1.55, 0)


def number(value):
    """Two decimals, a true minus sign, and never a minus zero."""
    return f"{value + 0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def node(ax, at, value, slope):
    """A circle with its value above and its gradient below it."""
    x, y = at
    ax.add_patch(Circle(at, RADIUS, facecolor="none", linewidth=1.2,
                        edgecolor=PALETTE["ink"], zorder=3))
    ax.text(x, y + RADIUS + 0.06, number(value), ha="center", va="bottom",
            color=PALETTE["forward"], fontsize=9.5)
    if slope is not None:
        ax.text(x, y - RADIUS - 0.08, number(slope), ha="center", va="top",
                color=PALETTE["backward"], fontsize=9.5, style="italic")


def edge(ax, start, end, role="muted", **how):
    """A line between the rims of two circles."""
    (x0, y0), (x1, y1) = start, end
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    dx, dy = (x1 - x0) / length * RADIUS, (y1 - y0) / length * RADIUS
    ax.plot([x0 + dx, x1 - dx], [y0 + dy, y1 - dy], linewidth=0.9,
            color=PALETTE[role], zorder=1, **how)


def layer(ax, left, right, weights, slopes):
    """Four edges, broken by each weight and its gradient."""
    for i, y0 in enumerate(ROWS):
        for j, y1 in enumerate(ROWS):
            x0, x1 = COLUMNS[left], COLUMNS[right]

            def at(s, x0=x0, x1=x1, y0=y0, y1=y1):
                return x0 + s * (x1 - x0), y0 + s * (y1 - y0)

            middle = 0.5 if i == j else 0.285
            half = 0.16 if i == j else 0.135
            for part in ((0.085, middle - half), (middle + half, 0.915)):
                ends = list(zip(*map(at, part), strict=True))
                ax.plot(*ends, color=PALETTE["muted"], linewidth=0.9)
            x, y = at(middle)
            ax.text(x, y + 0.01, number(weights[i][j]), ha="center",
                    va="bottom", color=PALETTE["weights"], fontsize=8.5)
            ax.text(x, y - 0.03, number(slopes[i][j]), ha="center",
                    va="top", color=PALETTE["backward"], fontsize=8.5,
                    style="italic")


def graph(values, slopes):
    """Draw the network; both are lists by name: x, h_pre, h and logits
    [2], loss a number, W1 and W2 [2][2]. `slopes` may lack x."""
    _, ax = plt.subplots(figsize=(5.3, 3.2))
    layer(ax, "x", "h_pre", values["W1"], slopes["W1"])
    layer(ax, "h", "logits", values["W2"], slopes["W2"])
    for i, y in enumerate(ROWS):
        asleep = values["h_pre"][i] <= 0
        edge(ax, (COLUMNS["h_pre"], y), (COLUMNS["h"], y),
             linestyle=":" if asleep else "-")
        edge(ax, (COLUMNS["logits"], y), (COLUMNS["loss"], sum(ROWS) / 2))
    for name, x in COLUMNS.items():
        if name == "loss":
            node(ax, (x, sum(ROWS) / 2), values[name], slopes[name])
            continue
        for i, y in enumerate(ROWS):
            slope = slopes[name][i] if name in slopes else None
            node(ax, (x, y), values[name][i], slope)
    for name, x in COLUMNS.items():
        ax.text(x, 2.4, name, ha="center", weight="bold")
    for name, left, right in [("W1", "x", "h_pre"), ("W2", "h", "logits")]:
        ax.text((COLUMNS[left] + COLUMNS[right]) / 2, 2.4, name,
                ha="center", color=PALETTE["weights"], weight="bold")
    middle = (COLUMNS["h_pre"] + COLUMNS["h"]) / 2
    ax.text(middle, ROWS[0] + 0.08, "ReLU", ha="center", fontsize=8)
    ax.text(middle, ROWS[1] + 0.08, "ReLU", ha="center", fontsize=8)
    for y, digit in zip(ROWS, "37", strict=True):
        ax.text(COLUMNS["logits"], y, digit, ha="center", va="center",
                weight="bold",
                color=PALETTE["correct" if digit == "7" else "ink"])

    for y, role, text, ends in [
        (-0.78, "forward", "values, above", (0, 1)),
        (-1.12, "backward", "gradients, below", (1, 0)),
    ]:
        xs = (3.9, COLUMNS["loss"] + 0.2)
        ax.annotate("", (xs[ends[1]], y), (xs[ends[0]], y), arrowprops={
            "arrowstyle": "-|>", "color": PALETTE[role], "linewidth": 1.2,
            "linestyle": "-" if role == "forward" else "--",
        })
        ax.text(3.7, y, text, ha="right", va="center",
                color=PALETTE[role],
                style="normal" if role == "forward" else "italic")
    ax.set(xlim=(-0.4, COLUMNS["loss"] + 0.45), ylim=(-1.3, 2.65))
    ax.set_aspect("equal")
    bare(ax)
