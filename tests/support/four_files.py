"""Four small files in the place of MNIST's, and sources that give them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parts import put
from scratch import mnist

HANGS = 600  # seconds: whoever has not ended by then never will
KNOWN = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
SMALL = {name: name.encode() * 50 for name in KNOWN}
SMALL_MD5 = {
    name: hashlib.md5(content).hexdigest()
    for name, content in SMALL.items()
}


def fill(folder, files=SMALL):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def holds_all(raw):
    return {path.name: path.read_bytes() for path in raw.iterdir()} == SMALL


def good(aside):
    return fill(aside)


def out_of_reach(aside):
    raise ConnectionError("no route\nto host")


def use(*sources):
    """Small files instead of MNIST's, and these sources, in a child."""
    patch = pytest.MonkeyPatch()
    put(patch, mnist, "MD5", SMALL_MD5)
    put(patch, mnist, "SOURCES", {
        f"source{i}": s for i, s in enumerate(sources)
    })


def child(script, *args, **options):
    """Start Python on a script that can import this module."""
    path = os.pathsep.join(
        [str(Path(mnist.__file__).parents[2]), str(Path(__file__).parent)]
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        **options,
    )


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "one bit": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "too long": lambda content: content + b"\n",
}


def damage(tmp_path, name, how):
    raw = fill(tmp_path / "MNIST" / "raw")
    (raw / name).write_bytes(DAMAGES[how](SMALL[name]))
    return raw
