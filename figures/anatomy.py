"""Figures of Chapter 10: what is inside the layers of `scratch.nn`.

`describe` takes a layer apart into plain lists, dicts and strings, so
that a picture and a simulation can show the same.
"""

import inspect

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import FancyBboxPatch, Rectangle
from torch.utils._python_dispatch import TorchDispatchMode

from figures.book import PALETTE, bare, digit, shade

# What each layer is made of, besides its own class.
PARTS = {
    "Linear": ["linear"],
    "Conv2d": ["window_numbers", "conv2d"],
    "MultiheadAttention": ["attention", "additive"],
}


class _Recorder(TorchDispatchMode):
    """Notes every operation that reaches a kernel; views compute nothing."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        out = op(*args, **(kwargs or {}))
        name = op.overloadpacket.__name__
        view = op.is_view or name == "_unsafe_view"
        if not (view or name.startswith("_record")):
            name = name.removeprefix("_")
            self.seen.append({
                "name": name,
                "inputs": [list(a.shape) for a in args
                           if isinstance(a, torch.Tensor)],
                "output": list(out.shape),
            })
        return out


def describe(layer, inputs):
    """A layer, taken apart while it maps `inputs`, ready for JSON.

    Keys: name, parameters and buffers (shape by name), inputs, output
    (shapes), operations (a list of name, inputs, output in the order of
    execution), source (texts; the layer's own class is the last).
    """
    with torch.no_grad(), _Recorder() as recorder:
        out = layer(*inputs)
    out = out[0] if isinstance(out, tuple) else out
    named = dict(layer.named_parameters())
    kind = type(layer)
    parts = [getattr(inspect.getmodule(kind), name)
             for name in PARTS.get(kind.__name__, [])]
    return {
        "name": kind.__name__,
        "parameters": {n: list(p.shape) for n, p in named.items()},
        "buffers": {n: list(t.shape) for n, t in layer.named_tensors()
                    if n not in named},
        "inputs": [list(t.shape) for t in inputs],
        "output": list(out.shape),
        "operations": recorder.seen,
        "source": [inspect.getsource(part) for part in (*parts, kind)],
    }


def _shape(size):
    return "[" + ", ".join(map(str, size)) + "]"


def anatomy(layers):
    """One band a layer: parameters and buffers, and its operations.

    `layers`: what `describe` returned for each.
    """
    width, chip, gap, left = 100, 2.9, 1.0, 34.0
    placed, top = [], 0.0
    for layer in layers:
        x, row, chips = left, 0, []
        for op in layer["operations"]:
            size = 1.42 * len(op["name"]) + 2.2
            if x + size > width - 1:
                x, row = left, row + 1
            chips.append((x, row, size, op["name"]))
            x += size + gap
        held = [(n, s, "weights") for n, s in layer["parameters"].items()]
        held += [(n, s, "muted") for n, s in layer["buffers"].items()]
        height = max((row + 1) * (chip + gap), 3.3 + 2.4 * len(held)) + 1.2
        placed.append((top, height, layer, chips, held))
        top += height + 0.6
    _, ax = plt.subplots(figsize=(6.4, 6.4 * top / width))
    for y, height, layer, chips, held in placed:
        ax.add_patch(Rectangle((0, y), width, height, facecolor="none",
                               edgecolor=PALETTE["rule"], linewidth=0.8))
        ax.text(1.2, y + 2.2, layer["name"], va="center", fontsize=9.5,
                fontweight="bold")
        for i, (name, size, role) in enumerate(held):
            ax.text(1.2, y + 4.8 + 2.4 * i, f"{name} {_shape(size)}",
                    va="center", fontsize=7, color=PALETTE[role])
        for x, row, size, name in chips:
            at = y + 1 + row * (chip + gap)
            ax.add_patch(FancyBboxPatch(
                (x, at), size, chip, boxstyle="round,pad=0,rounding_size=0.7",
                facecolor=PALETTE["forward"] + "1f",
                edgecolor=PALETTE["forward"], linewidth=0.7))
            ax.text(x + size / 2, at + chip / 2, name, ha="center",
                    va="center", fontsize=7, family="monospace",
                    color=PALETTE["forward"])
    ax.set(xlim=(-0.5, width + 0.5), ylim=(top, -0.5))
    bare(ax)


def windows(numbers, columns, which):
    """The numbered pixels of a picture, and its windows as columns.

    `numbers` [H, W], `columns` [kh kw, windows]; the window `which` is
    marked in both.
    """
    H, W = numbers.shape
    _, ax = plt.subplots(figsize=(5.6, 2.5))
    marked = columns[:, which].tolist()

    def grid(values, left, top):
        for i, row in enumerate(values.tolist()):
            for j, value in enumerate(row):
                seen = value in marked if left == 0 else j == which
                ax.add_patch(Rectangle(
                    (left + j, top + i), 1, 1, linewidth=0.8,
                    edgecolor=PALETTE["rule"],
                    facecolor=PALETTE["forward"] + ("38" if seen else "00")))
                ax.text(left + j + 0.5, top + i + 0.5, str(value),
                        ha="center", va="center", fontsize=9,
                        color=PALETTE["ink"])

    grid(numbers, 0, 0.5)
    start = W + 4.6
    grid(columns, start, 0)
    kernel, _ = columns.shape
    ax.annotate("", (start - 0.4, 2), (W + 0.4, 2), arrowprops={
        "arrowstyle": "-|>", "color": PALETTE["ink"], "linewidth": 1})
    ax.text((start + W) / 2, 1.8, "one column\na window", ha="center",
            va="bottom", fontsize=8.5)
    ax.text(W / 2, H + 0.9, f"pixels, numbered\n[{H}, {W}]", ha="center",
            va="top", fontsize=8.5, color=PALETTE["forward"])
    ax.text(start + columns.shape[1] / 2, kernel + 0.4,
            f"columns\n{_shape(columns.shape)}", ha="center", va="top",
            fontsize=8.5, color=PALETTE["forward"])
    ax.set(xlim=(-0.3, start + columns.shape[1] + 0.3),
           ylim=(kernel + 2, -0.3))
    ax.set_aspect("equal")
    bare(ax)


def filtered(picture, maps, titles):
    """A digit [28, 28] and what filters make of it, each [H, W]."""
    _, axes = plt.subplots(1, 1 + len(maps), figsize=(6.2, 2.3))
    digit(axes[0], picture)
    axes[0].set_title("x", fontsize=9.5)
    for ax, values, title in zip(axes[1:], maps, titles, strict=True):
        largest = values.abs().max()
        for sign, role in ((1, "forward"), (-1, "backward")):
            ax.imshow(sign * values, cmap=shade(role), vmin=0,
                      vmax=largest, interpolation="nearest")
        bare(ax)
        ax.set_title(title, fontsize=9.5)
