"""Three optimizers on the first 200 batches of MNIST."""

import math

import matplotlib.pyplot as plt

from figures.book import PALETTE
from figures.landscape import STYLE


def draw(curves, end, best, span=10):
    """Losses at the best rates, and the last losses by rate.

    `curves` and `end` are keyed by (name, rate), `best` by name.
    """
    _, (above, below) = plt.subplots(2, 1, figsize=(5.6, 5.4))
    for name, rate in best.items():
        role, dash, marker = STYLE[name]
        losses = curves[name, rate]
        means = [
            sum(losses[i : i + span]) / span
            for i in range(0, len(losses), span)
        ]
        middles = [i * span + span / 2 for i in range(len(means))]
        above.plot(middles, means, linestyle=dash, color=PALETTE[role],
                   marker=marker, markersize=3.5, label=f"{name}, lr {rate}")
        points = [
            (r, e) for (other, r), e in end.items()
            if other == name and math.isfinite(e)
        ]
        below.plot(*zip(*points, strict=True), linestyle=dash,
                   color=PALETTE[role], marker=marker, markersize=4)
    above.legend(handlelength=4)
    above.set(xlabel="step", ylabel="training loss", ylim=(0, 1.8))
    for x, y, name in [(0.012, 1.3, "SGD"), (0.0014, 1.15, "momentum"),
                       (0.15, 1.6, "Adam")]:
        below.text(x, y, name, color=PALETTE[STYLE[name][0]],
                   ha="right" if name == "Adam" else "left")
    below.set(xscale="log", xlabel="learning rate", ylim=(0, 2.4),
              ylabel="loss, steps 151 to 200")
