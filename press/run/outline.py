"""The book as a program sees it that reads it with the press."""

import json
from collections.abc import Iterator

from press.read.book import Book
from press.read.cells import Cell
from press.read.chapters import Chapter


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
