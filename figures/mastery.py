"""Figures of Chapter 11: dropout's spread, a convolutional network."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, bare
from figures.training import two_signs


def spread(sums, whole):
    """How one weighted sum spreads over random masks.

    `sums` maps p to (unscaled [n], scaled [n]); `whole` is the sum
    without dropout.
    """
    _, axes = plt.subplots(
        len(sums), 1, figsize=(5.6, 1.35 * len(sums)), sharex=True
    )
    for ax, (p, (bare_sums, scaled)) in zip(
        axes, sums.items(), strict=True
    ):
        for values, role, dash, name in (
            (bare_sums, "muted", "--", "unscaled"),
            (scaled, "forward", "-", "divided by 1 − p"),
        ):
            ax.hist(values.tolist(), bins=60, histtype="step", density=True,
                    color=PALETTE[role], linestyle=dash, label=name)
        ax.axvline(whole, color=PALETTE["correct"], lw=1)
        ax.set(yticks=[], ylabel=f"p = {p}")
    axes[0].legend(loc="upper left", handlelength=2.5)
    axes[0].annotate(
        "no dropout", (whole, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", ha="center",
        color=PALETTE["correct"],
    )
    axes[-1].set_xlabel("the logit of the right class")


def filters(weight):
    """The filters [n, 1, k, k] of a first layer, in rows of eight."""
    rows = -(-len(weight) // 8)
    _, axes = plt.subplots(rows, 8, figsize=(6.4, 0.85 * rows))
    for ax in axes.flat:
        bare(ax)
    for ax, w in zip(axes.flat, weight[:, 0], strict=False):
        most = w.abs().max().item()
        ax.imshow(w, cmap=two_signs(), vmin=-most, vmax=most)
        for place, sign in ((w.argmax(), "+"), (w.argmin(), "−")):
            row, column = divmod(place.item(), w.shape[1])
            strong = w[row, column].abs().item() > 0.55 * most
            ax.text(column, row, sign, ha="center", va="center",
                    color=PALETTE["paper" if strong else "ink"])
