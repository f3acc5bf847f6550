"""A row added to every row, and a column added to every column."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare

ROWS, COLUMNS = 3, 5
GRID = [[10 * (i + 1)] * COLUMNS for i in range(ROWS)]
BETWEEN = 1.5    # room for a sign between two grids


def cell(ax, x, y, value, role, stored=True):
    """A number in its square; one that is only repeated is pale."""
    color = PALETTE[role] if stored else PALETTE["muted"]
    ax.add_patch(Rectangle(
        (x, y), 1, 1, facecolor=color + "28" if stored else "none",
        edgecolor=color, linewidth=0.9 if stored else 0.6,
        linestyle="-" if stored else (0, (1.5, 1.5)),
    ))
    ax.text(x + 0.5, y + 0.52, f"{value}", ha="center", va="center",
            color=color, style="normal" if stored else "italic")


def block(ax, left, values, role, kept, title):
    """A grid of numbers; kept(i, j) says which of them are stored."""
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            cell(ax, left + j, i, value, role, kept(i, j))
    ax.text(left + COLUMNS / 2, -0.25, title, ha="center", va="bottom",
            color=PALETTE[role])


def addition(ax, term, kept, title):
    """GRID plus `term`, already repeated, and their sum."""
    total = [[a + b for a, b in zip(*rows, strict=True)]
             for rows in zip(GRID, term, strict=True)]
    lefts = [n * (COLUMNS + BETWEEN) for n in range(3)]
    block(ax, lefts[0], GRID, "forward", lambda i, j: True, "[3, 5]")
    block(ax, lefts[1], term, "weights", kept, title)
    block(ax, lefts[2], total, "forward", lambda i, j: True, "[3, 5]")
    for left, sign in zip(lefts[1:], "+=", strict=True):
        ax.text(left - BETWEEN / 2, ROWS / 2, sign, ha="center",
                va="center", fontsize=12)
    ax.set(xlim=(-0.1, lefts[2] + COLUMNS + 0.1),
           ylim=(ROWS + 0.15, -1.1), aspect="equal")
    bare(ax)


def broadcasting():
    """Two sums of different shapes, one above the other."""
    _, (above, below) = plt.subplots(2, 1, figsize=(6.4, 3.2))
    row = [list(range(1, COLUMNS + 1)) for _ in range(ROWS)]
    column = [[i + 1] * COLUMNS for i in range(ROWS)]
    addition(above, row, lambda i, j: i == 0, "[5], read as [1, 5]")
    addition(below, column, lambda i, j: j == 0, "[3, 1]")
