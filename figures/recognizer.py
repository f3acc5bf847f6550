"""The trained network as scripts that a page can load, and its still."""

import base64
import json
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from figures.book import PALETTE, digit
from figures.scripts import write
from scratch.functional import forward, softmax

HEAD = """\
The trained network of Chapter 7, written by one of its cells.
A matrix W [rows, columns] is W[i][j] = scale[j] * int16[i * columns + j];
int16 is base64, two bytes a number, the low one first. A bias is a list.
"""
DIGITS_HEAD = """\
Digits of MNIST's test set: of each the first that the network reads
right, then the first that it misreads. Written by a cell of Chapter 7.
box is top, left, height, width; bytes is base64, row by row.
"""
NAMES = ("W1", "b1", "W2", "b2")
LARGEST = 32767


def short(values):
    """float32 [n] as numbers of at most seven digits."""
    return [float(f"{v:.7g}") for v in values.tolist()]


def packed(params):
    """[W1, b1, W2, b2] as what the script holds: a dict."""
    entries = {}
    for name, p in zip(NAMES, params, strict=True):
        if p.ndim == 1:
            entries[name] = short(p)
            continue
        scale = short(p.abs().amax(0) / LARGEST)     # [out]
        whole = (p / torch.tensor(scale)).round().clamp(-LARGEST, LARGEST)
        data = whole.to(torch.int16).numpy().astype("<i2").tobytes()
        entries[name] = {
            "shape": list(p.shape), "scale": scale,
            "int16": base64.b64encode(data).decode(),
        }
    return entries


def unpacked(entries):
    """[W1, b1, W2, b2] in float32, as the page will see them."""
    params = []
    for name in NAMES:
        entry = entries[name]
        if isinstance(entry, list):
            params.append(torch.tensor(entry))
            continue
        data = bytearray(base64.b64decode(entry["int16"]))
        whole = torch.frombuffer(data, dtype=torch.int16)
        W = whole.reshape(entry["shape"]).float()
        params.append(W * torch.tensor(entry["scale"]))
    return params


def rounded(params):
    """[W1, b1, W2, b2] after the way to the page and back."""
    return unpacked(packed(params))


def load(path):
    """[W1, b1, W2, b2] from a file that `export` wrote."""
    text = Path(path).read_text(encoding="utf-8")
    return unpacked(json.loads(text.split("TRAINED = ")[1].rstrip(";\n")))


def read(params, X):
    """Ten probabilities [N, 10] for images X [N, 784]."""
    return softmax(forward(X, *params))


def samples(params, X, y, wrong=8):
    """Indices: of each digit the first one read right, then the first
    few of all that are misread."""
    right = read(params, X).argmax(1) == y           # [N]
    firsts = [((y == d) & right).nonzero()[0].item() for d in range(10)]
    return firsts + (~right).nonzero().flatten()[:wrong].tolist()


def cut(image):
    """The part of an image [784] that holds ink: its place, its bytes."""
    grid = (image.reshape(28, 28) * 255).round().to(torch.uint8)
    rows, columns = (grid.amax(1 - d).nonzero().flatten() for d in (0, 1))
    top, left = rows[0].item(), columns[0].item()
    part = grid[top : rows[-1] + 1, left : columns[-1] + 1].contiguous()
    data = base64.b64encode(part.numpy().tobytes()).decode()
    return {"box": [top, left, *part.shape], "bytes": data}


def export(params, X, y, path, keep):
    """Write [W1, b1, W2, b2] to `path`, and beside it digits.js with
    some of the images X, y. Returns the size of `path` in bytes.

    Files that are there already are kept if keep(their parameters) is
    true. Delete them to have them written anew.
    """
    path = Path(path)
    digits = path.with_name("digits.js")
    if not (path.exists() and digits.exists() and keep(load(path))):
        small = rounded(params)
        chosen = [{"index": i, "label": y[i].item(), **cut(X[i])}
                  for i in samples(small, X, y)]
        write(digits, "DIGITS", chosen, DIGITS_HEAD)
        write(path, "TRAINED", packed(params), HEAD)
    return path.stat().st_size


def readings(path, X, y):
    """Draw a 7 that the network in `path` reads right and the first
    image that it misreads, and its ten probabilities for each."""
    probs = read(load(path), X)                      # [N, 10]
    chosen = samples(load(path), X, y)
    _, axes = plt.subplots(
        1, 4, figsize=(6.4, 2.5), gridspec_kw={
            "width_ratios": [1, 0.9] * 2, "wspace": 0.2,
        },
    )
    for n, i in enumerate((chosen[7], chosen[10])):
        label = y[i].item()
        picture, bars = axes[2 * n : 2 * n + 2]
        digit(picture, X[i])
        picture.set_xlabel(f"someone wrote a {label}")
        drawn = bars.barh(
            range(10), probs[i], height=0.66, linewidth=0,
            edgecolor=PALETTE["paper"],
            hatch=["////" if d == label else "" for d in range(10)],
            color=[PALETTE["correct" if d == label else "forward"]
                   for d in range(10)],
        )
        bars.bar_label(
            drawn, [f"{v:.1%}" for v in probs[i].tolist()], padding=3,
            fontsize=8,
        )
        bars.set(yticks=range(10), xticks=[], xlim=(0, 1.5),
                 ylim=(9.6, -0.6))
        bars.tick_params(left=False)
        for side in ("bottom", "left"):
            bars.spines[side].set_visible(False)
