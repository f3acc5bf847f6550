"""The gradient of one hidden unit's weights, as a sum of images."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, digit


def signed(value):
    """Four decimals with a sign, and a true minus."""
    return f"{value:+.4f}".replace("-", "−")


def unit_gradient(images, blame, d_W):
    """Draw the images [N, 784] with the two largest and the two
    smallest blames [N], and the gradient d_W [784] by its signs."""
    order = blame.argsort(descending=True).tolist()
    order = order[:2] + order[-2:]
    _, axes = plt.subplots(
        1, 6, figsize=(6.4, 1.6), gridspec_kw={"wspace": 0.02},
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
    axes[-2].set_title("their sum over the batch", loc="left")
