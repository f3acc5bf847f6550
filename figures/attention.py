"""Figures of Chapter 10: what a query looks at, and heads."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, digit, shade


def nearest(query, keys, weights, labels, most=6):
    """A query [784], and the keys [n, 784] that have the largest of the
    weights [n], with their labels."""
    top = weights.topk(most)
    _, axes = plt.subplots(
        2, most + 2, figsize=(6.4, 2.3), height_ratios=(1, 0.9),
        width_ratios=(1.25, *[1] * (most + 1)))
    digit(axes[0, 0], query)
    axes[0, 0].set_title("the query", fontsize=8.5)
    bare(axes[1, 0])
    shares = [*top.values.tolist(), 1 - top.values.sum().item()]
    for i, (share, (picture, bar)) in enumerate(
            zip(shares, axes[:, 1:].T, strict=True)):
        bar.bar(0, share, width=0.6, color=PALETTE["forward"] + "38",
                edgecolor=PALETTE["forward"])
        bar.text(0, share, f"{share:.2f}", ha="center", va="bottom",
                 fontsize=8.5, color=PALETTE["forward"])
        bare(bar)
        bar.set(xlim=(-0.6, 0.6), ylim=(0, 1.25 * max(shares)))
        if i < most:
            at = top.indices[i]
            digit(picture, keys[at])
            picture.set_title(f"“{labels[at]}”", fontsize=9,
                              color=PALETTE["correct"])
        else:
            bare(picture)
            picture.text(0.5, 0.5, f"{len(keys) - most:,}\nothers",
                         ha="center", va="center", fontsize=8.5,
                         color=PALETTE["muted"])


def numbers(ax, left, values, role, width=1.0):
    """A grid of weights, each written in its square."""
    for i, line in enumerate(values.tolist()):
        for j, value in enumerate(line):
            ax.add_patch(Rectangle(
                (left + j * width, i), width, 1, linewidth=0.8,
                edgecolor=PALETTE["rule"],
                facecolor=shade(role)(0.45 * value)))
            ax.text(left + (j + 0.5) * width, i + 0.5,
                    f"{value:.2f}" if value else "0", ha="center",
                    va="center", fontsize=8,
                    color=PALETTE["ink" if value else "muted"])


def heads(q, weights):
    """Queries [L, E], cut into as many slices as there are heads, and
    the weights [heads, L, S] of each."""
    count, L, S = weights.shape
    E = q.shape[1]
    d, cell = E // count, 0.62
    looks = ("forward", "weights")
    _, ax = plt.subplots(figsize=(6.4, 2.35))
    most = q.abs().max().item()
    for h in range(count):
        role = looks[h % 2]
        for i in range(L):
            for j in range(d):
                size = 0.5 * q[i, h * d + j].abs().item() / most
                ax.add_patch(Rectangle(
                    ((h * d + j) * cell, i), cell, 1, linewidth=0.6,
                    edgecolor=PALETTE["rule"], facecolor=shade(role)(size)))
        ax.add_patch(Rectangle(
            (h * d * cell, 0), d * cell, L, facecolor="none",
            edgecolor=PALETTE[role], linewidth=1.4,
            linestyle=("-", "--")[h % 2]))
        ax.text((h + 0.5) * d * cell, L + 0.25, f"head {h}", ha="center",
                va="top", color=PALETTE[role], fontsize=8.5)
        left = E * cell + 1.3 + h * (S * 1.15 + 0.8)
        numbers(ax, left, weights[h], role, 1.15)
        ax.text(left + S * 1.15 / 2, L + 0.25, f"head {h}", ha="center",
                va="top", color=PALETTE[role], fontsize=8.5)
        ax.text(left + S * 1.15 / 2, -0.3, f"weights [{L}, {S}]",
                ha="center", fontsize=8.5, color=PALETTE[role])
    ax.text(E * cell / 2, -0.3, f"queries [{L}, {E}]", ha="center",
            fontsize=8.5)
    ax.set(xlim=(-0.1, left + S * 1.15 + 0.1), ylim=(L + 1.0, -0.95))
    bare(ax)
