"""Figures of Chapter 6: batches of samples, and what they estimate."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, shade

HUES = ["forward", "backward", "weights", "correct", "momentum"]


def batches(orders, batch_size: int = 8, classes: int = 10) -> None:
    """Labels in several orders, {title: [N]}, a row a batch.

    Each sample bears its digit; 0 to 4 are solid, 5 to 9 pale. The bar
    behind a batch counts the different digits in it.
    """
    rows = -(-max(map(len, orders.values())) // batch_size)
    fig, axes = plt.subplots(
        1, len(orders), figsize=(6.4, 2.75), gridspec_kw={"wspace": 0.06}
    )
    for ax, (title, labels) in zip(axes, orders.items(), strict=True):
        ax.set(xlim=(-0.9, batch_size + 3.3), ylim=(rows + 0.1, -1.0))
        ax.set_aspect("equal")
        bare(ax)
        ax.text(batch_size / 2, -0.25, title, ha="center", fontsize=9)
        for row in range(rows):
            batch = labels[row * batch_size : (row + 1) * batch_size]
            for column, label in enumerate(batch):
                sample(ax, column, row, label)
            kinds = len(set(batch))
            balance(ax, batch_size + 0.35, row, kinds, classes)
    for row in range(rows):
        axes[0].text(
            -0.3, row + 0.5, f"{row + 1}", ha="right", va="center",
            fontsize=8, color=PALETTE["muted"],
        )


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
