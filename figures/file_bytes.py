"""Figures of Chapter 6: the bytes of a file, and one pass over a few."""

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, digit, shade

HEAD = 16           # bytes before the first pixel
SIDE = 28


def strip(raw: bytes, row: int) -> None:
    """The header of a file of images, and one row of its first image."""
    fig = plt.figure(figsize=(6.4, 3.2))
    fig.set_layout_engine("none")                # the places are ours
    head, image, pixels = (
        fig.add_axes(place) for place in (
            (0.01, 0.53, 0.98, 0.46), (0.01, 0.02, 0.23, 0.46),
            (0.27, 0.09, 0.72, 0.32),
        )
    )
    header(head, raw)
    values = torch.tensor(list(raw[HEAD : HEAD + SIDE * SIDE])) / 255
    digit(image, values, "forward")
    image.add_patch(Rectangle((-0.5, -0.5), SIDE, SIDE, fill=False, lw=0.8,
                              ec=PALETTE["rule"]))
    image.add_patch(Rectangle(
        (-0.5, row - 0.5), SIDE, 1, fill=False, lw=1.4,
        ec=PALETTE["backward"],
    ))
    image.text(SIDE + 0.3, row, f"row {row}", va="center",
               color=PALETTE["backward"], fontsize=8.5)
    begin = HEAD + SIDE * row
    one_row(pixels, values[SIDE * row : SIDE * (row + 1)], begin)


def header(ax, raw: bytes) -> None:
    """Sixteen cells, and what each four of them say."""
    ax.set(xlim=(-0.1, 20.0), ylim=(4.0, -0.8))
    bare(ax)
    for i in range(HEAD):
        x = i + 0.35 * (i // 4)
        ax.add_patch(Rectangle((x, 0), 1, 1, fill=False, lw=0.8,
                               ec=PALETTE["muted"]))
        ax.text(x + 0.5, 0.53, f"{raw[i]:02x}", ha="center", va="center",
                family="DejaVu Sans Mono", fontsize=9)
        ax.text(x + 0.5, -0.2, f"{i}", ha="center", fontsize=8,
                color=PALETTE["muted"])
    ax.annotate("", (18.2, 0.5), (17.3, 0.5), arrowprops={
        "arrowstyle": "->", "color": PALETTE["muted"]})
    ax.text(18.3, 0.53, "pixels", va="center", fontsize=8.5,
            color=PALETTE["forward"])
    for x, lines in ((1, ["two", "zeros"]), (2.5, ["unsigned", "bytes"]),
                     (3.5, ["3 dimen-", "sions"])):
        low = 1.75 if x != 2.5 else 2.75
        ax.plot([x, x], [1.12, low - 0.32], color=PALETTE["muted"], lw=0.7)
        ax.text(x, low, "\n".join(lines), ha="center", va="top",
                fontsize=8.5, linespacing=1.1)
    for k, what in enumerate(("images", "rows", "columns"), 1):
        x = 4.35 * k
        number = int.from_bytes(raw[4 * k : 4 * k + 4], "big")
        ax.plot([x + 0.1, x + 0.1, x + 3.9, x + 3.9],
                [1.15, 1.35, 1.35, 1.15], color=PALETTE["muted"], lw=0.8)
        ax.text(x + 2, 1.65, f"{number:,} {what}", ha="center", va="top",
                fontsize=9)


def one_row(ax, values, begin: int) -> None:
    """A row of pixels, shaded, with the places of its ends in the file."""
    ax.set(xlim=(-0.2, SIDE + 0.2), ylim=(2.2, -1.4))
    bare(ax)
    ax.imshow(values[None], cmap=shade("forward"), vmin=0, vmax=1,
              extent=(0, SIDE, 1.3, 0), aspect="auto")
    for i in range(SIDE):
        ax.add_patch(Rectangle((i, 0), 1, 1.3, fill=False, lw=0.6,
                               ec=PALETTE["muted"]))
    for i in (0, SIDE - 1):
        ax.text(i + 0.5, -0.25, f"{begin + i}", ha="center", fontsize=8,
                color=PALETTE["muted"])
    ax.text(SIDE / 2, 1.75, f"bytes {begin} to {begin + SIDE - 1} of the file",
            ha="center", va="top", fontsize=8.5)


def deal(order: list[int], size: int) -> None:
    """How a pass over a few images is shuffled, cut and handed out."""
    _, ax = plt.subplots(figsize=(6.2, 2.9))
    N, gap = len(order), 0.7
    right = N + gap * ((N - 1) // size)
    ax.set(xlim=(-2.9, right + 0.2), ylim=(6.6, -0.4))
    bare(ax)

    def tile(x, y, number):
        ax.add_patch(Rectangle((x + 0.06, y), 0.88, 0.88, lw=0.8,
                               fc=PALETTE["forward"] + "24",
                               ec=PALETTE["forward"]))
        ax.text(x + 0.5, y + 0.47, f"{number}", ha="center", va="center")

    for y, words in ((0, "number"), (2.6, "shuffle"), (4.4, "slice")):
        ax.text(-2.8, y + 0.47, words, va="center", fontweight="bold")
    for place, number in enumerate(order):
        tile(number, 0, number)
        tile(place, 2.6, number)
        moved = place + gap * (place // size)
        tile(moved, 4.4, number)
        ax.plot([number + 0.5, place + 0.5], [0.95, 2.53], lw=0.8,
                color=PALETTE["muted"])
        ax.plot([place + 0.5, moved + 0.5], [3.55, 4.33], lw=0.8,
                color=PALETTE["muted"])
    ax.text(-2.8, 5.95, "yield", va="center", fontweight="bold")
    for k, start in enumerate(range(0, N, size)):
        end = min(start + size, N)
        x = start + gap * k
        words = ("first", "second", "third")[k]
        ax.text(x + (end - start) / 2, 5.95,
                words if end - start == size else f"{words}, short",
                ha="center", va="center", color=PALETTE["forward"])
