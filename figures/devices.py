"""Figures of Chapter 9: how fast a device is, and how much it finishes."""

import matplotlib.pyplot as plt

from figures.book import PALETTE

NOTHING = "no GPU has been recorded"


def rates(cpu, gpu):
    """Operations a second against the size of a square product.

    cpu, gpu: rows {"n", "time": {"median"}}; gpu None if there is none.
    """
    _, ax = plt.subplots(figsize=(6.0, 3.2))
    kinds = [("CPU, one thread", cpu, "forward", "-", "o")]
    if gpu:
        kinds.append(("GPU", gpu, "backward", "--", "s"))
    for name, rows, role, line, marker in kinds:
        n = [row["n"] for row in rows]
        speed = [2 * row["n"] ** 3 / row["time"]["median"] for row in rows]
        ax.loglog(n, speed, line, marker=marker, markersize=3.4,
                  color=PALETTE[role])
        ax.annotate(name, (n[-1], speed[-1]), (6, 0), va="center",
                    textcoords="offset points", color=PALETTE[role])
    if not gpu:
        ax.text(0.98, 0.04, NOTHING, ha="right", va="bottom",
                color=PALETTE["muted"], transform=ax.transAxes)
    ticks = sorted({row["n"] for _, rows, *_ in kinds for row in rows})
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set(xlabel="n", title="operations a second",
           xlim=(ticks[0] * 0.85, ticks[-1] * 4.2))


def lanes(finished, gpu):
    """A bar for each way of training: batches finished in a second.

    finished: {name: batches}; gpu: what its lanes are true of, or None.
    """
    names = list(finished)
    rows = len(names) + (gpu is None)
    _, ax = plt.subplots(figsize=(6.4, 0.6 + 0.42 * rows))
    longest = max(finished.values())
    for y, name in enumerate(names):
        role = "backward" if name.startswith("GPU") else "forward"
        hatch = "////" if name.startswith("GPU") else None
        ax.barh(y, finished[name], height=0.56, color=PALETTE[role] + "38",
                edgecolor="none")
        ax.barh(y, finished[name], height=0.56, color="none",
                edgecolor=PALETTE[role], hatch=hatch, linewidth=0.9)
        ax.text(finished[name] + longest * 0.015, y,
                f"{finished[name]:,.0f}", va="center", color=PALETTE[role])
    if gpu is None:
        ax.barh(len(names), longest, height=0.56, color="none",
                edgecolor=PALETTE["muted"], linestyle=":", linewidth=0.9)
        ax.text(longest / 2, len(names), NOTHING, ha="center", va="center",
                color=PALETTE["muted"])
        names = [*names, "GPU"]
    ax.set_yticks(range(rows), names)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(rows - 0.5, -0.5), xlim=(0, longest * 1.14),
           xlabel="batches finished in one second")
    ax.spines["left"].set_visible(False)
