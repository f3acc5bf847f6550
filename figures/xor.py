"""XOR before and after two hidden units fold the plane."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def panel(ax, points, targets, title):
    """Mark each point by its class: a disk for 1, a ring for 0."""
    for (a, b), target in zip(points, targets, strict=True):
        role = "correct" if target else "forward"
        ax.plot(a, b, "o", markersize=11, markeredgewidth=2,
                color=PALETTE[role],
                markerfacecolor=PALETTE[role] if target else "none",
                clip_on=False, zorder=3)
    ax.set_title(title)
    ax.set_aspect("equal")


def fold(points, hidden, targets):
    """Draw the four inputs [4, 2] and what the hidden layer makes of
    them, `hidden` [4, 2]; `targets` [4] are 0 or 1."""
    _, (left, right) = plt.subplots(
        1, 2, figsize=(5.8, 2.7), width_ratios=[2, 3.3],
    )
    points, hidden = points.tolist(), hidden.tolist()
    targets = targets.flatten().int().tolist()

    panel(left, points, targets, "the inputs")
    for a, b in points:
        left.text(a, b + 0.17, f"({a:.0f}, {b:.0f})", ha="center")
    left.set(xlim=(-0.5, 1.5), ylim=(-0.4, 1.6), xticks=[0, 1],
             yticks=[0, 1], xlabel="first input", ylabel="second input")

    panel(right, hidden, targets, "the hidden layer")
    right.text(0, 0.17, "(0, 0)", ha="center")
    right.text(1.2, -0.15, "(0, 1) and (1, 0)", va="center")
    right.text(2, 1.17, "(1, 1)", ha="center")
    edge = [0.5, 2.7]
    right.plot(edge, [(a - 0.5) / 2 for a in edge], "--",
               color=PALETTE["ink"], linewidth=1.2)
    right.text(2.8, 0.5, "output above ½", ha="right", va="top",
               fontsize=8, color=PALETTE["muted"])
    right.set(xlim=(-0.5, 2.8), ylim=(-0.4, 1.6), xticks=[0, 1, 2],
              yticks=[0, 1], xlabel="first unit", ylabel="second unit")
