"""See that the book's data is there before any cell asks for it."""

import subprocess
import sys

from press.chapters import Book
from press.errors import BookError
from press.run import environment

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
    """
    if not (book.root / "code" / "scratch" / "mnist.py").exists():
        return
    done = subprocess.run(
        [sys.executable, "-c", FETCH], cwd=book.root,
        env=environment(book), stderr=subprocess.PIPE, text=True,
    )
    said, _, failure = done.stderr.partition("\x00")
    if said.strip():
        print(said.strip(), file=sys.stderr)
    if done.returncode:
        raise BookError("data", None, failure.strip() or "cannot be fetched")
