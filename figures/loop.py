"""The training loop as the circle that it is."""

from math import cos, pi, sin

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from figures.book import PALETTE, bare

STEPS = (("batch", "forward"), ("forward", "forward"), ("loss", "forward"),
         ("backward", "backward"), ("step", "weights"), ("zero", "muted"))
HANDED = ("images, labels", "logits", "one number", "gradients",
          "moved weights", "no gradients")
WIDE, HIGH = 3.0, 1.15                           # of the circle
BOX = (1.25, 0.5)


def place(n):
    """The middle of step n, clockwise from the upper left."""
    angle = 2 * pi * (2 - n) / len(STEPS)
    return WIDE * cos(angle), HIGH * sin(angle)


def circle():
    """Draw the six steps, and on each arrow what is handed on."""
    _, ax = plt.subplots(figsize=(6.3, 2.45))
    for n, (name, role) in enumerate(STEPS):
        x, y = place(n)
        ax.add_patch(FancyBboxPatch(
            (x - BOX[0] / 2, y - BOX[1] / 2), *BOX, facecolor="none",
            boxstyle="round,pad=0,rounding_size=0.12", linewidth=1.2,
            edgecolor=PALETTE[role]))
        ax.text(x, y, name, ha="center", va="center", weight="bold",
                fontsize=10.5, color=PALETTE[role])
    for n, text in enumerate(HANDED):
        arrow(ax, n, text)
    ax.text(0, 0, "once around:\none batch", ha="center", va="center",
            color=PALETTE["muted"])
    ax.set(xlim=(-4.6, 4.6), ylim=(-1.55, 1.55), aspect="equal")
    bare(ax)


def arrow(ax, n, text):
    """From step n to the next, with `text` beside it."""
    role = STEPS[n][1]
    (x, y), (u, v) = place(n), place((n + 1) % len(STEPS))
    level = abs(y - v) < 0.1
    if level:                                    # from side to side
        side = BOX[0] / 2 if u > x else -BOX[0] / 2
        ends = (x + side, y), (u - side, v)
    else:                                        # around a corner
        out = BOX[0] / 2 * (0.55 if x > 0 else -0.55)
        down = BOX[1] / 2 if v > y else -BOX[1] / 2
        ends = (x + (out if abs(x) < abs(u) else 0), y + down), \
            (u + (out if abs(u) < abs(x) else 0), v - down)
    ax.annotate("", ends[1], ends[0], arrowprops={
        "arrowstyle": "-|>", "color": PALETTE[role], "linewidth": 1.2,
        "linestyle": "--" if role == "backward" else "-",
        "shrinkA": 2, "shrinkB": 2})
    middle = [(a + b) / 2 for a, b in zip(*ends, strict=True)]
    if level:
        ax.text(middle[0], middle[1] + (0.13 if y > 0 else -0.13), text,
                ha="center", va="bottom" if y > 0 else "top", fontsize=9,
                color=PALETTE[role])
    else:
        right = middle[0] > 0
        ax.text(middle[0] + (0.32 if right else -0.32), middle[1], text,
                ha="left" if right else "right", va="center", fontsize=9,
                color=PALETTE[role])
