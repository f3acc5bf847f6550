"""The weights of hidden units, each unit's as an image."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, bare, digit, shade
from figures.recognizer import load

COUNT = 6


def picture(ax, weights, reach):
    """784 weights as an image; 0 is the middle of the scale."""
    ax.imshow(weights.reshape(28, 28), cmap=shade("weights"), vmin=-reach,
              vmax=reach, interpolation="nearest")
    bare(ax)


def units(image, W1, path):
    """Draw an image [784], and of the units whose weights grew most in
    training the first weights, W1 [784, hidden], and the trained ones,
    from a file that figures.recognizer wrote."""
    trained = load(path)[0]                          # [784, hidden]
    grown = (trained - W1).square().mean(0)          # [hidden]
    chosen = grown.topk(COUNT).indices
    reach = 6 * W1.std().item()
    names = [f"s{n}" for n in range(COUNT)], [f"t{n}" for n in range(COUNT)]
    _, axes = plt.subplot_mosaic(
        [["image", *names[0]], ["image", *names[1]]],
        figsize=(6.4, 2.3), width_ratios=[2.1, *[1] * COUNT],
    )
    digit(axes["image"], image, "forward")
    axes["image"].set_title("our 7")
    for row, weights, text in zip(
        names, (W1, trained), ("first values", "trained"), strict=True,
    ):
        for name, unit in zip(row, chosen, strict=True):
            picture(axes[name], weights[:, unit], reach)
        axes[row[0]].set_ylabel(text, color=PALETTE["weights"])
    for name, unit in zip(names[0], chosen.tolist(), strict=True):
        axes[name].set_title(f"unit {unit}", fontsize=8.5)
