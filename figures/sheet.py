"""A contact sheet: the weights of all hidden units, each as an image."""

import matplotlib.pyplot as plt
import torch

from figures.book import bare
from figures.training import two_signs

COLUMNS, SIDE, GAP = 16, 14, 2
LEVELS = 2                                       # of each sign, and none


def mounted(W1, order, reach):
    """One image of the columns of W1 [784, hidden] in that order, from
    -1 to 1, where `reach` is 1; between them, NaN.

    A pixel is the mean of 2 by 2 weights, in few levels: noise at full
    size would weigh more than the rest of the page.
    """
    rows = -(-len(order) // COLUMNS)
    step = SIDE + GAP
    image = torch.full((rows * step - GAP, COLUMNS * step - GAP),
                       torch.nan)
    for n, unit in enumerate(order):
        y, x = (k * step for k in divmod(n, COLUMNS))
        w = W1[:, unit].reshape(SIDE, 2, SIDE, 2).mean((1, 3)) / reach
        w = (w.clamp(-1, 1) * LEVELS).round() / LEVELS
        image[y:y + SIDE, x:x + SIDE] = w
    return image


def sheet(start, trained, order):
    """Draw the columns of `trained` [784, hidden], all of them, below
    the first sixteen of `start`, on one scale, in the same `order`."""
    reach = 5 * start.std().item()
    parts = (("first values of the first sixteen", start, order[:COLUMNS]),
             (f"after ten epochs, all {len(order)}", trained, order))
    images = [mounted(W1, units, reach) for _, W1, units in parts]
    _, axes = plt.subplots(2, 1, figsize=(6.4, 4.2),
                           height_ratios=[len(i) for i in images])
    for ax, image, (title, *_) in zip(axes, images, parts, strict=True):
        ax.imshow(image, cmap=two_signs(), vmin=-1, vmax=1,
                  interpolation="none")
        ax.set_title(title)
        bare(ax)
