"""Figures of Chapter 11: dropout, a convolutional network, shortcuts."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from figures.book import PALETTE, bare, digit
from figures.training import two_signs


def holes(terms, keep, p):
    """The terms [units] of a weighted sum: all, those that a mask keeps,
    and those divided by 1 − p, with the three sums."""
    rows, columns = 16, -(-len(terms) // 16)
    most = terms.abs().max().item()             # divided, they may pass it
    _, axes = plt.subplots(1, 3, figsize=(6.0, 3.3))
    for ax, values, title in zip(
        axes, (terms, terms * keep, terms * keep / (1 - p)),
        ("all units", "with holes", "divided by 1 − p"), strict=True,
    ):
        grid = values.reshape(rows, columns)
        ax.imshow(grid, cmap=two_signs(), vmin=-most, vmax=most,
                  interpolation="nearest")
        if ax is not axes[0]:
            gone = (keep.reshape(rows, columns) == 0).nonzero().tolist()
            for row, column in gone:
                ax.plot(column, row, "x", color=PALETTE["muted"],
                        markersize=3.2, markeredgewidth=0.7)
        else:
            for row, column in (grid < -most / 20).nonzero().tolist():
                ax.text(column, row, "−", ha="center", va="center",
                        fontsize=8)
        ax.add_patch(Rectangle((-0.5, -0.5), columns, rows, linewidth=0.8,
                               facecolor="none", edgecolor=PALETTE["rule"]))
        ax.set_title(title)
        bare(ax)
        ax.set_xlabel(f"sum {values.sum().item():.2f}", fontsize=10)


def arriving(shares):
    """How much gradient arrives at each layer, by that of the last;
    {name: [a share a layer, the first first]}."""
    _, ax = plt.subplots(figsize=(6.2, 2.9))
    looks = ("muted", "--", 7), ("backward", "-", -14)
    for (name, values), (role, line, above) in zip(
            shares.items(), looks, strict=True):
        layers = range(1, len(values) + 1)
        ax.semilogy(layers, values, line, color=PALETTE[role])
        at = len(values) // 3
        ax.annotate(name, (layers[at], values[at]), (0, above), ha="right",
                    textcoords="offset points", color=PALETTE[role])
    ax.minorticks_off()
    ax.set(xlabel="layer", title="gradient of a layer, by that of the last")


def moving(X, reads):
    """Accuracies of two networks on digits that were moved.

    X: {pixels: a digit [784] moved by so many}, reads: {pixels: (flat,
    conv)}.
    """
    _, axes = plt.subplots(2, 1, figsize=(6.0, 3.6), height_ratios=(1, 2.4))
    bare(axes[0])
    ax, places = axes[1], list(reads)
    for which, (name, role, line, mark) in enumerate((
        ("fully connected", "muted", "--", "o"),
        ("convolutional", "forward", "-", "s"),
    )):
        values = [pair[which] for pair in reads.values()]
        ax.plot(places, values, line, marker=mark, markersize=4,
                color=PALETTE[role])
        ax.annotate(name, (places[-1], values[-1]), (8, 0), va="center",
                    textcoords="offset points", color=PALETTE[role])
    ax.set(ylim=(0, 1.05), xlim=(-0.4, places[-1] + 1.6), xticks=places,
           xlabel="pixels to the right")
    ax.set_title("test images read", loc="left")
    for n in places:
        inset = axes[0].inset_axes(
            (n - 0.42, 0, 0.84, 1), transform=axes[0].transData)
        digit(inset, X[n])
        inset.add_patch(Rectangle((-0.5, -0.5), 28, 28, facecolor="none",
                                  edgecolor=PALETTE["rule"], linewidth=0.8))
    axes[0].set(xlim=ax.get_xlim(), ylim=(0, 1))


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
