"""Tensors as rectangles to scale, from pixels to logits."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, shade

GAP = 84  # between rectangles, in tensor elements


def box(ax, left, top, rows, columns, role, hatch=None):
    """A tensor [rows, columns], its top left corner at (left, top)."""
    color = PALETTE[role]
    ax.add_patch(Rectangle((left, top), columns, rows,
                           facecolor=color + "38", edgecolor="none"))
    # apart from the fill, whose transparency an SVG gives to the hatch
    ax.add_patch(Rectangle((left, top), columns, rows, facecolor="none",
                           edgecolor=color, linewidth=0.9, hatch=hatch))


def name(ax, x, y, text, role, **how):
    """A tensor's name, in the color of its role."""
    ax.text(x, y, text, color=PALETTE[role], linespacing=1.35, **how)


def first_row(ax, image, left, top, side, row):
    """An image [784], and how it lies in the row at height `row`."""
    ax.imshow(image.reshape(28, 28), cmap=shade("forward"), vmin=0, vmax=1,
              extent=(left, left + side, top + side, top),
              interpolation="nearest")
    ax.add_patch(Rectangle((left, top), side, side, facecolor="none",
                           edgecolor=PALETTE["forward"], linewidth=0.9))
    name(ax, left + side + 18, top + side / 2,
         "our 7,\nthe first\nrow of x", "forward",
         va="center")
    # From its corners to both ends of the row that it becomes.
    for start, end in ((left, 0), (left + side, image.numel())):
        ax.plot([start, end], [top + side, row], linewidth=0.7,
                linestyle=(0, (4, 3)), color=PALETTE["forward"])
    ax.imshow(image.reshape(1, -1), cmap=shade("ink"), vmin=0, vmax=1,
              extent=(0, image.numel(), row, row - 14),
              interpolation="nearest")


def shapes(batch=64, image=None, sizes=(784, 128, 10)):
    """Draw x, W1, h, W2 and logits to scale, `batch` rows high, and
    `image` [784] as the first row of x.

    Each product lies where the row of its left factor meets the
    column of its right factor, as in multiplication with a pencil.
    """
    pixels, hidden, classes = sizes
    _, ax = plt.subplots(figsize=(5.4, 5.0))
    x1 = pixels + GAP               # left edge of W1 and h
    x2 = x1 + hidden + GAP          # left edge of W2 and logits
    row = pixels + GAP              # top edge of everything [batch, …]

    box(ax, 0, row, batch, pixels, "forward")
    box(ax, x1, 0, pixels, hidden, "weights", hatch="////")
    box(ax, x1, row, batch, hidden, "forward")
    box(ax, x2, row - GAP - hidden, hidden, classes, "weights", hatch="////")
    box(ax, x2, row, batch, classes, "forward")

    if image is not None:
        first_row(ax, image, 190, 360, 200, row)

    below = row + batch + 18
    name(ax, pixels / 2, below, f"x\n[{batch}, {pixels}]", "forward",
         ha="center", va="top")
    name(ax, x1 + hidden / 2, below, f"h_pre, h\n[{batch}, {hidden}]",
         "forward", ha="center", va="top")
    name(ax, x2 + classes / 2 + 46, below, f"logits\n[{batch}, {classes}]",
         "forward", ha="center", va="top")
    name(ax, x1 - 18, pixels / 2, f"W1\n[{pixels}, {hidden}]", "weights",
         ha="right", va="center")
    name(ax, x2 + classes / 2 + 30, row - GAP - hidden - 16,
         f"W2\n[{hidden}, {classes}]", "weights", ha="center", va="bottom")

    steps = ["h_pre = x @ W1 + b1", "h = relu(h_pre)", "logits = h @ W2 + b2"]
    ax.text(0, 0, "\n".join(steps), family="monospace", va="top",
            linespacing=1.9, fontsize=9.5)

    arrow = {"arrowstyle": "-|>", "color": PALETTE["ink"], "linewidth": 1}
    middle = row + batch / 2
    for start, end in [((pixels + 8, middle), (x1 - 6, middle)),
                       ((x1 + hidden + 8, middle), (x2 - 6, middle)),
                       ((x1 + hidden / 2, pixels + 8),
                        (x1 + hidden / 2, row - 6)),
                       ((x2 + classes / 2, row - GAP + 8),
                        (x2 + classes / 2, row - 6))]:
        ax.annotate("", end, start, arrowprops=arrow)

    ax.set(xlim=(-8, x2 + classes + 130), ylim=(below + 92, -12))
    ax.set_aspect("equal")
    bare(ax)
