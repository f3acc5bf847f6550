"""The gradient of one hidden unit's weights: blame times pixels."""

import matplotlib.pyplot as plt

from figures.book import PALETTE, digit
from figures.slopes import signed


def unit_gradient(seven, own, images, blame, d_W):
    """Draw our 7 [1, 784] with its blame `own` [1] and their product;
    of the images [N, 784] those with the largest and the smallest blame
    [N]; and the gradient d_W [784] of the batch by its signs."""
    most, least = blame.argmax().item(), blame.argmin().item()
    _, axes = plt.subplots(
        1, 6, figsize=(6.4, 1.75), gridspec_kw={"wspace": 0.02},
    )
    shown = [(seven[0], own[0]), None, (images[most], blame[most]),
             (images[least], blame[least])]
    for ax, pair in zip(axes, shown, strict=False):
        if pair:
            digit(ax, pair[0], "forward")
            ax.set_xlabel(f"blame {signed(pair[1].item(), 4)}", fontsize=8.5,
                          color=PALETTE["backward"])
    digit(axes[1], seven[0], "backward")
    axes[1].set_xlabel(f"gradient {'>' if own[0] > 0 else '<'} 0",
                       color=PALETTE["backward"], fontsize=8.5)
    axes[0].set_title("our 7, alone", loc="left")
    axes[2].set_title("two of the batch", loc="left")
    scale = d_W.abs().max()
    for ax, sign, text in [(axes[4], 1, "gradient > 0"),
                           (axes[5], -1, "gradient < 0")]:
        digit(ax, (sign * d_W / scale).clamp(min=0), "backward")
        ax.set_xlabel(text, color=PALETTE["backward"], fontsize=8.5)
    axes[4].set_title("the sum of all 64", loc="left")
