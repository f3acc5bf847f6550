"""Figures of Chapter 9: what a step asks for, how fast a device is, and
how much it finishes."""

import matplotlib.pyplot as plt

from figures.book import PALETTE

COMPUTED = ("weights", "--")
LOOKS = {"CPU": ("forward", "-"), "GPU": ("backward", ":")}
DOTS = {"CPU": "o", "GPU": "s"}


def look(name):
    """The role and the dash of a device by its name: what is neither the
    processor nor a recorded GPU has been computed."""
    return LOOKS.get(name.split(",")[0], COMPUTED)


def rates(measured):
    """Operations a second against the size of a square product.

    measured: {name of a device: rows {"n", "time": {"median"}}, or None}.
    """
    _, ax = plt.subplots(figsize=(6.4, 3.2))
    sizes: set[int] = set()
    for name, rows in measured.items():
        if not rows:
            continue
        role, line = look(name)
        n = [row["n"] for row in rows]
        speed = [2 * row["n"] ** 3 / row["time"]["median"] for row in rows]
        marker = DOTS.get(name.split(",")[0])
        ax.loglog(n, speed, line, marker=marker, markersize=3.4,
                  color=PALETTE[role])
        ax.annotate(name.replace(", ", ",\n"), (n[-1], speed[-1]), (6, 0),
                    va="center", textcoords="offset points",
                    color=PALETTE[role])
        sizes |= set(n)
    ticks = sorted(sizes)
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set(xlabel="n", title="operations a second",
           xlim=(ticks[0] * 0.85, ticks[-1] * 12))


def layer(batch):
    """Operations of the first layer for each byte that it moves."""
    size = 4 * (batch * 784 + 784 * 128 + batch * 128)
    return 2 * batch * 784 * 128 / size


def roofs(devices):
    """The best rate for so many operations a byte, and the first layer.

    devices: {name: {"roof": …, "layers": rows {"batch", "time"}}}.
    """
    _, ax = plt.subplots(figsize=(6.4, 3.4))
    x = [2.0**k for k in range(-3, 11)]
    for name, found in devices.items():
        role, line = look(name)
        roof = found["roof"]
        x_here = sorted([*x, roof["flops"] / roof["bytes"]])
        ax.loglog(x_here, [min(roof["flops"], i * roof["bytes"])
                           for i in x_here], line, color=PALETTE[role])
        ax.annotate(name, (x[-1], roof["flops"]), (0, 5), ha="right",
                    textcoords="offset points", color=PALETTE[role])
        marker = DOTS.get(name)
        if marker is None:
            continue
        for row in found["layers"]:
            rate = 2 * row["batch"] * 784 * 128 / row["time"]["median"]
            ax.plot(layer(row["batch"]), rate, marker, markersize=4.6,
                    color=PALETTE[role], markerfacecolor="none")
    ax.set(xlabel="operations a byte", title="operations a second",
           xlim=(x[0], x[-1]))
    ax.minorticks_off()


def gains(widths, gained):
    """How many times as fast, by hidden units; {batch: [times]}."""
    _, ax = plt.subplots(figsize=(6.0, 3.0))
    for (batch, times), line, marker in zip(
        gained.items(), ("-", "--"), "os", strict=True
    ):
        ax.loglog(widths, times, line, marker=marker, markersize=3.4,
                  color=PALETTE["weights"])
        ax.annotate(f"{batch:,} images", (widths[-1], times[-1]), (6, 0),
                    va="center", textcoords="offset points",
                    color=PALETTE["weights"])
    ax.set_xticks(widths, [str(n) for n in widths])
    ticks = [t for t in (1, 3, 10, 30, 100, 300)
             if t <= 1.3 * max(map(max, gained.values()))]
    ax.set_yticks(ticks, [f"{t}×" for t in ticks])
    ax.minorticks_off()
    ax.set(xlabel="hidden units", title="as fast as the processor",
           xlim=(widths[0] * 0.85, widths[-1] * 4))


def lanes(finished):
    """A bar for each way of training, {name: batches in a second}."""
    names = list(finished)
    _, ax = plt.subplots(figsize=(6.4, 0.6 + 0.42 * len(names)))
    longest = max(finished.values())
    for y, name in enumerate(names):
        role, line = look(name)
        hatch = "////" if name.startswith("GPU") else None
        ax.barh(y, finished[name], height=0.56, color=PALETTE[role] + "38",
                edgecolor="none")
        ax.barh(y, finished[name], height=0.56, color="none",
                edgecolor=PALETTE[role], hatch=hatch, linewidth=0.9,
                linestyle=line)
        ax.text(finished[name] + longest * 0.015, y,
                f"{finished[name]:,.0f}", va="center", color=PALETTE[role])
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, longest * 1.14),
           xlabel="batches finished in one second")
    ax.spines["left"].set_visible(False)


def shares(parts):
    """Whose are the kernels, the products and the bytes of a step.

    parts: {name: rows (kernel, multiply-adds, bytes) of a Ledger}.
    """
    counts = {"kernels": lambda row: 1, "multiply-adds": lambda row: row[1],
              "bytes": lambda row: row[2]}
    looks = [("muted", "\\\\\\\\"), ("forward", ""), ("adam", "////")]
    _, ax = plt.subplots(figsize=(6.4, 1.9))
    for y, count in enumerate(counts.values()):
        sums = {name: sum(map(count, rows)) for name, rows in parts.items()}
        left, total = 0.0, sum(sums.values())
        for (name, size), (role, hatch) in zip(
                sums.items(), looks, strict=True):
            share = size / total
            ax.barh(y, share, left=left, height=0.62, hatch=hatch,
                    color=PALETTE[role] + "38", edgecolor=PALETTE[role],
                    linewidth=0.9)
            if share > 0.06:
                ax.text(left + share / 2, y, f"{share:.0%}", ha="center",
                        va="center", fontsize=9, bbox={
                            "facecolor": PALETTE["paper"], "pad": 1.5,
                            "edgecolor": "none"})
            if y == 0:
                ax.text(max(left + share / 2, 0.05), -0.5, name,
                        ha="center", va="bottom", color=PALETTE[role],
                        fontsize=9)
            left += share
    ax.set_yticks(range(len(counts)), list(counts))
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(counts) - 0.6, -0.85), xlim=(0, 1.002), xticks=[])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def timeline(ways, card):
    """One step on a card in two lanes: its orders, and what they run.

    ways: {name: orders}, each (seconds of every kernel that it starts,
    whether the processor then waits for an answer).
    """
    _, ax = plt.subplots(figsize=(6.4, 0.7 + 0.8 * len(ways)))
    labels, lane = [], 2.7
    for n, (name, orders) in enumerate(ways.items()):
        now = free = 0.0
        placed, ran, waited = [], [], []
        for kernels, waits in orders:
            placed.append((1e6 * now, 0.86e6 * card["launch"]))
            now += card["launch"]
            for length in kernels:
                free = max(free, now)
                ran.append((1e6 * free, 1e6 * length))
                free += length
            if waits:
                until = max(now, free) + card["wait"]
                waited.append((1e6 * now, 1e6 * (until - now)))
                now = until
        top = lane * n
        for bars, y, face, edge, line in (
            (placed, top, PALETTE["muted"] + "50", "muted", "-"),
            (waited, top, "none", "ink", ":"),
            (ran, top + 1, PALETTE["backward"], "backward", "-"),
        ):
            ax.broken_barh(bars, (y, 0.8), facecolor=face, linewidth=0.6,
                           edgecolor=PALETTE[edge], linestyle=line)
        labels += [(top + 0.4, f"{name}: orders"), (top + 1.4, "runs")]
    ax.set_yticks([y for y, _ in labels], [text for _, text in labels])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(lane * len(ways) - 0.6, -0.3), xlabel="µs")
    ax.set_xlim(left=0)
    ax.spines["left"].set_visible(False)
