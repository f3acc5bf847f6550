"""Figures of Chapter 10: a module as a tree, and hooks on a row."""

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import FancyBboxPatch

from figures.book import PALETTE, bare


def box(ax, x, y, width, text, role, **how):
    """A rounded box with its middle at height y, and a text."""
    ax.add_patch(FancyBboxPatch(
        (x, y - 0.29), width, 0.58,
        boxstyle="round,pad=0,rounding_size=0.12", linewidth=1.1,
        edgecolor=PALETTE[role], facecolor=PALETTE[role] + "1f"))
    ax.text(x + width / 2, y, text, ha="center", va="center",
            color=PALETTE[role], **how)


def rows_of(module, path=()):
    """Each module and parameter: its path of names, and itself.

    A chapter's Module, half grown, is not yet that of `scratch.nn`.
    """
    yield path, module
    for name, value in vars(module).items():
        if hasattr(value, "named_parameters"):
            yield from rows_of(value, (*path, name))
        elif torch.is_tensor(value):
            yield (*path, name), value


def tree(module):
    """A module with all that it owns, and the names that come of it."""
    parts = list(rows_of(module))
    leaves = [path for path, part in parts if torch.is_tensor(part)]
    height = {path: float(y) for y, path in enumerate(leaves)}
    for path, part in reversed(parts):           # in the middle of its own
        if not torch.is_tensor(part):
            own = [height[p] for p, _ in parts
                   if p[:-1] == path and p != path]
            height[path] = (min(own) + max(own)) / 2
    step, width = 2.75, 1.5
    deepest = max(map(len, leaves))
    _, ax = plt.subplots(figsize=(6.3, 0.62 * len(leaves) + 0.25))
    for path, part in parts:
        x, y = step * len(path), height[path]
        leaf = torch.is_tensor(part)
        box(ax, x, y, width, str(list(part.shape)) if leaf
            else type(part).__name__, "weights" if leaf else "ink",
            fontsize=9)
        if path:
            start, above = x - step + width, height[path[:-1]]
            bend = start + 0.3
            ax.plot((start, bend, bend, x), (above, above, y, y),
                    color=PALETTE["muted"], linewidth=0.9)
            ax.text((bend + x) / 2, y - 0.08, path[-1], ha="center",
                    va="bottom", fontsize=9, family="monospace")
        if leaf:
            ax.text(step * deepest + width + 0.35, y, ".".join(path),
                    va="center", family="monospace",
                    color=PALETTE["weights"])
    ax.set(xlim=(-0.1, step * deepest + width + 2.2),
           ylim=(len(leaves) - 0.5, -0.6))
    bare(ax)


def listening(seen):
    """What the hooks on a row of layers were given.

    seen: pairs of a layer and its output, in the order of the calls.
    """
    _, axes = plt.subplots(
        2, len(seen), figsize=(6.4, 2.5), height_ratios=(0.8, 1.5))
    for (top, ax), (layer, out) in zip(axes.T, seen, strict=True):
        box(top, 0, 0, 1.5, type(layer).__name__, "ink", fontsize=9)
        top.annotate("", (2.25, 0), (1.5, 0), arrowprops={
            "arrowstyle": "-|>", "color": PALETTE["forward"],
            "linewidth": 1.1}, annotation_clip=False)
        top.plot(1.85, 0, "o", color=PALETTE["paper"], markersize=5,
                 markeredgecolor=PALETTE["adam"], markeredgewidth=1.4,
                 zorder=5, clip_on=False)
        top.annotate("", (1.85, -1.25), (1.85, -0.16), arrowprops={
            "arrowstyle": "-|>", "color": PALETTE["adam"],
            "linestyle": ":", "linewidth": 1.2}, annotation_clip=False)
        top.set(xlim=(0, 2.1), ylim=(-1.2, 0.5))
        bare(top)
        values = out.detach().flatten()
        ax.hist(values.tolist(), bins=30, color=PALETTE["forward"] + "38",
                edgecolor=PALETTE["forward"], linewidth=0.5)
        ax.axvline(values.mean().item(), color=PALETTE["ink"],
                   linewidth=1, linestyle="--")
        ax.set(yticks=[], xlabel=str(list(out.shape)))
        ax.tick_params(axis="x", labelsize=8)
        ax.spines["left"].set_visible(False)
