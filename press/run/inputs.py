"""What the outputs of a chapter depend on."""

import json
import platform
import shutil
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

from press.cache import content, own_files
from press.read.book import Book
from press.read.cells import Cell
from press.read.chapters import Chapter
from press.run import kernel
from press.run.environment import HOOK, HOOK_NAME, telling
from press.run.steps import code_of, steps

# The packages whose version decides what a cell prints.
DECIDING = ("torch", "numpy", "matplotlib", "ipykernel", "ipython",
            "jupyter-client", "nbclient", "nbformat")


@cache
def installed(package: str) -> str:
    return version(package)


@cache
def press_that_runs() -> str:
    """A digest of the press as far as it runs cells. What is read of a
    chapter stands in its inputs."""
    modules = own_files("press.run.kernel", but=("press/read", "press/tangle"))
    return modules + content(HOOK / HOOK_NAME)


def inputs_of(book: Book, chapter: Chapter) -> dict[str, str]:
    """What the outputs of a chapter depend on, as far as that is known
    before they are made; `seen.py` knows which files the run reads."""
    inputs = {
        "machine": f"{platform.machine()} {sys.platform} {device()}",
        "versions": " ".join(
            [platform.python_version(), *map(installed, DECIDING)]),
        "settings": json.dumps(book.settings, sort_keys=True),
        "setup": kernel.SETUP,
        "surroundings": json.dumps(telling(book), sort_keys=True),
        "press": press_that_runs(),
    }
    for name in ("requirements.lock", "_environment", "matplotlibrc"):
        file = book.root / name
        inputs[name] = content(file) if file.exists() else ""
    for number, (_, step) in enumerate(steps(chapter)):
        options = {}
        if isinstance(step, Cell):
            options = {k: step.options.get(k) for k in (
                "error", "warning", "reads")}
        inputs[f"step {number}"] = json.dumps(
            [type(step).__name__, options, code_of(step)])
    return inputs


def device() -> str:
    """The accelerator a kernel would find, without importing torch."""
    if shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" else "cpu"
