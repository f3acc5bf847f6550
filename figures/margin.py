"""How steep two losses are when the network is confidently wrong."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def draw(margins, cross_entropy, squared_error):
    """Draw both slopes' sizes, on a log axis, over the margin by
    which a wrong logit beats the right one."""
    _, ax = plt.subplots(figsize=(5.4, 3.1))
    ax.semilogy(margins, cross_entropy, color=PALETTE["backward"])
    ax.semilogy(margins, squared_error, "--", color=PALETTE["muted"])
    ax.text(margins[-1], 2.2, "cross-entropy", ha="right", va="bottom",
            color=PALETTE["backward"])
    ax.text(10.5, 3e-4, "squared error", ha="left", va="bottom",
            color=PALETTE["muted"])
    ax.text(0.4, 3e-9, "confidently wrong →", color=PALETTE["muted"],
            fontsize=8)
    ax.set(
        xlabel="margin of the wrong logit over the right one",
        ylabel="slope in the right logit, its size", ylim=(1e-9, 30),
        xlim=(margins[0], margins[-1]), yticks=[1, 1e-2, 1e-4, 1e-6, 1e-8],
    )
