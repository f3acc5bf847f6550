# Tangled from index.qmd and book/06-data.qmd. Checksum 5e9f527f.
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


def draw_seed(generator=None):
    """A random int from 0 to 2**63 - 1, drawn as torch draws seeds.

    Read from torch's global generator if none is given.
    """
    seed = torch.empty((), dtype=torch.int64, device="cpu")
    return seed.random_(generator=generator).item()


def check_loading(X, y, batch_size, shuffle, drop_last):
    """Raise TypeError or ValueError for what DataLoader cannot use."""
    if not (torch.is_tensor(X) and torch.is_tensor(y)):
        raise TypeError("X and y must be tensors of torch")
    if not len(X) == len(y) > 0:
        raise ValueError(f"{len(X)} samples and {len(y)} targets")
    if type(batch_size) is not int or batch_size < 1:
        raise ValueError(f"batch_size {batch_size!r} is no whole "
                         "number above 0")
    if not all(isinstance(f, bool) for f in (shuffle, drop_last)):
        raise TypeError("shuffle and drop_last are True or False")


def shuffled(N, batch_size, generator=None):
    """Yield 0 to N - 1 in random order, as indices [batch_size].

    The last piece may be shorter. The draws are those of
    torch.utils.data.RandomSampler, the unused last one included.
    """
    if generator is None:
        generator = torch.Generator().manual_seed(draw_seed())
    drawn = {"generator": generator, "device": "cpu"}
    order = torch.randperm(N, **drawn)                # [N]
    yield from order.split(batch_size)
    torch.randperm(N, **drawn)                        # unused


class DataLoader:
    """Batches (x [n, ...], targets [n]) of X [N, ...] and y [N].

    n is batch_size, or what is left for the last batch, which
    drop_last leaves out. Batches are copies, on the devices of X
    and y. Same generator state, same order as
    torch.utils.data.DataLoader; the generator is the CPU's. Raises
    TypeError if X or y is no tensor or shuffle or drop_last no bool,
    ValueError if X and y are empty or differ in length, or batch_size
    is no whole number above 0.
    """

    def __init__(self, X, y, batch_size=64, shuffle=True, *,
                 drop_last=False, generator=None):
        check_loading(X, y, batch_size, shuffle, drop_last)
        self.X, self.y, self.batch_size = X, y, batch_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.generator = generator

    def __len__(self):
        spare = 0 if self.drop_last else self.batch_size - 1
        return (len(self.X) + spare) // self.batch_size

    def __iter__(self):
        draw_seed(self.generator)                # unused
        return self.batches()

    def batches(self):
        """Yield the batches of one epoch."""
        X, y, N, n = self.X, self.y, len(self.X), self.batch_size
        pieces = torch.arange(N, device="cpu").split(n)  # [n] each
        if self.shuffle:
            pieces = shuffled(N, n, self.generator)
        for idx in pieces:
            if len(idx) == n or not self.drop_last:
                yield (X.index_select(0, idx.to(X.device)),
                       y.index_select(0, idx.to(y.device)))
