"""The book: its chapters, and all that is asked of them more than once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import yaml

from press.errors import BookError, BookErrors
from press.pools import workers
from press.read.chapters import Chapter, read_chapter
from press.read.document import Document
from press.read.edition import read_version
from press.read.labels import Label, number_labels, shown_number
from press.read.reading import read_document, readers
from press.read.simulations import Simulation, find_simulations
from press.read.words import Entry, Mark, read_entries, read_marks


@dataclass(frozen=True)
class Book:
    """The whole book, as `_quarto.yml` lays it out."""

    root: Path
    config: dict = field(compare=False)
    chapters: tuple[Chapter, ...]
    settings: dict[str, str] = field(default_factory=dict, compare=False)
    version: str = ""

    @property
    def title(self) -> str:
        return self.config["book"]["title"]

    @property
    def subtitle(self) -> str:
        return self.config["book"].get("subtitle", "")

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
    config_path = root / "_quarto.yml"
    try:
        config = yaml.safe_load(config_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError("_quarto.yml", None, f"not found in {root}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise BookError("_quarto.yml", line, f"not YAML: {error}")

    book = (config or {}).get("book") or {}
    if not book.get("chapters"):
        raise BookError(
            "_quarto.yml", None, "no chapters; list them under book: chapters:"
        )

    chapters = []
    count = 0
    for path, part in listed(book["chapters"]):
        chapter = read_chapter(root, path, part=part)
        if "unnumbered" not in chapter.heading[1]:
            count += 1
            chapter = replace(chapter, number=str(count))
        chapters.append(chapter)
    for index, (path, part) in enumerate(listed(book.get("appendices", []))):
        chapter = read_chapter(root, path, part=part, appendix=True)
        chapters.append(replace(
            chapter, number=chr(ord("A") + index)
        ))
    names: dict[str, Path] = {}
    for chapter in chapters:
        if chapter.name in names:
            raise BookError(
                "_quarto.yml", None,
                f"{names[chapter.name]} and {chapter.path} bear one name; "
                "rename one",
            )
        names[chapter.name] = chapter.path
    return Book(
        root, config, tuple(chapters), version=read_version(root)
    )


def listed(entries: list) -> Iterator[tuple[Path, str | None]]:
    """Files in reading order with the part each belongs to."""
    for entry in entries:
        if isinstance(entry, str):
            yield Path(entry), None
        elif isinstance(entry, dict) and "chapters" in entry:
            for path in entry["chapters"]:
                yield Path(path), entry.get("part")
        else:
            raise BookError(
                "_quarto.yml", None,
                f"cannot read {entry!r}; write a file or 'part:' with "
                "'chapters:' under it",
            )
