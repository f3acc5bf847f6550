"""Figures of Chapter 10: a convolution as one product, and what a batch
normalization does to features."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, shade
from figures.training import two_signs


def product(rows, columns, out, which):
    """Filters [out, k] times windows [k, n] is the result [out, n].

    Column `which` of the windows, and what it becomes, are marked.
    """
    k, n = columns.shape
    filters = len(rows)
    _, axes = plt.subplots(
        2, 2, figsize=(6.4, 1.95), width_ratios=(k, n),
        height_ratios=(k, 2.5 * filters))
    axes[0, 0].set_visible(False)
    for ax, values, cmap, title in (
        (axes[0, 1], columns, shade("ink"),
         f"windows [{k}, {n}], a column each"),
        (axes[1, 0], rows, two_signs(), f"filters\n[{filters}, {k}]"),
        (axes[1, 1], out, two_signs(), f"their products [{filters}, {n}]"),
    ):
        most = values.abs().max().item()
        low = 0 if values.min() >= 0 else -most
        ax.imshow(values, cmap=cmap, vmin=low, vmax=most, aspect="auto",
                  interpolation="nearest")
        for side in ("left", "bottom", "top", "right"):
            ax.spines[side].set(visible=True, color=PALETTE["rule"])
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=9, loc="left")
        if ax is not axes[1, 0]:
            ax.add_patch(Rectangle(
                (which - 1, -0.5), 2, len(values), facecolor="none",
                edgecolor=PALETTE["forward"], linewidth=1.3,
                clip_on=False))


def normalized(before, after):
    """The numbers of some features [n, features], before and after: an
    outline each, on one scale for each side."""
    features = before.shape[1]
    _, axes = plt.subplots(features, 2, figsize=(6.0, 0.5 * features + 0.7),
                           sharex="col")
    for column, values, role, title in (
        (0, before, "muted", "before"), (1, after, "forward", "after"),
    ):
        for ax, feature in zip(axes[:, column], values.T, strict=True):
            ax.hist(feature.tolist(), bins=12, density=True,
                    color=PALETTE[role] + "38", edgecolor=PALETTE[role],
                    histtype="stepfilled", linewidth=1)
            ax.axvline(0, color=PALETTE["ink"], linewidth=0.7,
                       linestyle=":")
            ax.set(yticks=[])
            ax.spines["left"].set_visible(False)
        axes[0, column].set_title(title, loc="left")
    for i, ax in enumerate(axes[:, 0]):
        ax.set_ylabel(f"unit {i}", rotation=0, ha="right", va="center",
                      fontsize=8.5)
