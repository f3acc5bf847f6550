"""Figures of Chapter 1 about memory: tensors to scale, and strides."""

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare

ROW, COLUMN = 1, 3      # the element that all three pictures share


def memory_layout(W1, b1, W2, b2) -> None:
    """Four tensors to scale; W1's corner, its storage, its transpose."""
    fig = plt.figure(figsize=(6.4, 4.0))
    ((left, right),) = fig.subfigures(
        1, 2, squeeze=False, width_ratios=(1, 2.1),
    )
    for part in (left, right):
        part.set_facecolor("none")
    to_scale(left.subplots(), {"W1": W1, "b1": b1, "W2": W2, "b2": b2})
    addresses(right.subplots(), W1)


def to_scale(ax, tensors) -> None:
    """One rectangle a tensor, one unit a number."""
    ax.set(xlim=(-30, 290), ylim=(905, -100), aspect="equal")
    bare(ax)
    places = {
        "W1": (0, 0), "b1": (0, 815), "W2": (225, 0), "b2": (225, 815)
    }
    for name, (x, y) in places.items():
        shape = list(tensors[name].shape)
        rows, columns = shape if len(shape) == 2 else (1, shape[0])
        ax.add_patch(Rectangle(
            (x, y), columns, rows, lw=1, ec=PALETTE["weights"],
            fc=(*to_rgb(PALETTE["weights"]), 0.15),
        ))
        above = len(shape) == 2
        ax.text(
            x + columns / 2, y - 14 if above else y + 16,
            f"{name}\n{shape}", ha="center",
            va="bottom" if above else "top", fontsize=8,
            color=PALETTE["weights"], linespacing=1.1,
        )


def addresses(ax, W1) -> None:
    """How an index becomes a place in the storage, and W1.T beside it."""
    ax.set(xlim=(-0.3, 9.3), ylim=(10.9, -0.9))
    bare(ax)
    width = W1.stride(0)
    corner = W1.detach()[:2, :4].tolist()
    turned = [list(column) for column in zip(*corner, strict=True)]
    grid(ax, 0, 0, corner, f"W1, strides {W1.stride()}", (ROW, COLUMN))
    grid(
        ax, 5.6, 0, turned, f"W1.T, strides {W1.T.stride()}",
        (COLUMN, ROW),
    )
    strip(ax, 6.8, width, corner)
    goal = (place(ROW, COLUMN) + 0.5, 6.75)
    starts = {0.2: (COLUMN + 0.5, 2.1), 0.0: (5.6 + ROW + 0.5, 4.1)}
    for bend, start in starts.items():
        ax.annotate(
            "", goal, start, zorder=4,
            arrowprops={
                "arrowstyle": "->", "color": PALETTE["forward"],
                "connectionstyle": f"arc3,rad={bend}",
            },
        )
    here = ROW * width + COLUMN
    ax.text(
        0, 9.1,
        f"W1[{ROW}, {COLUMN}]:  {ROW} × {width} + {COLUMN} × 1 = {here}\n"
        f"W1.T[{COLUMN}, {ROW}]:  {COLUMN} × 1 + {ROW} × {width} = {here}",
        va="top", color=PALETTE["forward"], linespacing=1.5,
    )


def place(row: int, column: int) -> float:
    """Where the strip shows an element (it shows two stretches)."""
    return column + 5 * row


def grid(ax, x, y, values, title, marked) -> None:
    """A corner of a matrix with its values."""
    ax.text(
        x, y - 0.35, title, fontsize=8.5, color=PALETTE["weights"],
        va="bottom",
    )
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            cell(ax, x + j, y + i, value, (i, j) == marked)


def strip(ax, y, width, corner) -> None:
    """The start of rows 0 and 1 as they lie in the storage."""
    ax.text(
        0, y - 0.35, "storage", fontsize=8.5, color=PALETTE["weights"],
        va="bottom",
    )
    for row in (0, 1):
        for column in range(4):
            x = place(row, column)
            marked = (row, column) == (ROW, COLUMN)
            cell(ax, x, y, corner[row][column], marked)
            ax.text(
                x + 0.5, y + 1.12, f"{row * width + column}", ha="center",
                va="top", fontsize=8, color=PALETTE["muted"],
            )
        ax.text(
            place(row, 4) + (0.5 if row == 0 else 0.2), y + 0.45, "…",
            ha="center", va="center", color=PALETTE["muted"],
        )


def cell(ax, x, y, value, marked) -> None:
    """One number in its square."""
    ax.add_patch(Rectangle(
        (x, y), 1, 1, lw=2 if marked else 0.7, zorder=3 if marked else 2,
        fill=False, ec=PALETTE["forward" if marked else "muted"],
    ))
    ax.text(
        x + 0.5, y + 0.5, f"{value:.2f}".replace("-", "−"),
        ha="center", va="center", fontsize=8,
        weight="bold" if marked else "normal",
        color=PALETTE["forward" if marked else "ink"],
    )
