"""A contact sheet: the weights of all hidden units, each as an image."""

import matplotlib.pyplot as plt
import torch

from figures.book import bare
from figures.training import two_signs

COLUMNS, GAP = 11, 3


def mounted(W1, order, reach):
    """One image of all columns of W1 [784, hidden] in that order, from
    -1 to 1, where `reach` is 1; between them and at the end, NaN."""
    rows = -(-len(order) // COLUMNS)
    step = 28 + GAP
    image = torch.full((rows * step - GAP, COLUMNS * step - GAP),
                       torch.nan)
    for n, unit in enumerate(order):
        y, x = (k * step for k in divmod(n, COLUMNS))
        w = W1[:, unit].reshape(28, 28) / reach
        image[y:y + 28, x:x + 28] = w.clamp(-1, 1)
    return image


def sheet(start, trained, order):
    """Draw the columns of `start` and `trained` [784, hidden] on one
    scale, the units in the same `order` on both sides."""
    reach = 5 * start.std().item()
    _, axes = plt.subplots(1, 2, figsize=(6.4, 3.75))
    for ax, W1, title in zip(axes, (start, trained),
                             ("first values", "after ten epochs"),
                             strict=True):
        ax.imshow(mounted(W1, order, reach), cmap=two_signs(), vmin=-1,
                  vmax=1, interpolation="nearest")
        ax.set_title(title)
        bare(ax)
