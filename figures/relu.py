"""ReLU and its slope."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def bend(reach: float = 3):
    """Two plots over the same inputs: max(z, 0), and how fast it rises."""
    _, (value, slope) = plt.subplots(1, 2, figsize=(5.8, 2.3))
    value.plot([-reach, 0, reach], [0, 0, reach], lw=2.2,
               color=PALETTE["forward"])
    for ends, height in (((-reach, 0), 0), ((0, reach), 1)):
        slope.plot(ends, [height, height], "--", lw=2.2,
                   color=PALETTE["backward"])
        slope.plot(0, height, "o", ms=6, mew=1.4, zorder=3,
                   color=PALETTE["backward"], markerfacecolor=PALETTE["paper"])
    value.text(-reach, 0.25, "nothing passes", color=PALETTE["forward"])
    value.text(1.35, 1.75, "all passes", ha="right",
               color=PALETTE["forward"])
    slope.text(-reach, 0.1, "slope 0", color=PALETTE["backward"])
    slope.text(reach, 0.88, "slope 1", ha="right", va="top",
               color=PALETTE["backward"])
    value.set(title="relu(z)", ylim=(-0.4, reach), xlabel="z")
    slope.set(title="its slope", ylim=(-0.2, 1.5), yticks=[0, 1],
              xlabel="z")
