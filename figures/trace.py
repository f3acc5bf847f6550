"""One digit on its way through the network."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, digit


def trace(pixels, h_pre, logits, target):
    """Draw an image [784], its hidden sums [128] and its logits [10]."""
    _, axes = plt.subplot_mosaic(
        [["image", "hidden"], ["image", "logits"]],
        figsize=(5.8, 3.5), width_ratios=[1, 2.1],
    )
    digit(axes["image"], pixels.numpy(), "forward")
    axes["image"].set_title(f"a {target}, 784 pixels")

    sums = sorted(h_pre.tolist())
    kept = [value > 0 for value in sums]
    bars = axes["hidden"].bar(
        range(len(sums)), sums, width=0.8,
        color=[PALETTE["forward"] if k else "none" for k in kept],
        edgecolor=[PALETTE["forward" if k else "muted"] for k in kept],
        linewidth=0.5,
    )
    count = sum(kept)
    axes["hidden"].set(
        title="128 hidden sums, in order of size", xticks=[],
        xlim=(-1, len(bars)),
    )
    axes["hidden"].axhline(0, color=PALETTE["ink"], linewidth=0.7)
    axes["hidden"].text(len(sums) - count + 2, min(sums) * 0.55,
                        f"{count} pass ReLU", va="center",
                        color=PALETTE["forward"])
    axes["hidden"].text(len(sums) - count - 3, max(sums) * 0.45,
                        f"{len(sums) - count} become 0", ha="right",
                        va="center", color=PALETTE["muted"])
    axes["hidden"].spines["bottom"].set_visible(False)

    scores = logits.tolist()
    right = [k == target for k in range(10)]
    axes["logits"].bar(
        range(10), scores, width=0.7,
        color=[PALETTE["correct" if r else "forward"] for r in right],
        hatch=["////" if r else "" for r in right],
        edgecolor=PALETTE["paper"], linewidth=0,
    )
    axes["logits"].axhline(0, color=PALETTE["ink"], linewidth=0.7)
    axes["logits"].set(title="10 logits", xticks=range(10))
    axes["logits"].tick_params(bottom=False)
    axes["logits"].spines["bottom"].set_visible(False)
    axes["logits"].get_xticklabels()[target].set(
        color=PALETTE["correct"], fontweight="bold",
    )
