"""Number the book: sections, figures, tables, equations, exercises.

The numbers are those Quarto gives, counted once here and used by every
renderer, so that HTML and PDF cannot disagree.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from press.read.chapters import (
    BRACKETED,
    HEADING,
    IDENTIFIER,
    Book,
    Cell,
    Chapter,
    Line,
    split_attributes,
)

KINDS = {
    "sec": "Section", "fig": "Figure", "tbl": "Table",
    "eq": "Equation", "exr": "Exercise",
}
LABEL = re.compile(r"^(sec|fig|tbl|eq|exr)-[\w-]+$")
EQUATION = re.compile(r"\$\$[ \t]*\{#(?P<id>eq-[\w-]+)\}")
CAPTION = re.compile(
    r"^[ \t]*(?::|Table:) .*?\{#(?P<id>tbl-[\w-]+)[^}]*\}[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
IMAGE = re.compile(rf"!{BRACKETED}\([^)]*\)\{{[^}}]*#(?P<id>fig-[\w-]+)")
CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True)
class Label:
    """Something that can be referred to, and the number it has."""

    id: str
    kind: str          # "Figure"
    number: str        # "3.1"
    title: str         # of a section or an exercise, else empty
    path: Path
    line: int
    page: str
    chapter: tuple[str, str]   # ("Chapter", "3"): what it stands in

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
class Heading:
    """A section heading with the number it bears, if any."""

    level: int
    number: str
    title: str
    id: str | None
    line: int


def headings(chapter: Chapter) -> Iterator[Heading]:
    """The headings of a chapter, numbered as Quarto numbers them."""
    counters = [0] * 6
    for line in chapter.lines():
        match = HEADING.match(line.text)
        if not match or in_exercise(line):
            continue
        level = len(match[1])
        title, attributes = split_attributes(match[2])
        found = IDENTIFIER.search(attributes)
        identifier = found[1] if found else None
        unnumbered = (
            "unnumbered" in attributes or attributes.strip() == "-"
        )
        number = ""
        if level == 1:
            counters = [0] * 6
            number = "" if unnumbered else chapter.number
        elif not unnumbered and chapter.number:
            counters[level - 1] += 1
            counters[level:] = [0] * (6 - level)
            number = ".".join(
                [chapter.number, *map(str, counters[1:level])]
            )
        yield Heading(level, number, title, identifier, line.number)


def in_exercise(line: Line) -> bool:
    return any(
        (div.identifier or "").startswith("exr-")
        or "solution" in div.classes
        or any(name.startswith("callout") for name in div.classes)
        for div in line.divs
    )


def anchors(chapter: Chapter) -> Iterator[tuple[str, str, str, int]]:
    """(prefix, id, title, line) of every label, in the order of the page."""
    found: list[tuple[int, str, str]] = []
    for heading in headings(chapter):
        if heading.id and heading.id.startswith("sec-"):
            found.append((heading.line, heading.id, heading.title))
    titles = exercise_titles(chapter)
    seen_divs = set()
    for line in chapter.lines():
        for div in line.divs:
            if div.line not in seen_divs and div.identifier:
                seen_divs.add(div.line)
                if LABEL.match(div.identifier):
                    title = titles.get(div.line, "")
                    found.append((div.line, div.identifier, title))
    for start, paragraph in chapter.paragraphs():
        text = without_code(paragraph)
        for pattern in (EQUATION, CAPTION, IMAGE):
            for match in pattern.finditer(text):
                at = start + text.count("\n", 0, match.start("id"))
                found.append((at, match["id"], ""))
    for cell in chapter.cells:
        if cell.label and LABEL.match(str(cell.label)):
            found.append((cell.line_of("label"), cell.label, ""))
    for at, identifier, title in sorted(found):
        yield identifier.split("-")[0], identifier, title, at


def without_code(text: str) -> str:
    """A paragraph without its code spans, its lines where they were."""
    return CODE_SPAN.sub(lambda match: "\n" * match[0].count("\n"), text)


def exercise_titles(chapter: Chapter) -> dict[int, str]:
    """The heading inside each exercise, by the line of its div."""
    titles: dict[int, str] = {}
    for line in chapter.lines():
        if (match := HEADING.match(line.text)) and line.divs:
            titles.setdefault(
                line.divs[-1].line, split_attributes(match[2])[0]
            )
    return titles


def labels(book: Book) -> list[Label]:
    """Every label of the book, in reading order, duplicates included."""
    result = []
    for chapter in book.chapters:
        numbers = {h.id: h for h in headings(chapter) if h.id}
        counts = dict.fromkeys(KINDS, 0)
        sort = "Appendix" if chapter.appendix else "Chapter"
        around = sort, shown_number(book, chapter)
        for prefix, identifier, title, line in anchors(chapter):
            kind = KINDS[prefix]
            if prefix == "sec":
                heading = numbers[identifier]
                number = heading.number
                if heading.level == 1:
                    kind = sort
            else:
                counts[prefix] += 1
                number = str(counts[prefix])
                if chapter.number:
                    number = f"{chapter.number}.{number}"
            result.append(Label(
                identifier, kind, number, title, chapter.path, line,
                chapter.page, around,
            ))
    return result


def is_figure(cell: Cell) -> bool:
    return str(cell.label or "").startswith("fig-")


def is_table(cell: Cell) -> bool:
    return str(cell.label or "").startswith("tbl-")


def shown_number(book: Book, chapter: Chapter) -> str:
    """The number in the contents: the opening chapter is Chapter 0."""
    if chapter is book.chapters[0] and not chapter.number:
        return "0"
    return chapter.number
