"""Handwriting traced back into the strokes of a pen.

An image is enlarged, cut at half ink and thinned to lines of one pixel
(Zhang and Suen, 1984); the lines are walked from end to end. The strokes
keep neither the thickness nor the grays of the original.
"""

import numpy as np
import torch.nn.functional as F

LARGER = 4
AROUND = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


def removable():
    """For each half step, whether a pixel goes, by its ring of eight."""
    ring = (np.arange(256)[:, None] >> np.arange(8)) & 1     # [256, 8]
    count = ring.sum(1)
    turns = ((ring == 0) & (np.roll(ring, -1, 1) == 1)).sum(1)
    n, e, s, w = ring[:, 0], ring[:, 2], ring[:, 4], ring[:, 6]
    inner = (count >= 2) & (count <= 6) & (turns == 1)
    return [
        inner & (n * e * s == 0) & (e * s * w == 0),
        inner & (n * e * w == 0) & (n * s * w == 0),
    ]


def thinned(masks):
    """bool [N, H, W] -> bool [N, H, W], lines of one pixel."""
    masks = np.pad(masks, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    inside = masks[:, 1:-1, 1:-1]
    before = None
    while before != (before := int(masks.sum())):
        for goes in removable():
            code = np.zeros_like(inside)
            for bit, (i, j) in enumerate(AROUND):
                h, w = masks.shape[1:]
                code |= masks[:, 1 + i : h - 1 + i, 1 + j : w - 1 + j] << bit
            inside[goes[code]] = 0
    return inside.astype(bool)


def walked(line):
    """One thinned image [H, W] as strokes: lists of [x, y]."""
    left = {(int(i), int(j)) for i, j in zip(*line.nonzero(), strict=True)}

    def near(at, among):
        steps = [(at[0] + i, at[1] + j) for i, j in AROUND]
        return sorted(
            (p for p in steps if p in among),
            key=lambda p: abs(p[0] - at[0]) + abs(p[1] - at[1]),
        )

    everything, strokes = set(left), []
    while left:
        ends = [p for p in sorted(left) if len(near(p, left)) <= 1]
        at = (ends or sorted(left))[0]
        joined = [p for p in near(at, everything) if p not in left]
        stroke = joined[:1] + [at]
        left.discard(at)
        while following := near(at, left):
            at = following[0]
            left.discard(at)
            stroke.append(at)
        closing = [p for p in near(at, everything)
                   if p not in stroke[-4:]]
        strokes.append(stroke + closing[:1])
    return [
        [[j + 0.5, i + 0.5] for i, j in stroke[::3] + stroke[-1:]]
        for stroke in strokes if len(stroke) > 4 or len(strokes) == 1
    ]


def traced(images):
    """Images [N, 784] as drawings: strokes of points in 0 … 112."""
    large = F.interpolate(
        images.reshape(-1, 1, 28, 28), scale_factor=LARGER, mode="bilinear"
    )[:, 0]
    return [walked(line) for line in thinned((large > 0.5).numpy())]
