"""See that the book's data is there before any cell asks for it."""

import subprocess
import sys
from functools import partial

from press.cache import Made, content, contents, keep, recall
from press.errors import BookError
from press.imports import reached
from press.read.book import Book
from press.run.environment import environment

RAW = "data/MNIST/raw/*-ubyte"
FETCH = """\
import sys
from scratch.mnist import fetch_mnist
try:
    fetch_mnist("data")
except (RuntimeError, OSError) as error:
    sys.exit(f"\\x00{error}")
"""


def fetch(book: Book) -> None:
    """Fetch and verify the digits, where the book has the code for it.

    Doing it here keeps the messages of a download out of the pages, and
    two chapters that run side by side from fetching the same files.
    Files that were verified and not touched since are not read again.
    """
    package = book.root / "code" / "scratch" / "mnist"
    if not (package / "__init__.py").exists():
        return
    inputs = {
        file.relative_to(book.root).as_posix(): content(file)
        for file in reached(book.root, ["scratch.mnist"])
    }
    look = partial(contents, book.root)
    if recall(book.root / ".cache", "data", inputs, look) is not None:
        return
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", FETCH], cwd=book.root,
        env=environment(book), stderr=subprocess.PIPE, encoding="utf-8",
    )
    said, _, failure = done.stderr.partition("\x00")
    if said.strip():
        print(said.strip(), file=sys.stderr)
    if done.returncode:
        raise BookError("data", None, failure.strip() or "cannot be fetched")
    keep(book.root / ".cache", "data", inputs, Made(b"", {RAW: look(RAW)}))
