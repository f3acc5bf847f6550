"""Figures of Chapter 5 over the steps: losses, a velocity, averages."""

import matplotlib.pyplot as plt

from figures.book import PALETTE

DASHES = ["solid", (0, (5, 2)), (0, (1.2, 1.2)), (0, (6, 2, 1.2, 2))]


def falls(losses):
    """The loss of each step, {learning rate: [steps]}."""
    _, ax = plt.subplots(figsize=(5.8, 2.6))
    top = 4.4
    apart = {0.001: 0.2, 3.0: -0.2}              # two end side by side
    for dash, (rate, path) in zip(DASHES, losses.items(), strict=False):
        ax.plot(path, linestyle=dash, color=PALETTE["sgd"])
        ax.text(len(path) + 0.5, path[-1] + apart.get(rate, 0),
                f"lr {rate}", va="center", color=PALETTE["sgd"])
        if max(path) > top:
            peak = path.index(max(path))
            back = next(t for t in range(peak, len(path)) if path[t] < top)
            ax.text(back + 1, top, f"lr {rate}: up to {max(path):.0f}",
                    va="top", fontsize=8, color=PALETTE["sgd"])
    ax.set(xlabel="step", ylabel="loss", xlim=(0, len(path) + 6),
           ylim=(0, top))


def swings(paths):
    """A weight over the steps, {whether cleared: [steps]}."""
    _, ax = plt.subplots(figsize=(5.8, 2.3))
    ax.axhline(0, color=PALETTE["rule"], linewidth=0.8, zorder=0)
    ax.plot(paths[False], color=PALETTE["backward"], linestyle=DASHES[1])
    ax.plot(paths[True], color=PALETTE["forward"])
    last = len(paths[True])
    ax.text(last + 1, 0.0, "cleared", color=PALETTE["forward"], va="center")
    ax.text(last + 1, paths[False][-1], "never cleared", va="center",
            color=PALETTE["backward"])
    ax.set(xlabel="step", ylabel="w", xlim=(0, last + 22),
           ylim=(-1.15, 1.15), yticks=[-1, 0, 1])


def velocities(gradients, speeds, limits):
    """Gradient and velocity of two parameters, {title: [steps]} each,
    and the size that each velocity tends to."""
    _, axes = plt.subplots(1, 2, figsize=(6.2, 2.7), sharey=True)
    for ax, title in zip(axes, gradients, strict=True):
        steps = range(1, len(gradients[title]) + 1)
        ax.axhline(limits[title], color=PALETTE["muted"], linewidth=0.9,
                   linestyle=DASHES[1])
        ax.axhline(0, color=PALETTE["rule"], linewidth=0.8, zorder=0)
        ax.plot(steps, gradients[title], "o", markersize=2.6,
                color=PALETTE["backward"])
        ax.plot(steps, speeds[title], color=PALETTE["momentum"])
        above = max(limits[title], 1.2) + 0.25   # clear of the dots
        ax.text(len(steps), above, f"{limits[title]:.2f}", ha="right",
                color=PALETTE["muted"])
        ax.set(title=title, xlabel="step")
    axes[0].text(13, 6.2, "velocity", color=PALETTE["momentum"])
    axes[0].text(13, 1.4, "gradient", color=PALETTE["backward"])
    axes[0].set(ylim=(-1.6, 11.2), yticks=[0, 5, 10])


def averages(m, root, raw):
    """Adam's averages under a gradient of 1, and the steps they make."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.7))
    steps = range(1, len(m) + 1)
    left.axhline(1, color=PALETTE["backward"], linewidth=1,
                 linestyle=DASHES[2])
    left.plot(steps, m, color=PALETTE["adam"])
    left.plot(steps, root, color=PALETTE["adam"], linestyle=DASHES[1])
    left.text(len(m), 1.03, "gradient", ha="right",
              color=PALETTE["backward"])
    left.text(28, 0.85, "m", color=PALETTE["adam"], fontweight="bold")
    left.text(0.62 * len(m), root[int(0.62 * len(m))] - 0.11, "√v",
              color=PALETTE["adam"], fontweight="bold")
    left.set(title="the averages", xlabel="step", ylim=(0, 1.15))
    right.axhline(1, color=PALETTE["adam"], linewidth=1.6)
    right.plot(steps, raw, color=PALETTE["adam"], linestyle=DASHES[2])
    peak = raw.index(max(raw))
    right.text(peak + 22, raw[peak] - 0.2, "m / √v, as it is",
               color=PALETTE["adam"])
    right.text(len(m), 0.62, "corrected", ha="right", va="top",
               color=PALETTE["adam"])
    right.set(title="the step, in units of lr", xlabel="step",
              ylim=(0, max(raw) * 1.08))


def ways(paths):
    """Where Adam took four parameters, {name: [steps]}, in units of lr."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.8))
    for ax, names in ((left, ("steady", "rare")), (right, ("coin", "tiny"))):
        for name in names:
            tiny = name == "tiny"
            ax.plot(paths[name], linewidth=2.6 if tiny else 1.4,
                    linestyle=(0, (1.2, 2.4)) if tiny else "solid",
                    color=PALETTE["sgd" if tiny else "adam"])
        ax.set(title=" and ".join(names), xlabel="step")
    for name in ("steady", "rare"):
        left.text(520, paths[name][520], f"{name}  ", ha="right",
                  va="bottom", color=PALETTE["adam"])
    right.text(330, 4, "coin: the line", color=PALETTE["adam"])
    right.text(330, 1, "tiny: the dots", color=PALETTE["sgd"])
    right.axhline(0, color=PALETTE["rule"], linewidth=0.8, zorder=0)
    left.set_ylabel("way, in units of lr")
