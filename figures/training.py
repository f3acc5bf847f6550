"""Figures of Chapter 7: a network while it learns, and what it learned."""

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.ticker import LogLocator, NullLocator

from figures.book import PALETTE, bare, digit, shade


def curves(history):
    """Loss and accuracy over the epochs.

    history: for each epoch the loss and accuracy while training, on
    the training set at its end, and on the test set.
    """
    epochs = range(1, len(history) + 1)
    columns = list(zip(*history, strict=True))
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1))
    kinds = [("while training", "forward", ":", "o"),
             ("training, epoch's end", "forward", "-", None),
             ("test", "correct", "--", None)]
    for i, (name, role, line, marker) in enumerate(kinds):
        style = {"color": PALETTE[role], "linestyle": line,
                 "marker": marker, "markersize": 3.2}
        left.plot(epochs, columns[2 * i], **style)
        right.plot(epochs, [100 * a for a in columns[2 * i + 1]],
                   label=name, **style)
    left.set(title="loss", xlabel="epoch", ylim=(0, None), xticks=epochs)
    right.set(title="accuracy in percent", xlabel="epoch", xticks=epochs)
    right.legend(loc="lower right", handlelength=2.6)
    left.text(epochs[-1], columns[4][-1] + 0.008, "test", ha="right",
              va="bottom", color=PALETTE["correct"])


def confusion(counts):
    """Counts [10, 10]: a row a true digit, a column an answer."""
    _, ax = plt.subplots(figsize=(5.4, 4.7))
    wrong = counts.clone().float()
    wrong.fill_diagonal_(0)
    right = torch.eye(10)
    ax.imshow(0.16 * right, cmap=shade("correct"), vmin=0, vmax=1)
    ax.imshow(wrong * (0.55 / wrong.max()), cmap=shade("backward"),
              vmin=0, vmax=1)
    for i in range(10):
        for j in range(10):
            if counts[i, j]:
                ax.text(j, i, f"{counts[i, j]}", ha="center",
                        va="center", fontsize=8 if i == j else 9)
    ax.set(xticks=range(10), yticks=range(10), xlabel="the answer",
           ylabel="the digit")
    ax.tick_params(length=0, labelsize=9)
    for spine in ax.spines.values():
        spine.set_visible(False)


def mistakes(images, answers, truths, sureness):
    """Twelve images [12, 784] that were misread."""
    fig, axes = plt.subplots(3, 4, figsize=(5.6, 5.2))
    fig.set_layout_engine("constrained", hspace=0.07)
    for i, ax in enumerate(axes.flat):
        digit(ax, images[i])
        ax.set_title(f"says {answers[i]}", color=PALETTE["backward"],
                     fontsize=9.5)
        ax.set_xlabel(f"is {truths[i]}", color=PALETTE["correct"],
                      fontsize=9.5, labelpad=1)
        sure = int(sureness[i] * 10_000) / 100  # cut off, since 100 is none
        ax.text(1.0, 1.02, f"{sure:.2f}%", fontsize=8, ha="right",
                va="bottom", color=PALETTE["muted"],
                transform=ax.transAxes)
        ax.title.set_ha("left")
        ax.title.set_x(0)


def two_signs():
    """A colormap: negative in one role, positive in another."""
    low, high = to_rgb(PALETTE["backward"]), to_rgb(PALETTE["weights"])
    return LinearSegmentedColormap.from_list("two signs", [
        (0.0, (*low, 1.0)), (0.5, (*low, 0.0)), (0.5, (*high, 0.0)),
        (1.0, (*high, 1.0)),
    ])


def hidden_units(W1, start, units):
    """Columns `units` of W1 [784, hidden] as images, above; below,
    what training has added to the values in `start` [784, hidden]."""
    _, axes = plt.subplots(
        2, len(units), figsize=(6.4, 2.05),
        gridspec_kw={"wspace": 0.04, "hspace": 0.04},
    )
    colors = two_signs()
    for row, matrix in zip(axes, (W1, W1 - start), strict=True):
        for ax, unit in zip(row, units, strict=True):
            w = matrix[:, unit].reshape(28, 28)
            top = w.abs().max().item()
            # Few levels: noise would weigh more than the page's words.
            ax.imshow((w / top * 5).round(), cmap=colors, vmin=-5, vmax=5,
                      interpolation="none")
            bare(ax)
            for spine in ax.spines.values():
                spine.set(visible=True, color=PALETTE["rule"])
            mark_extremes(ax, w)
    axes[0, 0].set_ylabel("weights")
    axes[1, 0].set_ylabel("change")


def mark_extremes(ax, w):
    """A plus at the largest entry of w [28, 28], a minus at the least."""
    for place, sign in ((w.argmax(), "+"), (w.argmin(), "−")):
        y, x = divmod(place.item(), 28)
        ax.text(x, y, sign, ha="center", va="center", fontsize=11,
                weight="bold", color=PALETTE["ink"], clip_on=True)


def live(X, y, answer, losses):
    """A plane with points X [N, 2] of classes y [N], what a network
    answers there (a function from [M, 2] to the probability of class
    1, [M]), and its loss after each epoch."""
    _, (left, right) = plt.subplots(
        1, 2, figsize=(6.4, 3.1), width_ratios=[1, 1.05],
    )
    ticks = torch.linspace(-1.25, 1.25, 91)      # [91]
    plane = torch.cartesian_prod(ticks, ticks)   # [8281, 2]
    p = answer(plane).reshape(91, 91).T        # rows are y
    left.contourf(
        ticks, ticks, p, levels=[0.0, 0.5, 1.0], alpha=0.16,
        colors=[PALETTE["forward"], PALETTE["weights"]],
    )
    left.contour(ticks, ticks, p, levels=[0.5], colors=[PALETTE["ink"]],
                 linewidths=1.2)
    for label, role, marker in ((0, "forward", "o"), (1, "weights", "^")):
        points = X[y == label]
        left.plot(points[:, 0], points[:, 1], marker, markersize=3.4,
                  color=PALETTE[role])
    left.text(-1.2, 1.2, "triangle", va="top", color=PALETTE["weights"])
    left.text(-1.2, -1.2, "disk", va="bottom", color=PALETTE["forward"])
    left.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1],
             title="what it answers")
    right.semilogy(range(1, len(losses) + 1), losses,
                   color=PALETTE["backward"])
    right.set(xlabel="epoch", title="loss", xlim=(0, len(losses)))
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_locator(NullLocator())
