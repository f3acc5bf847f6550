# Tangled from index.qmd. Checksum 186dcc03.
import math
from pathlib import Path

import torch

from scratch.mnist import fetch_mnist

DIMENSIONS = {0x00000803: 3, 0x00000801: 1}     # images, labels


def header_number(raw, start):
    """The number in four bytes, most significant first."""
    return int.from_bytes(raw[start : start + 4], "big")


def read_idx(path):
    """Read an IDX file: uint8, [N, rows, columns] or [N].

    Raises ValueError for a file that is not images or labels, and
    for one whose length is not what its header says.
    """
    raw = Path(path).read_bytes()
    magic = header_number(raw, 0)
    if magic not in DIMENSIONS:
        raise ValueError(f"{path}: not IDX bytes (0x{magic:08x})")
    start = 4 + 4 * DIMENSIONS[magic]           # where the data begin
    shape = [header_number(raw, i) for i in range(4, start, 4)]
    size = start + math.prod(shape)
    if len(raw) != size:
        raise ValueError(f"{path}: {len(raw)} bytes, not {size}")
    data = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
    return data[start:].reshape(shape)


FILE_PREFIX = {"train": "train", "test": "t10k"}


def load_mnist(root="data", split="train"):
    """MNIST's "train" or "test" images and labels.

    Returns X [N, 784] float32 in [0, 1] (byte / 255) and y [N] int64.
    Raises ValueError for any other split.
    """
    if split not in FILE_PREFIX:
        raise ValueError(f"split {split!r}: not 'train' or 'test'")
    stem = str(fetch_mnist(root) / FILE_PREFIX[split])
    images = read_idx(f"{stem}-images-idx3-ubyte")  # [N, 28, 28]
    labels = read_idx(f"{stem}-labels-idx1-ubyte")  # [N]
    return images.flatten(1).float() / 255, labels.long()
