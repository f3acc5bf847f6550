"""What the Python of a run told of the files that it read, and whether all
of these are still as they were.

`hook/sitecustomize.py` tells it, line by line. What the outputs of a chapter
depend on is kept as a list of things, each with a digest:

    file book/x.csv          what stands in it, or that it is missing
    there figures/x.js       that it is there: the run itself wrote it
    names book               the names of what lies in a folder
    search ./data/*/x.csv    the names that a pattern finds
    modules code: a b        which of these modules a folder has
    reads data/*             what a cell's option `reads` finds
    the book                 the other chapters, as a program sees them
"""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from press.cache import content, contents, sha256
from press.read.book import Book
from press.read.chapters import Chapter
from press.run.outline import outline

MISSING = "missing"
# What no listing means to show: the press, and others, make and remove it.
PASSING = re.compile(
    r"_book(\.\d+(\.old)?)?|_quarto|__pycache__|\.git|\.cache|\.venv(\.lock)?"
    r"|\.coverage.*|\.(pytest|ruff|mypy)_cache|\.hypothesis|\..+\.\d+"
)


@dataclass(frozen=True)
class Child:
    """A program that was started and cannot tell what it reads."""

    program: str
    frames: tuple[tuple[str, int], ...]   # the innermost first


@dataclass
class Seen:
    """All that was told, once."""

    files: dict[str, set] = field(default_factory=dict)  # with their states
    folders: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    modules: dict[str, set[str]] = field(default_factory=dict)  # by folder
    written: set[str] = field(default_factory=set)
    children: list[Child] = field(default_factory=list)
    reads_book: bool = False


def read_seen(told: Path, start: int = 0) -> tuple[Seen, int]:
    """What a file tells from a byte on, and where it ends."""
    seen = Seen()
    body = told.read_bytes()[start:] if told.exists() else b""
    body = body[:body.rfind(b"\n") + 1]   # the last is just being written
    for line in body.decode().splitlines():
        kind, name, *rest = ast.literal_eval(line)
        match kind:
            case "file" if rest[1] and name.endswith((".qmd", ".toml")):
                seen.reads_book = True
            case "file":
                seen.files.setdefault(name, set()).add(rest[0])
            case "wrote":
                seen.written.add(name)
            case "list":
                seen.folders.add(name)
            case "search":
                seen.patterns.add(name)
            case "import":
                seen.modules.setdefault(name, set()).add(rest[0])
            case "child":
                seen.children.append(Child(name, rest[0]))
    return seen, start + len(body)


def things_of(seen: Seen, patterns: list[str]) -> Iterator[str]:
    """The names of all that a run depends on."""
    yield from (f"file {name}" for name in sorted(
        seen.files.keys() - seen.written))
    yield from (f"there {name}" for name in sorted(seen.written))
    yield from (f"names {name}" for name in sorted(seen.folders))
    yield from (f"search {name}" for name in sorted(seen.patterns))
    for folder, names in sorted(seen.modules.items()):
        yield f"modules {folder}: {' '.join(sorted(names))}"
    yield from (f"reads {pattern}" for pattern in patterns)
    if seen.reads_book:
        yield "the book"


def found_by(
    book: Book, chapter: Chapter, seen: Seen, patterns: list[str],
) -> dict[str, str]:
    """All that a run was found to depend on, each thing with its digest."""
    found = {
        thing: look_at(book, chapter, thing)
        for thing in things_of(seen, patterns)
    }
    return {    # but what the run wrote and took away again
        thing: digest for thing, digest in found.items()
        if digest != MISSING or not thing.startswith("there ")
    }


def look_at(book: Book, chapter: Chapter, thing: str) -> str:
    """The digest of a thing, as it is now."""
    kind, _, name = thing.partition(" ")
    place = book.root / name
    match kind:
        case "file" if place.is_file():
            return content(place)
        case "file" | "names":
            return digest_of_names(place)
        case "there":
            return "there" if place.exists() else MISSING
        case "modules":
            folder, _, names = name.partition(": ")
            return digest_of_modules(book.root / folder, names.split())
        case "search":
            return digest_of_search(book.root, name)
        case "reads":
            return digest_declared(book.root, name)
        case "the":
            return sha256("\n".join(outline(book, chapter)).encode())
    return MISSING


def digest_of_names(folder: Path) -> str:
    if not folder.is_dir():
        return MISSING
    names = (n for n in os.listdir(folder) if not PASSING.fullmatch(n))
    return sha256("\n".join(sorted(names)).encode())


def digest_of_search(root: Path, pattern: str) -> str:
    """The names of what a pattern finds, not of what comes and goes."""
    names = (file.relative_to(root) for file in root.glob(pattern))
    return sha256("\n".join(sorted(
        name.as_posix() for name in names
        if not any(map(PASSING.fullmatch, name.parts))
    )).encode())


def digest_of_modules(folder: Path, names: list[str]) -> str:
    """What in a folder Python would take for one of these modules."""
    asked, there = set(names), os.listdir(folder) if folder.is_dir() else ()
    return sha256("\n".join(sorted(
        name for name in there if name.partition(".")[0] in asked
    )).encode())


def digest_declared(root: Path, pattern: str) -> str:
    """What is in the files of a pattern; of a folder, in all below it."""
    if (root / pattern).is_dir():
        pattern = f"{pattern.rstrip('/')}/**/*"
    return contents(root, pattern)


def changed_meanwhile(book: Book, seen: Seen) -> bool:
    """Whether a file was changed after the run had read it."""
    return any(
        states != {state_now(book.root / name)}
        for name, states in seen.files.items() if name not in seen.written
    )


def state_now(file: Path) -> tuple[int, ...] | None:
    """What the hook tells of a file that it sees opened."""
    try:
        state = file.stat()
    except OSError:
        return None
    return () if file.is_dir() else (state.st_size, state.st_mtime_ns)
