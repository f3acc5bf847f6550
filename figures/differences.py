"""How wrong finite differences are, by the size of the step."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def valley(steps, central, one_sided, single):
    """Draw three errors over the step: central and one-sided in
    float64, central in float32 (`single`)."""
    _, ax = plt.subplots(figsize=(5.8, 3.4))
    ax.loglog(steps, central, color=PALETTE["backward"])
    ax.loglog(steps, one_sided, "--", color=PALETTE["forward"])
    ax.loglog(steps, single, ":", color=PALETTE["ink"], linewidth=1.8)
    ax.text(4e-3, 4e-10, "central", color=PALETTE["backward"])
    ax.text(2e-4, 1.6e-6, "one-sided", color=PALETTE["forward"],
            ha="right")
    ax.text(3e-9, 1.5e-2, "central, float32", color=PALETTE["ink"])
    ax.text(1.5e-12, 1e-9, "← rounding", color=PALETTE["muted"])
    ax.text(1e-1, 4e-13, "truncation →", color=PALETTE["muted"],
            ha="right")
    ax.set(xlabel="step", ylabel="error of the slope",
           xlim=(steps[-1], steps[0]), ylim=(1e-13, 1),
           xticks=[10.0**p for p in range(-12, 0, 2)],
           yticks=[10.0**p for p in range(-12, 2, 3)])
    ax.minorticks_off()
