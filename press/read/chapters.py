"""The chapters: their files, and the pieces that each is made of."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from press.errors import BookError
from press.read.cells import Cell, Text, parse
from press.read.scan import Scan, scan, split_attributes


@dataclass(frozen=True)
class Chapter:
    """One `.qmd` file: its place in the book and its pieces in order."""

    path: Path         # relative to the root of the book
    number: str        # "1", "A", or "" where the book does not number it
    part: str | None
    appendix: bool
    text: str
    pieces: tuple[Text | Cell, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def page(self) -> str:
        """Its page, relative to the root of the site, as Quarto has it."""
        return self.path.with_suffix(".html").as_posix()

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(p for p in self.pieces if isinstance(p, Cell))

    @cached_property
    def heading(self) -> tuple[str, str]:
        """The title of the chapter and the attributes after it."""
        if self.scan.title is None:
            raise BookError(self.path, 1, "no title; begin with '# Title'")
        return split_attributes(self.scan.title)

    @property
    def title(self) -> str:
        return self.heading[0]

    @property
    def unnumbered(self) -> bool:
        """Whether its title says that it bears no number."""
        return bool({"-", ".unnumbered"} & {*self.heading[1].split()})

    @cached_property
    def scan(self) -> Scan:
        return scan(self.path, self.pieces)


def read_chapter(
    root: Path, path: Path, *, part: str | None = None,
    appendix: bool = False,
) -> Chapter:
    try:
        text = (root / path).read_bytes().decode("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise BookError("_quarto.yml", None, f"no such chapter: {path}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BookError(path, line, "not UTF-8; save the file as UTF-8")
    pieces = tuple(parse(text, path))
    return Chapter(path, "", part, appendix, text, pieces)
