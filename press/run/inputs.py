"""What the outputs of a chapter depend on."""

import json
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from press.cache import content, contents, own_files
from press.imports import reached
from press.read.book import Book
from press.read.cells import Cell
from press.read.chapters import Chapter
from press.run import kernel
from press.run.steps import code_of, steps

# The packages whose version decides what a cell prints.
DECIDING = ("torch", "numpy", "matplotlib", "ipykernel", "ipython",
            "jupyter-client", "nbclient", "nbformat")


@cache
def installed(package: str) -> str:
    return version(package)


def inputs_of(book: Book, chapter: Chapter) -> dict[str, str]:
    """All that the outputs of a chapter depend on, but for the data."""
    inputs = {
        "machine": f"{platform.machine()} {sys.platform} {device()}",
        "versions": " ".join(
            [platform.python_version(), *map(installed, DECIDING)]),
        "settings": json.dumps(book.settings, sort_keys=True),
        "setup": kernel.SETUP,
        # What is read of a chapter stands below.
        "press": own_files("press.run.kernel", but=(
            "press/read", "press/tangle")),
    }
    for name in ("requirements.lock", "_environment"):
        file = book.root / name
        inputs[name] = content(file) if file.exists() else ""
    for number, (_, step) in enumerate(steps(chapter)):
        options = {}
        if isinstance(step, Cell):
            options = {k: step.options.get(k) for k in ("error", "warning")}
        inputs[f"step {number}"] = json.dumps(
            [type(step).__name__, options, code_of(step)])
    files = dependencies(book, chapter)
    for file in files:
        if not file.is_relative_to(book.root / "data"):
            inputs[file.relative_to(book.root).as_posix()] = content(file)
    if book.root / "press" / "read" / "book.py" in files:
        inputs["the book"] = "\n".join(outline(book, chapter))
    return inputs


def data_of(book: Book, chapter: Chapter) -> dict[str, str]:
    """The data that a chapter's cells read: patterns, and a digest of what
    they find. A run may itself fetch or write it."""
    folders = {
        file.relative_to(book.root).parent.as_posix()
        for file in dependencies(book, chapter)
        if file.is_relative_to(book.root / "data")
    }
    return {
        f"{folder}/*": contents(book.root, f"{folder}/*")
        for folder in sorted(folders)
    }


def outline(book: Book, reader: Chapter) -> Iterator[str]:
    """The book as a chapter sees it that reads the book with the press:
    the cells, numbers and simulations of all others, not their prose."""
    yield f"version {book.version}"
    for chapter in book.chapters:
        if chapter.path == reader.path:
            continue
        yield f"{chapter.path} {chapter.number} {chapter.part}"
        for piece in chapter.pieces:
            if isinstance(piece, Cell):
                yield json.dumps(piece.options, sort_keys=True, default=str)
                yield piece.source
            else:
                yield from (inline.source for inline in piece.inlines())
    for label in book.labels:
        if label.path != reader.path:
            yield f"{label.id} {label.number} {label.title}"
    for simulation in book.simulations:
        yield f"{simulation.name} {simulation.shows} {simulation.figures}"


def dependencies(book: Book, chapter: Chapter) -> list[Path]:
    """The files that a chapter's cells may read, found by their names.

    Every module of `scratch`, `figures` and `press` that the cells
    mention, those that these mention in turn, the data once anything
    loads it, and what of the book's files, patterns of files and recorded
    folders stands in quotes.
    """
    text = "\n".join(step.source for _, step in steps(chapter))
    found = reached(book.root, [text])
    for name in re.findall(r"[\"']([\w./-]+\.\w+)[\"']", text):
        file = (book.root / name).resolve()
        if file.is_file() and file.is_relative_to(book.root.resolve()):
            found.add(book.root / name)
    for pattern in re.findall(r"[\"'](\w[^\"'\s]*\*[^\"'\s]*)[\"']", text):
        found.update(f for f in book.root.glob(pattern) if f.is_file())
    for name in re.findall(r"[\"'](book/recorded/[\w/-]+)[\"']", text):
        found.update((book.root / name).glob("*.json"))
    if any(file.parent.name == "figures" for file in found):
        for pattern in ("*.json", "*.mplstyle"):
            found.update((book.root / "figures").glob(pattern))
    press = book.root / "press"
    if press / "read" / "book.py" in found:
        found.add(book.root / "_quarto.yml")
    if press / "read" / "pandoc.py" in found:
        for pattern in ("*.lua", "*.html"):
            found.update(press.rglob(pattern))
    scratch = book.root / "code" / "scratch"
    if found & {scratch / "data.py", scratch / "mnist" / "__init__.py"}:
        raw = book.root / "data" / "MNIST" / "raw"
        found.update(raw.glob("*-ubyte"))
    return sorted(found)


def device() -> str:
    """The accelerator a kernel would find, without importing torch."""
    if shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" else "cpu"
