"""Figures of Chapter 8: how far two trainings lie apart."""

import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator

from figures.book import PALETTE


def _log_steps(ax, last):
    """A logarithmic axis of steps, from 1 to `last`."""
    ax.set_xscale("log")
    ax.set(xlim=(0.9, last * 1.1), xlabel="step")
    ax.xaxis.set_minor_locator(NullLocator())


def apart(single, double, largest):
    """The largest distance of two runs, in float32 and in float64.

    `single` and `double`: one distance a step; `largest`: the size of
    the largest weight at the end.
    """
    _, ax = plt.subplots(figsize=(6.2, 3.3))
    steps = range(1, len(single) + 1)
    ax.plot(steps, single, color=PALETTE["ours"])
    ax.plot(steps, double, "--", color=PALETTE["weights"])
    ax.axhline(largest, color=PALETTE["muted"], linewidth=0.9,
               linestyle=":")
    ax.set_yscale("log")
    _log_steps(ax, len(single))
    ax.set(ylim=(3e-17, 30), ylabel="largest distance")
    ax.yaxis.set_major_locator(LogLocator(numticks=7))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.text(1, largest * 1.6, "the largest weight", va="bottom",
            fontsize=8.5, color=PALETTE["muted"])
    ax.text(1.2, single[0] * 4, "float32", va="bottom",
            color=PALETTE["ours"])
    ax.text(1.2, double[0] * 5, "float64", va="bottom",
            color=PALETTE["weights"])
    for k in range(1, len(single) // 938 + 1):
        ax.plot([938 * k] * 2, [3e-17, 8e-17], linewidth=0.8,
                color=PALETTE["muted"])
    ax.text(860, 1.1e-16, "epochs", fontsize=8.5, ha="right",
            va="center", color=PALETTE["muted"])


def jump(gaps, step, other_side):
    """Two runs with SGD: the distance, and the step at which one unit
    is awake on one side and asleep on the other."""
    _, ax = plt.subplots(figsize=(6.2, 2.7))
    ax.plot(range(1, len(gaps) + 1), gaps, color=PALETTE["ours"])
    ax.axvline(step, color=PALETTE["muted"], linestyle=":",
               linewidth=1.2)
    ax.set_yscale("log")
    ax.set(xlim=(0, len(gaps)), ylim=(3e-9, 3 * max(gaps)), xlabel="step",
           ylabel="largest distance")
    ax.yaxis.set_minor_locator(NullLocator())
    left = step > len(gaps) / 2                  # where there is room
    ax.text(step + len(gaps) / 75 * (-1 if left else 1), 1e-4,
            f"step {step:,}:\none unit, one image,\n{other_side}",
            ha="right" if left else "left", va="center", fontsize=8.5)


def two_runs(losses, gaps):
    """Two runs on a small problem, by name of the dtype.

    `losses`: a pair of lists, ours and torch's, drawn as means of ten
    steps; `gaps`: by name, the largest distance after each step.
    """
    _, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.2, 4.4), sharex=True, height_ratios=[1, 1.15]
    )
    n = len(losses[0])
    steps = range(1, n + 1)
    ours, theirs = (
        [sum(run[i:i + 10]) / 10 for i in range(0, n, 10)]
        for run in losses
    )
    middles = range(5, n, 10)
    top.plot(middles, ours, color=PALETTE["ours"], linewidth=4.5,
             alpha=0.6)
    top.plot(middles, theirs, "--", color=PALETTE["torch"],
             linewidth=1.2)
    top.set(ylabel="loss", ylim=(0, None))
    top.text(0.97, 0.9, "ours: wide\ntorch.nn: dashed, on top of it",
             ha="right", va="top", transform=top.transAxes)
    for (name, gap), role, line in zip(
        gaps.items(), ("ours", "weights"), ("-", "--"), strict=True
    ):
        bottom.plot(steps, gap, line, color=PALETTE[role])
        bottom.text(n * 0.985, max(gap[-n // 4:]) * 6, name, ha="right",
                    va="bottom", color=PALETTE[role])
    bottom.set_yscale("log")
    bottom.set(xlim=(0, n), ylim=(1e-17, 1), xlabel="step",
               ylabel="largest distance")
    bottom.yaxis.set_major_locator(LogLocator(numticks=6))
    bottom.yaxis.set_minor_locator(NullLocator())
