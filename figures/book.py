"""The look of the book's figures: one palette, one style.

Importing this module sets matplotlib's style for the chapter.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap, to_rgb

HERE = Path(__file__).parent
PALETTE = json.loads(
    (HERE / "palette.json").read_text(encoding="utf-8")
)["light"]

plt.style.use(HERE / "book.mplstyle")


def shade(role: str) -> LinearSegmentedColormap:
    """A colormap from transparent to a role's colour.

    Transparency lets an image sit on the page's paper, light or dark.
    """
    rgb = to_rgb(PALETTE[role])
    return LinearSegmentedColormap.from_list(
        role, [(*rgb, 0.0), (*rgb, 1.0)]
    )


def bare(ax) -> None:
    """Take the frame and the ticks off an axes that shows a picture."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def digit(ax, pixels, role: str = "ink") -> None:
    """Draw one digit, `pixels` [28, 28] or [784] with values in [0, 1]."""
    ax.imshow(
        pixels.reshape(28, 28), cmap=shade(role), vmin=0, vmax=1,
        interpolation="nearest",
    )
    bare(ax)
