"""Ten logits, their probabilities, and the slope in each logit."""

import matplotlib.pyplot as plt

from figures.book import PALETTE


def bars(ax, values, target, role, digits):
    """Ten bars, the target's in the color of the right class."""
    drawn = ax.bar(
        range(10), values, width=0.72, edgecolor=PALETTE["paper"],
        linewidth=0, color=[
            PALETTE["correct" if k == target else role] for k in range(10)
        ],
        hatch=["////" if k == target else "" for k in range(10)],
    )
    labels = [f"{v:.{digits}f}".replace("-", "−") for v in values]
    ax.bar_label(drawn, labels, padding=2, fontsize=8)
    ax.axhline(0, color=PALETTE["ink"], linewidth=0.7, clip_on=False)
    ax.set(yticks=[])
    ax.tick_params(bottom=False)
    ax.margins(y=0.24)
    for side in ("bottom", "left"):
        ax.spines[side].set_visible(False)


def panels(logits, probs, d_logits, loss, target):
    """Draw one image's logits, probabilities and gradient, each [10],
    over one another; `loss` is −log of the target's probability."""
    _, axes = plt.subplots(3, 1, figsize=(5.6, 4.8), sharex=True)
    bars(axes[0], logits, target, "forward", 1)
    bars(axes[1], probs, target, "forward", 2)
    bars(axes[2], d_logits, target, "backward", 2)

    axes[0].set_title("logits", loc="left")
    axes[1].set_title("probabilities", loc="left")
    axes[1].set_title(
        f"loss = −ln {probs[target]:.2f} = {loss:.2f}", loc="right",
        color=PALETTE["correct"],
    )
    axes[2].set_title("slope of the loss in each logit", loc="left")
    axes[2].set(xticks=range(10), xlabel="digit")
    label = axes[2].get_xticklabels()[target]
    label.set(color=PALETTE["correct"], fontweight="bold")
