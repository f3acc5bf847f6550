"""Figures of Chapter 0: the digits, their averages, the network."""

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Polygon, Rectangle

from figures.book import PALETTE, bare, digit, shade


def pixels(image, row: int = 6, column: int = 14, size: int = 7) -> None:
    """One image [784], and a corner of it with its bytes written in."""
    grid = image.reshape(28, 28)
    part = grid[row : row + size, column : column + size]
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1))
    digit(left, image)
    left.add_patch(Rectangle(
        (-0.5, -0.5), 28, 28, fill=False, ec=PALETTE["rule"], lw=0.8
    ))
    left.add_patch(Rectangle(
        (column - 0.5, row - 0.5), size, size, fill=False,
        ec=PALETTE["forward"], lw=1.6,
    ))
    left.set_xlabel("28 rows of 28 pixels")
    # Half of full ink, so that a number can be read on any square.
    right.imshow(0.45 * part, cmap=shade("ink"), vmin=0, vmax=1)
    bare(right)
    right.add_patch(Rectangle(
        (-0.5, -0.5), size, size, fill=False, ec=PALETTE["forward"], lw=1.6
    ))
    for i in range(size):
        for j in range(size):
            right.text(
                j, i, f"{part[i, j] * 255:.0f}", ha="center", va="center",
                fontsize=9,
            )
    right.set_xlabel("the framed part, as bytes")
    for ax in (left, right):
        ax.set(xlim=(ax.get_xlim()[0] - 0.3, ax.get_xlim()[1] + 0.3))
        ax.set(ylim=(ax.get_ylim()[0] + 0.3, ax.get_ylim()[1] - 0.3))


def digits_sheet(X, y, rows: int = 6) -> None:
    """The first `rows` images of each digit, a column a digit."""
    fig, axes = plt.subplots(
        rows, 10, figsize=(6.4, 0.62 * rows + 0.3),
        gridspec_kw={"wspace": 0, "hspace": 0},
    )
    for d in range(10):
        found = (y == d).nonzero().flatten()[:rows]
        for ax, i in zip(axes[:, d], found, strict=True):
            digit(ax, X[i])
        axes[0, d].set_title(f"{d}", color=PALETTE["correct"])


def class_means(means) -> None:
    """Ten average images [10, 784], in two rows of five."""
    fig, axes = plt.subplots(
        2, 5, figsize=(6.4, 2.9), gridspec_kw={"wspace": 0}
    )
    for d, ax in enumerate(axes.flat):
        digit(ax, means[d])
        ax.set_ylabel(
            f"{d}", color=PALETTE["correct"], rotation=0, va="center",
            labelpad=0,
        )


def network(image) -> None:
    """The network 784, 128, 10 with its four tensors."""
    fig, ax = plt.subplots(figsize=(6.4, 3.5))
    ax.set(xlim=(0, 12.8), ylim=(0.2, 7.2), aspect="equal")
    bare(ax)
    image_at(ax, image, (0.2, 2.2), 2.2)
    tall = (3.55, torch.linspace(0.8, 5.8, 22).tolist())
    middle = (6.9, torch.linspace(1.6, 5.0, 13).tolist())
    short = (9.7, torch.linspace(2.2, 4.4, 10).tolist())
    bundle(ax, tall, middle, "W1, b1", "[784, 128], [128]")
    bundle(ax, middle, short, "W2, b2", "[128, 10], [10]")
    units(ax, tall, "x", "784 pixels")
    units(ax, middle, "h", "128 hidden\nunits: ReLU")
    units(ax, short, "logits", "10 scores")
    arrow(ax, (2.5, 3.3), (3.3, 3.3))
    arrow(ax, (9.95, 3.3), (11.75, 3.3))
    ax.text(10.85, 3.5, "softmax,\nargmax", ha="center", va="bottom")
    ax.text(
        12.2, 3.3, "5", ha="center", va="center", fontsize=20,
        color=PALETTE["correct"],
    )
    ax.text(12.2, 1.3, "answer", ha="center", va="top")
    ax.text(1.3, 1.3, "image", ha="center", va="top")


def image_at(ax, image, corner, side) -> None:
    """Draw an image [784] into the square at `corner`."""
    x, y = corner
    ax.imshow(
        image.reshape(28, 28), cmap=shade("ink"), vmin=0, vmax=1,
        extent=(x, x + side, y, y + side), interpolation="nearest",
    )
    ax.add_patch(Rectangle(
        corner, side, side, fill=False, ec=PALETTE["rule"], lw=0.8
    ))


def units(ax, column, name, note) -> None:
    """A column of dots for the numbers that flow."""
    x, ys = column
    ax.plot(
        [x] * len(ys), ys, "o", ms=4.2, color=PALETTE["forward"], zorder=3
    )
    ax.text(
        x, ys[-1] + 0.25, name, ha="center", color=PALETTE["forward"],
        weight="bold",
    )
    ax.text(x, min(ys[0] - 0.25, 1.3), note, ha="center", va="top")


def bundle(ax, left, right, name, shape) -> None:
    """The weights between two columns, with name and shape."""
    (x0, ys0), (x1, ys1) = left, right
    ax.add_patch(Polygon(
        [(x0, ys0[0]), (x0, ys0[-1]), (x1, ys1[-1]), (x1, ys1[0])],
        lw=0, color=PALETTE["weights"], alpha=0.13,
    ))
    for y0 in ys0[::3]:
        for y1 in ys1[::3]:
            ax.plot(
                [x0, x1], [y0, y1], lw=0.45, color=PALETTE["weights"],
                alpha=0.55,
            )
    center = (x0 + x1) / 2
    ax.text(
        center, 6.75, name, ha="center", color=PALETTE["weights"],
        weight="bold",
    )
    ax.text(
        center, 6.3, shape, ha="center", color=PALETTE["weights"],
        fontsize=8.5,
    )


def arrow(ax, start, end) -> None:
    """An arrow in the color of what flows forward."""
    ax.annotate(
        "", end, start,
        arrowprops={"arrowstyle": "->", "color": PALETTE["forward"]},
    )
