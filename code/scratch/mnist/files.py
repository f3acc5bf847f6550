# Tangled from book/data.qmd. Checksum 1468009e.
"""MNIST's four raw files: names and checksums."""

import hashlib
from pathlib import Path


def checksum(path: Path) -> str:
    """The MD5 of a file's bytes, as 32 hexadecimal digits."""
    return hashlib.md5(
        path.read_bytes(), usedforsecurity=False
    ).hexdigest()


MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def intact(path: Path) -> bool:
    """Whether `path` is there and has the MD5 known for its name."""
    try:
        return checksum(path) == MD5[path.name]
    except FileNotFoundError:
        return False
