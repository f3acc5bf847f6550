"""Refuse a program that reads nobody knows what.

A Python tells what it reads. What any other program reads, a cell has to
declare: with the option `reads` of the cell that starts it, or of the cell
of program text in which that stands.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from press.errors import BookError
from press.read.book import Book
from press.read.cells import Cell, Inline
from press.read.chapters import Chapter
from press.run.names import number_of
from press.run.seen import Child, Seen
from press.run.steps import code_of
from press.tangle.tangle import modules

# They are asked about the machine, and read nothing of the book.
ASKED = {"uname", "nvidia-smi", "ldconfig", "lscpu", "fc-list", "sysctl"}
# Here the press starts pandoc; it has read itself what pandoc is to read.
PANDOC = "press/read/pandoc.py"


def check_children(
    book: Book, chapter: Chapter, ran: list[Cell | Inline | None],
    seen: Seen,
) -> None:
    """Raise where the last step has started a program that nobody
    declared."""
    step = ran[-1]
    for child in seen.children:
        if child.program in ASKED or step is None or (
            child.frames and child.frames[0][0] == PANDOC
        ):
            continue
        cells = list(cells_on_the_way(book, ran, child))
        if any("reads" in cell.options for cell in cells):
            continue
        line = next((
            cell.source_line + offset - 1 for cell, offset in
            own_frames(ran, child) if cell is step
        ), getattr(step, "source_line", step.line))
        raise BookError(
            chapter.path, line,
            f"'{child.program}' is started here, and is not Python: nobody "
            "sees which files it reads. Name them at the head of the cell, "
            "'#| reads: book/x.csv' or '#| reads: [data/*, book/x.csv]', or "
            "write '#| reads: []' where it reads none of the book's",
        )


def cells_on_the_way(
    book: Book, ran: list[Cell | Inline | None], child: Child
) -> Iterator[Cell]:
    """The step itself, the cells whose code led to the child, and those
    whose program text did."""
    if isinstance(ran[-1], Cell):
        yield ran[-1]
    for cell, _ in own_frames(ran, child):
        yield cell
    listed = modules(book.chapters)
    for file, number in child.frames:
        path = PurePosixPath(file)
        if path.parts[0] == "code" and path.relative_to("code") in listed:
            module = listed[path.relative_to("code")]
            place, line = module.locate(number)
            for cell in module.cells:
                last = cell.source_line + cell.source.count("\n")
                if cell.path == place and cell.line <= line <= last:
                    yield cell


def own_frames(
    ran: list[Cell | Inline | None], child: Child
) -> Iterator[tuple[Cell, int]]:
    """The cells of this chapter that led to the child, each with the line
    of its code, the innermost first."""
    names = {
        f"{number_of(code_of(step))}.py": step
        for step in ran if isinstance(step, Cell)
    }
    for file, line in child.frames:
        if file in names:
            yield names[file], line
