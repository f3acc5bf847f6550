"""The book: its chapters, and all that is asked of them more than once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from press.errors import BookError, BookErrors, raise_found
from press.pools import workers
from press.read.chapters import Chapter, read_chapter
from press.read.config import CONFIG, Lines, line_at, read_config
from press.read.document import Document
from press.read.edition import read_version
from press.read.labels import Label, number_labels, shown_number
from press.read.reading import read_document, readers
from press.read.simulations import Simulation, find_simulations
from press.read.words import Entry, Mark, read_entries, read_marks

FIRST_FILE = Path("index.qmd")


@dataclass(frozen=True)
class Book:
    """The whole book, as `_quarto.yml` lays it out."""

    root: Path
    config: dict = field(compare=False)
    chapters: tuple[Chapter, ...]
    settings: dict[str, str] = field(default_factory=dict, compare=False)
    version: str = ""
    lines: Lines = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """The title, which is text: no character of it is markup."""
        return one_spaced(self.config["book"]["title"])

    @property
    def subtitle(self) -> str:
        return one_spaced(self.config["book"].get("subtitle", ""))

    @property
    def authors(self) -> list[str]:
        said = self.config["book"].get("author", [])
        return [
            one_spaced(one["name"] if isinstance(one, dict) else one)
            for one in (said if isinstance(said, list) else [said])
        ]

    @cached_property
    def documents(self) -> list[Document]:
        """Each chapter as pandoc reads it."""
        common = readers()

        def read(chapter: Chapter) -> Document | BookError:
            try:
                return read_document(self.root, chapter, common)
            except BookError as error:
                return error

        with workers() as pool:
            found = list(pool.map(read, self.chapters))
        errors = [one for one in found if isinstance(one, BookError)]
        if errors:
            raise BookErrors(errors)
        return [one for one in found if isinstance(one, Document)]

    def document(self, chapter: Chapter) -> Document:
        """A chapter as pandoc reads it, or as its text now stands."""
        return next(
            (one for one in self.documents if one.chapter == chapter),
            None,
        ) or read_document(self.root, chapter, readers())

    @cached_property
    def titles(self) -> dict[Path, str]:
        """The title of each chapter in plain words, by its path."""
        return {one.chapter.path: one.title for one in self.documents}

    def title_of(self, chapter: Chapter) -> str:
        """A chapter's title in plain words."""
        return self.titles.get(chapter.path) or self.document(chapter).title

    @cached_property
    def labels(self) -> list[Label]:
        """All that bears a number, in reading order."""
        return list(number_labels(self.documents, self.chapters[0]))

    @cached_property
    def names(self) -> dict[str, Label]:
        """All that bears a number, by its label."""
        return {label.id: label for label in self.labels}

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """The glossary, by key."""
        return read_entries(self.documents)

    @cached_property
    def marks(self) -> list[Mark]:
        """The places that introduce a term or treat it again."""
        return [mark for one in self.documents for mark in read_marks(one)]

    @cached_property
    def simulations(self) -> list[Simulation]:
        return find_simulations(self.documents)

    @cached_property
    def bibliography(self) -> str:
        """The works that the book cites, where it has any."""
        file = self.root / self.config.get("bibliography", "missing")
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def shown_number(self, chapter: Chapter) -> str:
        """The number in the contents: the opening chapter is Chapter 0."""
        return shown_number(self.chapters[0], chapter)

    def resolving(self) -> list[str]:
        """pandoc's arguments that resolve citations, if there are any."""
        if not self.bibliography:
            return []
        return [
            "--citeproc",
            "--bibliography", str(self.root / self.config["bibliography"]),
            "--metadata", "link-citations=true",
            "--metadata", "reference-section-title=References",
        ]


def read_book(root: Path) -> Book:
    """Read `_quarto.yml`, every chapter that it names, and the version."""
    config, lines = read_config(root)
    book = config["book"]
    entries = list(listed(book, "chapters", lines))
    appended = list(listed(book, "appendices", lines))
    check_listed(root, [*entries, *appended])

    chapters = []
    count = 0
    for path, part, _ in entries:
        chapter = read_chapter(root, path, part=part)
        if not chapter.unnumbered:
            count += 1
            chapter = replace(chapter, number=str(count))
        chapters.append(chapter)
    for index, (path, part, _) in enumerate(appended):
        chapter = read_chapter(root, path, part=part, appendix=True)
        chapters.append(replace(
            chapter, number=chr(ord("A") + index)
        ))
    return Book(
        root, config, tuple(chapters), version=read_version(root),
        lines=lines,
    )


def listed(
    book: dict, key: str, lines: Lines
) -> Iterator[tuple[Path, str | None, int]]:
    """Files in reading order with the part each belongs to, and the line
    that names it."""
    for number, entry in enumerate(book.get(key, [])):
        place = ("book", key, number)
        if isinstance(entry, str):
            yield Path(entry), None, line_at(lines, place)
            continue
        for inner, path in enumerate(entry["chapters"]):
            line = line_at(lines, (*place, "chapters", inner))
            yield Path(path), one_spaced(entry["part"]), line


def check_listed(
    root: Path, entries: list[tuple[Path, str | None, int]]
) -> None:
    """Raise for files that are not there, and for two of one name."""
    faults = []
    names: dict[str, Path] = {}
    if entries[0][0] != FIRST_FILE:
        faults.append(BookError(CONFIG, entries[0][2], (
            f"the first chapter is {entries[0][0]}; begin with {FIRST_FILE}, "
            "whose page is the book's first")))
    for path, _, line in entries:
        if not (root / path).is_file():
            faults.append(BookError(CONFIG, line, (
                f"no such chapter: {path}; name a file that is there")))
        if path.stem in names:
            faults.append(BookError(
                CONFIG, line, f"{names[path.stem]} and {path} bear one name; "
                "rename one",
            ))
        names.setdefault(path.stem, path)
    raise_found(faults)


def one_spaced(words: str) -> str:
    """A title's words in one line."""
    return re.sub(r"[ \t\r\n]+", " ", words).strip()
