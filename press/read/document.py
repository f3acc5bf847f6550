"""A chapter as a document: what stands in it, where, and on which line.

It is made by reading.py; every question about what the sources say is
answered from it.
"""

import re
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote

from press.read.cells import Cell
from press.read.chapters import Chapter

# What bears a number, by what its label begins with.
KINDS = {
    "sec": "Section", "fig": "Figure", "tbl": "Table",
    "eq": "Equation", "exr": "Exercise",
}
PRINTED = ("typst", "pdf")   # what `when-format` calls the printed book
BRACKETED = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
GAP = r"(?:[\s\u00a0>]|\\ |&nbsp;)+"


@dataclass(frozen=True)
class Part:
    """Something that stands in a chapter."""

    line: int
    within: tuple["Div", ...]   # the divs around it, from the outermost

    def inside(self, *classes: str) -> bool:
        """Whether a div of one of these classes is around it."""
        return any({*classes} & {*div.classes} for div in self.within)

    @property
    def on_paper(self) -> bool:
        """Whether the printed book has it too."""
        return all(div.is_printed for div in self.within)


@dataclass(frozen=True)
class Div(Part):
    """A fenced div: `::: {#exr-one .solution key="value"}`."""

    id: str
    classes: tuple[str, ...]
    attributes: dict[str, str] = field(hash=False)

    @property
    def is_printed(self) -> bool:
        """Whether paper has what stands in it, as common.lua decides."""
        wanted = self.attributes.get("when-format", "pdf") in PRINTED
        hidden = self.attributes.get("unless-format") in PRINTED
        if "content-hidden" in self.classes:
            wanted = self.attributes.get("unless-format", "pdf") in PRINTED
            hidden = self.attributes.get("when-format") in PRINTED
        return wanted and not hidden


@dataclass(frozen=True)
class Heading(Part):
    """A heading. An id that pandoc makes of the title is not its own."""

    level: int
    id: str
    classes: tuple[str, ...]
    title: str   # in plain words


@dataclass(frozen=True)
class Shown(Part):
    """The place of a cell; `notes` counts the items of the numbered list
    right below it, None where no list is there."""

    cell: Cell
    notes: int | None


@dataclass(frozen=True)
class Anchor(Part):
    """The label of an equation, of a table or of an image in the text."""

    id: str


@dataclass(frozen=True)
class Reference(Part):
    """What `@` names, a label or a source; `along` is told of the first of
    several in one bracket."""

    key: str
    along: bool


@dataclass(frozen=True)
class Link(Part):
    target: str


@dataclass(frozen=True)
class Image(Part):
    """A picture from a file; `says` is its caption or its alt text."""

    target: str
    says: str


@dataclass(frozen=True)
class Span(Part):
    """Words with attributes: `[ulps]{.index entry="ulp"}`."""

    id: str
    classes: tuple[str, ...]
    attributes: dict[str, str] = field(hash=False)
    words: str
    place: str   # "text", "heading" or "caption"


@dataclass(frozen=True)
class Value(Part):
    """An expression whose value stands in the text."""

    source: str
    place: str   # "text", "heading" or "caption"


@dataclass(frozen=True)
class Formula(Part):
    """Mathematics, in TeX."""

    tex: str


@dataclass(frozen=True)
class Prose(Part):
    """The words of a paragraph, a heading, an item or a caption."""

    text: str    # with the line ends of the source, and HIDDEN
    lines: tuple[int, int]   # it stands between
    place: str   # "text", "heading", "caption" or "attribute"


@dataclass(frozen=True)
class Refused(Part):
    """What would not come out right, and what to write instead."""

    message: str


@dataclass(frozen=True)
class Definition(Part):
    """A paragraph that begins with an entry of the glossary."""

    id: str      # "term-ulp"
    name: str    # in plain words
    also: str    # another name
    text: str    # in plain words, without the reference at its end
    section: str


@dataclass(frozen=True)
class Quiz(Part):
    """A quiz: of each option whether it is right and whether it says why."""

    end: int     # the line of the `:::` that closes it
    options: tuple[tuple[bool, bool], ...]


Kind = TypeVar("Kind", bound=Part)


@dataclass(frozen=True)
class Document:
    """What stands in a chapter, in the order of the page."""

    chapter: Chapter
    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """The title of the chapter in plain words."""
        return next(h.title for h in self.all(Heading) if h.level == 1)

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [part for part in self.parts if isinstance(part, kind)]

    def find(self, prose: Prose, words: str, nth: int = 0) -> int:
        """The line of the nth of these words in a region of the chapter."""
        if prose.place in ("caption", "attribute"):
            return prose.line
        return find(self.chapter, spaced(words), *prose.lines, nth)


def find(
    chapter: Chapter, pattern: str, start: int, end: int, nth: int = 0
) -> int:
    """The line of the nth match between two lines; else anywhere in the
    chapter, for notes stand elsewhere; else the first of these lines."""
    prose, shown = chapter.scan.prose, chapter.scan.shown
    for lines, first, last, skipped in (
        (prose, start, end, nth), (shown, start, end, nth),
        (prose, 1, len(shown) + 1, 0), (shown, 1, len(shown) + 1, 0),
    ):
        text = "\n".join(lines[first - 1:last - 1])
        found = list(re.finditer(pattern, text))[skipped:skipped + 1]
        if found:
            return first + text.count("\n", 0, found[0].start())
    return start


def to(target: str) -> str:
    """A pattern for a link to a target, or for the target alone."""
    written = f"(?:{re.escape(target)}|{re.escape(unquote(target))})"
    return rf"(?:{BRACKETED}\(<?)?{written}"


def spaced(words: str) -> str:
    """A pattern for these words, however they are spaced and broken."""
    return GAP.join(map(re.escape, words.split()))
