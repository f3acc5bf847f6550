"""Matrices as boxes and grids: what is picked, multiplied and turned."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, shade


def picking(table, columns):
    """Draw a table [rows, columns] with one number a row picked, and the
    numbers picked beside it."""
    rows, width = table.shape
    _, ax = plt.subplots(figsize=(5.2, 2.1))
    far = width + 2.4

    def cell(x, y, text, role=None):
        ax.add_patch(Rectangle(
            (x, y), 1, 1, edgecolor=PALETTE["rule"], linewidth=0.9,
            facecolor=PALETTE[role] + "33" if role else "none"))
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center",
                fontsize=10, color=PALETTE[role or "ink"],
                weight="bold" if role else "normal")

    for j in range(width):
        ax.text(j + 0.5, -0.25, str(j), ha="center", fontsize=8,
                color=PALETTE["muted"])
    for i, picked in enumerate(columns.tolist()):
        ax.text(-0.35, i + 0.5, f"row {i}", ha="right", va="center",
                fontsize=8, color=PALETTE["muted"])
        for j in range(width):
            cell(j, i, str(table[i, j].item()),
                 "correct" if j == picked else None)
        ax.annotate("", (far - 0.25, i + 0.5), (width + 0.25, i + 0.5),
                    arrowprops={"arrowstyle": "-|>", "linewidth": 1,
                                "color": PALETTE["correct"]})
        ax.text((far + width) / 2, i + 0.32, f"column {picked}",
                ha="center", fontsize=8, color=PALETTE["correct"])
        cell(far, i, str(table[i, picked].item()), "correct")
    ax.set(xlim=(-1.4, far + 1.2), ylim=(rows + 0.2, -0.7))
    ax.set_aspect("equal")
    bare(ax)


def _box(ax, x, y, rows, columns, name, shape, role, turned=False):
    ax.add_patch(Rectangle(
        (x, y), columns, rows, facecolor=PALETTE[role] + "26",
        edgecolor=PALETTE[role], linewidth=1.3,
        linestyle="--" if turned else "-"))
    ax.text(x + columns / 2, y + rows / 2, name, ha="center", va="center",
            color=PALETTE[role], weight="bold", fontsize=9.5)
    ax.text(x + columns / 2, y + rows + 0.14, shape, ha="center", va="top",
            color=PALETTE["muted"], fontsize=8)


def transposed():
    """Draw the product of a linear layer and the two that lead back,
    with the letters N, in and out for the sizes."""
    N, fan_in, out = 1.9, 1.35, 1.0
    _, ax = plt.subplots(figsize=(6.2, 4.9))
    lines = [
        ("forward", [
            ("x", N, fan_in, "[N, in]", "forward", False),
            ("W", fan_in, out, "[in, out]", "weights", False),
            ("out", N, out, "[N, out]", "forward", False)],
         "no image meets\nanother"),
        ("back, to the weights", [
            ("x.T", fan_in, N, "[in, N]", "forward", True),
            ("d_out", N, out, "[N, out]", "backward", False),
            ("d_W", fan_in, out, "[in, out]", "backward", False)],
         "x is turned:\nN goes inside,\nimages are summed"),
        ("back, to the input", [
            ("d_out", N, out, "[N, out]", "backward", False),
            ("W.T", out, fan_in, "[out, in]", "weights", True),
            ("d_x", N, fan_in, "[N, in]", "backward", False)],
         "W is turned:\nout goes inside,\nunits are summed"),
    ]
    y = 0.0
    for title, boxes, words in lines:
        ax.text(0, y - 0.25, title, ha="left", va="center", fontsize=9)
        x = 0.0
        for n, (name, rows, columns, shape, role, turned) in enumerate(
                boxes):
            _box(ax, x, y, rows, columns, name, shape, role, turned)
            x += columns
            if n < 2:
                ax.text(x + 0.32, y + 0.6, "@=="[n], ha="center",
                        va="center", fontsize=12)
                x += 0.64
        ax.text(6.0, y + 0.7, words, ha="left", va="center", fontsize=8.5,
                color=PALETTE["muted"])
        y += N + 0.95
    ax.set(xlim=(-0.1, 8.1), ylim=(y - 0.3, -0.5))
    ax.set_aspect("equal")
    bare(ax)


def awake(before, after):
    """Draw which units [images, 128] are awake, before and after a step
    that was too long, and mark the units that wake for no image."""
    _, axes = plt.subplots(2, 1, figsize=(6.2, 4.1), sharex=True)
    for ax, units, title in zip(axes, (before, after), (
            "at the start", "after one step that is much too long"),
            strict=True):
        ax.imshow(units, cmap=shade("forward"), vmin=0, vmax=1,
                  interpolation="nearest", aspect="auto")
        never = (units == 0).all(0).nonzero().flatten().tolist()
        ax.plot(never, [len(units) + 2] * len(never), "^",
                color=PALETTE["backward"], markersize=4.5, clip_on=False)
        ax.set_title(f"{title}: {len(never)} of {units.shape[1]} wake for "
                     "none of these images", loc="left")
        ax.set(ylabel="image", yticks=[], xticks=[])
        ax.set_ylim(len(units) + 4, -0.5)
        for spine in ax.spines.values():
            spine.set_visible(False)
    axes[1].set_xlabel("hidden unit")
