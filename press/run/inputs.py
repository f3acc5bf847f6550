"""The key of a chapter's outputs: a digest of all that they depend on."""

import hashlib
import json
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from press.read.chapters import Book, Cell, Chapter
from press.read.labels import labels
from press.read.simulations import simulations
from press.run import kernel
from press.run.steps import code_of, steps

LARGE = 1 << 20   # bytes of a file that is not read for every chapter


def fingerprint(book: Book, chapter: Chapter, *, data: bool = True) -> str:
    """A digest of everything that the outputs of a chapter depend on."""
    digest = hashlib.sha256()

    def add(*items: str | bytes) -> None:
        for item in items:
            data = item.encode() if isinstance(item, str) else item
            digest.update(len(data).to_bytes(8, "big") + data)

    add("press-run-2", kernel.SETUP, platform.machine(), sys.platform)
    add(platform.python_version(), version("torch"), device())
    for name in ("requirements.lock", "_environment"):
        file = book.root / name
        add(name, file.read_bytes() if file.exists() else b"")
    add(*(f"{k}={v}" for k, v in sorted(book.settings.items())))
    for _, step in steps(chapter):
        options = ""
        if isinstance(step, Cell):
            options = json.dumps(
                {k: step.options.get(k) for k in ("error", "warning")}
            )
        add(type(step).__name__, options, code_of(step))
    files = dependencies(book, chapter)
    for file in files:
        if not data and file.is_relative_to(book.root / "data"):
            continue
        add(file.relative_to(book.root).as_posix(), content(file))
    if book.root / "press" / "read" / "chapters.py" in files:
        add(*outline(book, chapter))
    return digest.hexdigest()


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
    for label in labels(book):
        if label.path != reader.path:
            yield f"{label.id} {label.number} {label.title}"
    for simulation in simulations(book):
        yield f"{simulation.name} {simulation.shows} {simulation.figures}"


def content(file: Path) -> str:
    """A digest of what is in a file; a large one is read but once."""
    state = file.stat()
    if state.st_size < LARGE:
        return digest_of.__wrapped__(file)
    return digest_of(
        file, state.st_ino, state.st_size, state.st_mtime_ns,
        state.st_ctime_ns,
    )


@lru_cache(maxsize=4096)
def digest_of(file: Path, *state: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def dependencies(book: Book, chapter: Chapter) -> list[Path]:
    """The files that a chapter's cells may read, found by their names.

    Every module of `scratch`, `figures` and `press` that the cells
    mention, those that these mention in turn, the data once anything
    loads it, and what of the book's files, patterns of files and recorded
    folders stands in quotes.
    """
    text = "\n".join(step.source for _, step in steps(chapter))
    found: set[Path] = set()
    waiting = [text]
    while waiting:
        for file in mentioned(book.root, waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.append(absolute(book.root, file))
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
    if press / "read" / "chapters.py" in found:
        found.add(book.root / "_quarto.yml")
    if press / "read" / "pandoc.py" in found:
        for pattern in ("*.lua", "*.html"):
            found.update(press.rglob(pattern))
    scratch = book.root / "code" / "scratch"
    if found & {scratch / "data.py", scratch / "mnist.py"}:
        raw = book.root / "data" / "MNIST" / "raw"
        found.update(raw.glob("*-ubyte"))
    return sorted(found)


def absolute(root: Path, file: Path) -> str:
    """The source of a module, its relative imports written in full."""
    folder = file.relative_to(root).parent.parts
    if folder[0] == "code":
        folder = folder[1:]

    def full(match: re.Match[str]) -> str:
        above = len(folder) + 1 - len(match[2])
        parts = [*folder[:max(0, above)], *([match[3]] if match[3] else [])]
        return match[1] + ".".join(parts)

    return re.sub(
        r"^(\s*from\s+)(\.+)([\w.]*)", full,
        file.read_text(encoding="utf-8"), flags=re.MULTILINE,
    )


def mentioned(root: Path, text: str) -> Iterator[Path]:
    """Modules of ours whose names occur in a piece of Python, with the
    packages that they stand in."""
    for name in names_in(text):
        folder = Path("code") if name.startswith("scratch") else Path()
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            place = root / folder.joinpath(*parts[:end])
            for file in (place / "__init__.py", place.with_suffix(".py")):
                if file.is_file():
                    yield file


@lru_cache(maxsize=256)
def names_in(text: str) -> tuple[str, ...]:
    """The modules of ours that a piece of Python may name: a.b.c is a, or
    in it b, or in that c."""
    found = set(re.findall(r"\b(?:scratch|figures|press)(?:\.\w+)+", text))
    for package, listed in re.findall(
        r"from\s+((?:scratch|figures|press)(?:\.\w+)*)\s+import\s+"
        r"(\([^)]*\)|[^\n]*)", text,
    ):
        found.update(
            f"{package}.{name}" for name in re.findall(r"\w+", listed)
        )
    return tuple(sorted(found))


def device() -> str:
    """The accelerator a kernel would find, without importing torch."""
    if shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" else "cpu"
