"""See that the book's data is there before any cell asks for it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from press.errors import BookError
from press.read.chapters import Book
from press.run.kernel import environment

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
    if not (book.root / "code" / "scratch" / "mnist.py").exists():
        return
    seen = book.root / ".cache" / "data.json"
    if seen.exists() and seen.read_text(encoding="utf-8") == state(book.root):
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
    seen.parent.mkdir(exist_ok=True)
    seen.write_text(state(book.root), encoding="utf-8")


def state(root: Path) -> str:
    """The code that fetches, and which files there are since when."""
    code = (root / "code" / "scratch" / "mnist.py").read_bytes()
    files = sorted((root / "data" / "MNIST" / "raw").glob("*-ubyte"))
    return json.dumps([hashlib.sha256(code).hexdigest(), *(
        [file.name, file.stat().st_size, file.stat().st_mtime_ns]
        for file in files
    )])
