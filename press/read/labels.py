"""Number the book: sections, figures, tables, equations, exercises.

The numbers are those Quarto gives, counted once here and used by every
renderer, so that HTML and PDF cannot disagree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from press.read.chapters import Chapter
from press.read.document import (
    KINDS,
    Anchor,
    Div,
    Document,
    Heading,
    Part,
    Shown,
)

LABEL = re.compile(rf"({'|'.join(KINDS)})-[\w-]+")
REFERENCE = re.compile(rf"(-?)@((?:{'|'.join(KINDS)})-[\w-]*\w)")


@dataclass(frozen=True)
class Label:
    """Something that can be referred to, and the number it has."""

    id: str
    kind: str          # "Figure"
    number: str        # "3.1"
    title: str         # of a section or an exercise, in plain words
    path: Path
    line: int
    page: str
    chapter: tuple[str, str]   # ("Chapter", "3"): what it stands in
    on_paper: bool             # or left out of the printed book

    @property
    def named(self) -> tuple[str, str]:
        """The kind and the number that a reference gives; what bears no
        number, as the opening chapter and its sections, has its chapter's.
        """
        return (self.kind, self.number) if self.number else self.chapter

    @property
    def reference(self) -> str:
        """How a reference to it reads: "Figure 3.1", "Chapter 0"."""
        return "\u00a0".join(self.named)


@dataclass(frozen=True)
class Section:
    """A section heading with the number it bears, if any."""

    level: int
    number: str
    title: str
    id: str
    line: int
    on_paper: bool


def sections(document: Document) -> Iterator[Section]:
    """The sections of a chapter, numbered as Quarto numbers them."""
    chapter = document.chapter
    counters = [0] * 6
    for heading in document.all(Heading):
        if is_title(heading):
            continue
        unnumbered = "unnumbered" in heading.classes
        number = ""
        if heading.level == 1:
            counters = [0] * 6
            number = "" if unnumbered else chapter.number
        elif not unnumbered and chapter.number:
            counters[heading.level - 1] += 1
            counters[heading.level:] = [0] * (6 - heading.level)
            number = ".".join(
                [chapter.number, *map(str, counters[1:heading.level])]
            )
        yield Section(
            heading.level, number, heading.title, heading.id, heading.line,
            heading.on_paper)


def is_title(heading: Heading) -> bool:
    """Whether it heads an exercise or a callout and is no section."""
    return heading.inside("solution") or any(
        div.id.startswith("exr-")
        or any(name.startswith("callout") for name in div.classes)
        for div in heading.within
    )


def titles(document: Document) -> dict[int, str]:
    """The heading inside each exercise, by the line of its div."""
    result: dict[int, str] = {}
    for heading in document.all(Heading):
        if heading.within:
            result.setdefault(heading.within[-1].line, heading.title)
    return result


def label_of(part: Part) -> tuple[str, int]:
    """The label that a part bears, or "", and the line of it."""
    match part:
        case Heading(id=name) if is_title(part):
            return "", 0
        case Heading(id=name) | Div(id=name) | Anchor(id=name):
            return name, part.line
        case Shown(cell=cell) if cell.label:
            return str(cell.label), cell.line_of("label")
    return "", 0


def number_labels(
    documents: list[Document], opening: Chapter
) -> Iterator[Label]:
    """Every label of the book, in reading order, duplicates included."""
    for document in documents:
        chapter = document.chapter
        numbers = {s.id: s for s in sections(document) if s.id}
        names = titles(document)
        counts = dict.fromkeys(KINDS, 0)
        sort = "Appendix" if chapter.appendix else "Chapter"
        around = sort, shown_number(opening, chapter)
        for part in document.parts:
            identifier, line = label_of(part)
            if not LABEL.fullmatch(identifier):
                continue
            prefix = identifier.split("-")[0]
            kind, title = KINDS[prefix], ""
            if prefix == "sec":
                if identifier not in numbers:   # proof.py speaks of it
                    continue
                section = numbers[identifier]
                number, title = section.number, section.title
                kind = sort if section.level == 1 else kind
            else:
                counts[prefix] += 1
                number = str(counts[prefix])
                if chapter.number:
                    number = f"{chapter.number}.{number}"
                if isinstance(part, Div):
                    title = names.get(part.line, "")
            yield Label(
                identifier, kind, number, title, chapter.path, line,
                chapter.page, around, part.on_paper,
            )


def shown_number(opening: Chapter, chapter: Chapter) -> str:
    """The number in the contents: the opening chapter is Chapter 0."""
    if chapter.path == opening.path and not chapter.number:
        return "0"
    return chapter.number


def referring(words: str, labels: dict[str, Label]) -> str:
    """The words with their references as they are printed."""
    def printed(match: re.Match) -> str:
        label = labels.get(match[2])
        if label is None:
            return match[0]
        return label.named[1] if match[1] else label.reference

    return REFERENCE.sub(printed, words) if "@" in words else words
