"""The figure of the page on how this book is made: its flow."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from figures.book import PALETTE

# Boxes: middle x, middle y, width, height; the page is 100 wide.
BOXES = {
    "source": (50, 109, 62, 13, "a chapter", "book/02-forward.qmd", "ink"),
    "pieces": (50, 87, 62, 13, "its pieces",
               "prose · cells · inline values", "ink"),
    "program": (21, 63, 40, 13, "the program",
                "code/scratch/*.py", "ours"),
    "outputs": (79, 63, 40, 13, "outputs", "text, figures, values",
                "forward"),
    "record": (21, 37, 40, 13, "the record", "book/recorded/*.json",
               "muted"),
    "woven": (79, 37, 40, 13, "woven text", "prose with its outputs",
              "forward"),
}
PAGES = (("page", 13), ("PDF", 38), ("EPUB", 62), ("notebook", 87))


def _box(ax, x, y, width, height, title, detail, role):
    ax.add_patch(FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height,
        boxstyle="round,pad=0,rounding_size=1.6", linewidth=1.1,
        facecolor="none", edgecolor=PALETTE[role],
    ))
    middle = y + (2.6 if detail else 0)
    ax.text(x, middle, title, ha="center", va="center", fontsize=10,
            color=PALETTE[role])
    if detail:
        ax.text(x, y - 3.0, detail, ha="center", va="center",
                fontsize=8.3, color=PALETTE["muted"])


def _arrow(ax, start, end, verb, at, *, style="-|>", ha="left"):
    ax.add_patch(FancyArrowPatch(
        start, end, arrowstyle=style, mutation_scale=9, shrinkA=0,
        shrinkB=0, linewidth=1.1, color=PALETTE["ink"],
    ))
    ax.text(*at, verb, ha=ha, va="center", fontsize=10,
            style="italic", color=PALETTE["ink"])


def flow():
    """From a chapter to its pages, with the verb on each arrow."""
    _, ax = plt.subplots(figsize=(4.5, 5.2))
    for box in BOXES.values():
        _box(ax, *box)
    _arrow(ax, (50, 102.5), (50, 93.9), "parse", (53, 98.4))
    _arrow(ax, (32, 80.5), (21, 69.9), "tangle", (24, 76), ha="right")
    _arrow(ax, (68, 80.5), (79, 69.9), "run", (76, 76))
    _arrow(ax, (41, 63), (58.6, 63), "import", (49.8, 66), ha="center")
    _arrow(ax, (79, 56.5), (79, 43.9), "weave", (82, 50.4))
    _arrow(ax, (62, 56.5), (38, 43.9), "reproduce", (47, 50.4),
           style="<|-|>", ha="right")
    for name, x in PAGES:
        _box(ax, x, 9, 22, 9, name, "", "ink")
        _arrow(ax, (79, 30.5), (x, 13.9), "", (x, 12))
    ax.text(50, 25.5, "set", ha="right", va="center", fontsize=10,
            style="italic", color=PALETTE["ink"])
    ax.set(xlim=(0, 100), ylim=(3, 117))
    ax.axis("off")
