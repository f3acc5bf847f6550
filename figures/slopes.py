"""Curves with a slope, and one that has none: Chapters 3 and 4."""

from math import log

import matplotlib.pyplot as plt

from figures.book import PALETTE


def signed(value, digits=2):
    """A number with its sign, and a true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def staircase(moves, hits, count):
    """Draw how many of `count` images are right, over a move of W2."""
    _, ax = plt.subplots(figsize=(5.6, 2.4))
    ax.step(moves, hits, where="mid", color=PALETTE["forward"])
    ax.axvline(0, color=PALETTE["rule"], linewidth=0.8, zorder=0)
    ax.text(0, max(hits) + 1.2, "here the network stands", ha="center",
            fontsize=8, color=PALETTE["muted"])
    ax.set(xlabel="how far W2 has moved", ylabel=f"right, of {count}",
           xlim=(moves[0], moves[-1]), ylim=(0, max(hits) + 2.5))


def surprise(ours):
    """Draw −ln p over p, with the numbers at some places; `ours` is the
    probability that the right class of our 7 was given."""
    _, ax = plt.subplots(figsize=(5.4, 3.1))
    chances = [k / 1000 for k in range(3, 1001)]
    ax.plot(chances, [-log(p) for p in chances], color=PALETTE["forward"])
    for p, dx, dy in [(0.01, 0.02, 0.05), (0.5, 0.02, 0.12),
                      (0.9, -0.02, 0.4), (1.0, -0.005, 0.9)]:
        ax.plot(p, -log(p), "o", color=PALETTE["forward"], markersize=4.5,
                clip_on=False, zorder=3)
        ax.text(p + dx, -log(p) + dy, f"p = {p:g}: {-log(p) + 0:.2f}",
                ha="left" if dx > 0 else "right",
                fontsize=8.5)
    ax.plot(ours, -log(ours), "D", color=PALETTE["correct"], markersize=6,
            zorder=4)
    ax.text(ours + 0.03, -log(ours) + 0.05,
            f"our 7, p = {ours:.2f}: {-log(ours):.2f}",
            color=PALETTE["correct"], fontsize=8.5)
    ax.set(xlabel="p, the probability of the right class", ylabel="−ln p",
           xlim=(0, 1), ylim=(0, 5.4), xticks=[0, 0.25, 0.5, 0.75, 1])


def tangents(curves):
    """Draw, side by side, a loss over one logit, and the straight line
    that touches it where the network stands. A curve is (name, role,
    values of the logit, losses, where it stands, loss there, slope)."""
    _, axes = plt.subplots(1, len(curves), figsize=(6.2, 2.9), sharey=True)
    for ax, (name, role, zs, losses, z, loss, slope) in zip(
            axes, curves, strict=True):
        ax.plot(zs, losses, color=PALETTE["forward"])
        reach = 1.6
        ax.plot([z - reach, z + reach],
                [loss - reach * slope, loss + reach * slope], "--",
                color=PALETTE["backward"], linewidth=1.4)
        ax.plot(z, loss, "o", color=PALETTE["ink"], markersize=5, zorder=3)
        right = slope > 0
        ax.text(z + (-0.15 if right else 0.15), loss + 0.45,
                f"slope {signed(slope)}", color=PALETTE["backward"],
                ha="right" if right else "left", fontsize=9)
        ax.set(xlabel=f"logit of {name}", xlim=(zs[0], zs[-1]))
        ax.xaxis.label.set_color(PALETTE[role])
    axes[0].set(ylabel="loss of our 7", ylim=(0, 6))


def downhill(rates, losses, start, square):
    """Draw the loss after one step, over the learning rate, and the
    straight line that the gradient promises, start − rate · square."""
    _, ax = plt.subplots(figsize=(5.6, 3))
    ax.plot(rates, losses, color=PALETTE["forward"])
    far = start / square
    ax.plot([0, far], [start, 0], "--", color=PALETTE["backward"],
            linewidth=1.4)
    ax.plot(0, start, "o", color=PALETTE["ink"], markersize=5, zorder=3,
            clip_on=False)
    ax.axhline(start, color=PALETTE["rule"], linewidth=0.8, zorder=0)
    ax.text(far * 0.86, start * 0.2, "what the slopes promise",
            color=PALETTE["backward"], ha="left")
    ax.text(rates[-1] * 0.99, start - 0.06, "the loss at the start",
            ha="right", va="top", fontsize=8, color=PALETTE["muted"])
    middle = len(rates) // 2
    ax.text(rates[middle], losses[middle] - 0.16, "the loss that comes",
            color=PALETTE["forward"], va="top")
    ax.set(xlabel="learning rate of one step", ylabel="loss after it",
           xlim=(0, rates[-1]), ylim=(0, max(losses) * 1.05))
