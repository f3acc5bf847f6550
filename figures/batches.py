"""Figures of Chapter 6: batches of samples, and what they estimate."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, shade

HUES = ["forward", "backward", "weights", "correct", "momentum"]


def batches(orders, batch_size: int = 8, classes: int = 10) -> None:
    """Labels in four orders, {title: [N]}, a row a batch.

    Each sample bears its digit; 0 to 4 are solid, 5 to 9 pale. The bar
    beside a batch counts the different digits in it.
    """
    rows = -(-max(map(len, orders.values())) // batch_size)
    fig, ax = plt.subplots(figsize=(6.0, 4.9))
    wide, high = batch_size + 4.2, rows + 1.7
    ax.set(xlim=(-0.1, 2 * wide - 0.9), ylim=(2 * high - 1.4, -1.1))
    ax.set_aspect("equal")
    bare(ax)
    for i, (title, labels) in enumerate(orders.items()):
        x, y = wide * (i % 2), high * (i // 2)
        ax.text(x, y - 0.3, title, fontsize=9.5)
        for row in range(rows):
            batch = labels[row * batch_size : (row + 1) * batch_size]
            for column, label in enumerate(batch):
                sample(ax, x + column, y + row, label)
            kinds = len(set(batch))
            balance(ax, x + batch_size + 0.3, y + row, kinds, classes)


def sample(ax, x, y, label) -> None:
    """One square with its digit."""
    color, pale = PALETTE[HUES[label % 5]], label >= 5
    ax.add_patch(Rectangle(
        (x + 0.05, y + 0.05), 0.9, 0.9, ec=color, lw=0.7,
        fc=color + "38" if pale else color,
    ))
    ax.text(
        x + 0.5, y + 0.52, f"{label}", ha="center", va="center",
        fontsize=8, color=PALETTE["ink" if pale else "paper"],
    )


def balance(ax, x, y, kinds, classes) -> None:
    """A bar for the number of different digits, and the number."""
    width = 1.9 * kinds / classes
    ax.add_patch(Rectangle(
        (x, y + 0.25), width, 0.5, fc=PALETTE["muted"] + "60", lw=0
    ))
    ax.text(
        x + width + 0.15, y + 0.52, f"{kinds}", va="center", fontsize=8,
        color=PALETTE["muted"],
    )


def estimate(errors, cosines) -> None:
    """Error and cosine of batch gradients, {batch size: value}."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.9))
    sizes = list(errors)
    law = [errors[64] * (64 / n) ** 0.5 for n in sizes]
    left.loglog(sizes, law, "--", color=PALETTE["muted"], lw=1)
    left.loglog(
        sizes, errors.values(), "o", color=PALETTE["backward"], ms=5.5
    )
    left.text(
        90, 1.15, "proportional\nto 1/√n", color=PALETTE["muted"],
        va="bottom",
    )
    left.set(title="relative error", yticks=[0.1, 1, 10], ylim=(0.07, 15))
    left.set_yticklabels(["0.1", "1", "10"])
    right.semilogx(
        sizes, cosines.values(), "o-", color=PALETTE["backward"], ms=5.5,
        lw=1.2,
    )
    right.set(title="cosine with the full gradient", ylim=(0, 1.06))
    for ax in (left, right):
        ax.set(xticks=sizes, xlabel="images in the batch, n")
        ax.set_xticklabels([f"{n}" for n in sizes])
        ax.minorticks_off()
        ax.grid(axis="y")


def answers(shares, every: int) -> None:
    """Share of each digit among the answers, {title: [steps, 10]}."""
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7), sharey=True)
    for ax, (title, share) in zip(axes, shares.items(), strict=True):
        ax.imshow(
            share.T, cmap=shade("forward"), vmin=0, vmax=1, aspect="auto",
            interpolation="nearest", origin="lower",
            extent=(every / 2, (len(share) + 0.5) * every, -0.5, 9.5),
        )
        ax.set(title=title, xlabel="updates", yticks=range(10))
        ax.tick_params(axis="y", length=0)
    axes[0].set_ylabel("answer")
