"""The gradient of one hidden unit's weights, as a sum of images."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, digit


def signed(value):
    """Three decimals with a sign, and a true minus."""
    return f"{value:+.3f}".replace("-", "−")


def unit_gradient(images, blame, d_W, count=4):
    """Draw the `count` images [N, 784] that have most blame [N] in
    size, and the unit's gradient d_W [784] in its two signs."""
    order = blame.abs().argsort(descending=True)[:count].tolist()
    _, axes = plt.subplots(
        1, count + 2, figsize=(6.4, 1.75),
        width_ratios=[1] * count + [1.25, 1.25],
    )
    for ax, i in zip(axes, order, strict=False):
        digit(ax, images[i], "forward")
        ax.set_xlabel(signed(blame[i].item()), color=PALETTE["backward"],
                      fontsize=10)
    axes[0].set_title("images, and the blame of each", loc="left")
    scale = d_W.abs().max()
    for ax, sign, text in [(axes[-2], 1, "gradient > 0"),
                           (axes[-1], -1, "gradient < 0")]:
        digit(ax, (sign * d_W / scale).clamp(min=0), "backward")
        ax.set_xlabel(text, color=PALETTE["backward"], fontsize=9)
