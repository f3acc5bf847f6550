"""How one program's result scatters from seed to seed."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def scatter(rows):
    """A row of marks for each name; rows: name -> (role, accuracies)."""
    _, ax = plt.subplots(figsize=(6.2, 0.45 * len(rows) + 0.75))
    markers = iter("os^v")
    for n, (role, found) in enumerate(rows.values()):
        ax.axhline(-n, color=PALETTE["rule"], linewidth=0.8, zorder=0)
        ax.plot([100 * a for a in found], [-n] * len(found),
                next(markers), markersize=7.5, alpha=0.8,
                color=PALETTE[role], markeredgecolor=PALETTE["paper"],
                markeredgewidth=0.5, clip_on=False)
    ax.set(ylim=(0.5 - len(rows), 0.5),
           xlabel="percent of the test set read correctly")
    ax.set_yticks([-n for n in range(len(rows))], list(rows))
    ax.tick_params(axis="y", length=0, labelsize=9, labelcolor=PALETTE["ink"])
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.06)
