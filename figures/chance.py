"""How well networks read that have learned nothing."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def chance(accuracies, width: float = 0.7):
    """A disk for each accuracy; those that are near lie above each
    other. `width` is that of a disk, in percent."""
    _, ax = plt.subplots(figsize=(6.0, 1.7))
    percent = sorted(100 * a for a in accuracies)
    placed: list[tuple[float, int]] = []
    for p in percent:
        row = 0
        while any(r == row and p - q < width for q, r in placed):
            row += 1
        placed.append((p, row))
    ax.axvline(10, color=PALETTE["ink"], lw=1, ls="--")
    ax.plot(*zip(*placed, strict=True), "o", ms=8.5, alpha=0.85,
            color=PALETTE["forward"], mew=0.5,
            markeredgecolor=PALETTE["paper"])
    mean = sum(percent) / len(percent)
    ax.plot(mean, -1.0, "^", ms=8, color=PALETTE["weights"])
    ax.text(mean - 0.35, -1.1, f"mean {mean:.1f}%", ha="right",
            va="center", color=PALETTE["weights"])
    ax.text(10.2, 3.6, "one in ten", va="center")
    ax.set(xlim=(0, 22), ylim=(-1.7, 4.2), yticks=[],
           xlabel="percent of the test set read correctly")
    ax.spines["left"].set_visible(False)
