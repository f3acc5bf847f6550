"""What Python, Lua, Typst and JavaScript all know, said once.

It goes from here to the others as JSON, whose form is written down in
shared.schema.json: to the filters and the printed book with what else they
are told, and to Quarto, which runs our filter alone, as `book/shared.json`.
"""

import json
from pathlib import Path

from press.errors import BookError
from press.files import write
from press.read.book import Book
from press.read.words import GLOSSARY
from press.weave import svg

FILE = Path("book/shared.json")
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"   # the notes on lines of a cell
EXPLAINED = "sec-exact"      # the section that explains the marks
MARKS = {
    "exact": ("=", "Exact: the same characters on any machine."),
    "close": (
        "≈", "Close: agrees on any machine within the tolerance stated."),
    "machine": ("⌁", "Machine: true of the machine that ran it."),
}


def shared(book: Book) -> dict:
    """What all formats know of the book."""
    return {
        "circled": list(CIRCLED),
        "marks": {
            name: {"sign": sign, "means": means}
            for name, (sign, means) in MARKS.items()
        },
        "explained": EXPLAINED if EXPLAINED in book.names else "",
        "glossary": GLOSSARY.as_posix(),
        "terms": {
            mark.text: mark.key for mark in book.marks
            if "entry" not in mark.span.attributes
        },
        "opening": {
            label.id: label.reference for label in book.labels
            if label.path == book.chapters[0].path and not label.number
        },
        "palette": json.loads(svg.PALETTE.read_text(encoding="utf-8")),
    }


def written(book: Book) -> str:
    return json.dumps(
        shared(book), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def is_written(book: Book) -> bool:
    """Whether what Quarto reads is what the chapters now say."""
    file = book.root / FILE
    return file.exists() and file.read_text(encoding="utf-8") == written(book)


def write_shared(book: Book) -> None:
    """Write it for Quarto, if it has changed."""
    if not is_written(book):
        write(book.root / FILE, written(book).encode())


def check_shared(book: Book) -> None:
    """Raise if Quarto would read what the chapters no longer say."""
    if not is_written(book):
        raise BookError(
            FILE, None, "is older than the chapters; run 'make tangle'")
