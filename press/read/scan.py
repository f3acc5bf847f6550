"""Scan the lines of a chapter: which are prose, and where blocks begin.

pandoc reads what the blocks say, and gives no lines (reading.py). Here are
the lines of what is known by how its line begins, headings, divs and cells;
and what is wrong with these.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from press.errors import BookError
from press.read.cells import INLINE, Cell, Text
from press.read.dialect import fence_fault

FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})(.*)$")
# A fence may be the first thing in an item of a list.
OPENING = re.compile(
    r"^([ \t>]*(?:(?:[-*+:]|\(?[\w#@]{1,4}[.)])[ \t]+)*)(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r"^(?:> ?)*(#{1,6})(?:[ \t]+(.*?))?[ \t]*$")
TRAILING = re.compile(r"[ \t]*\{([^{}]*)\}[ \t]*$")
DIV = re.compile(r"^[ \t>]*(:{3,})[ \t]*(.*?)[ \t]*:*[ \t]*$")
IDENTIFIER = re.compile(r"#([^\s}]+)")
# Backticks, a text without a blank line, and as many backticks.
SPAN_OF_CODE = re.compile(
    r"(?<![`\\])(`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True)
class Stamp:
    """The line of something that is known by how its line begins."""

    kind: str    # "heading", "div", "end" of a div or "cell"
    line: int
    level: int = 0    # of a heading
    text: str = ""    # title and attributes, of a div its attributes

    @property
    def id(self) -> str:
        attributes = self.text
        if self.kind == "heading":
            attributes = split_attributes(self.text)[1]
        found = IDENTIFIER.search(attributes)
        return found[1] if found else ""


@dataclass(frozen=True)
class Scan:
    """What the lines of a chapter say by themselves."""

    shown: tuple[str, ...]      # each line; "" where no reader sees it
    stamps: tuple[Stamp, ...]
    faults: tuple[BookError, ...]

    @cached_property
    def prose(self) -> tuple[str, ...]:
        """The shown lines without their code spans."""
        text = "\n".join(self.shown)
        return tuple(SPAN_OF_CODE.sub(
            lambda match: "\n" * match[0].count("\n"), text).split("\n"))

    @property
    def title(self) -> str | None:
        """The first heading of the first level, with its attributes."""
        return next((s.text for s in self.stamps if s.level == 1), None)


def scan(path: Path, pieces: tuple[Text | Cell, ...]) -> Scan:
    return Scanner(path).scan(pieces)


class Scanner:
    """Goes through the lines of a chapter, in its comments and fences too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown: list[str] = []
        self.stamps: list[Stamp] = []
        self.faults: list[BookError] = []
        self.divs: list[int] = []        # the lines of those that are open
        self.fence = ""
        self.hidden_since = 0            # the line of what hides this one
        self.comment = False

    def scan(self, pieces: tuple[Text | Cell, ...]) -> Scan:
        for piece in pieces:
            if isinstance(piece, Cell):
                self.cell(piece)
                continue
            for line, text in enumerate(piece.text.split("\n"), piece.line):
                self.show(line, self.text_line(line, text))
        if self.fence:
            self.fault(self.hidden_since,
                       f"this fence is never closed; add {self.fence}")
        if self.comment:
            self.fault(self.hidden_since,
                       "this comment is never closed; add -->")
        for line in self.divs:
            self.fault(line, "this div is never closed; add :::")
        return Scan(
            tuple(self.shown), tuple(self.stamps), tuple(self.faults))

    def show(self, line: int, text: str) -> None:
        self.shown += [""] * (line - 1 - len(self.shown))
        self.shown.append(text)

    def fault(self, line: int, message: str) -> None:
        self.faults.append(BookError(self.path, line, message))

    def cell(self, cell: Cell) -> None:
        if self.fence:
            self.fault(
                cell.line, "Quarto runs this cell although it stands inside "
                "another fence; to show it write ```{{python}}",
            )
        elif self.comment:
            self.fault(
                cell.line, "Quarto runs this cell although it stands in the "
                f"comment of line {self.hidden_since}; take it out",
            )
        else:
            self.stamps.append(Stamp("cell", cell.line))

    def text_line(self, line: int, text: str) -> str:
        """What of a line is prose; note what it begins or ends."""
        if self.fence:
            fence = FENCE.match(text)
            if fence and closes(fence, self.fence):
                self.fence = ""
            elif INLINE.search(text):
                self.fault(
                    line, "Quarto runs this expression although it stands "
                    "in a fence; to show it write `{{python}} …`",
                )
            return ""
        text = self.without_comments(line, text)
        if self.comment and not text:
            return ""
        opening = OPENING.match(text)
        if opening and "`" not in opening[3]:
            before, self.fence, info = opening.groups()
            self.hidden_since = line
            if fault := fence_fault(self.fence, info.strip(), before):
                self.fault(line, fault)
            return ""
        if match := DIV.match(text):
            if match[2]:
                self.divs.append(line)
                self.stamps.append(Stamp("div", line, text=match[2]))
            elif self.divs:
                self.divs.pop()
                self.stamps.append(Stamp("end", line))
            else:
                self.fault(line, "this ::: closes no div; remove it")
        elif match := HEADING.match(text):
            self.stamps.append(
                Stamp("heading", line, len(match[1]), match[2] or ""))
        return text

    def without_comments(self, line: int, text: str) -> str:
        """The line without what stands in HTML comments."""
        kept, at = "", 0
        while at < len(text):
            if self.comment:
                end = text.find("-->", at)
                until = len(text) if end < 0 else end + 3
                if INLINE.search(text[at:until]):
                    self.fault(
                        line, "Quarto runs this expression although it "
                        "stands in a comment; remove it",
                    )
                self.comment, at = end < 0, until
                continue
            spans = [m.span() for m in SPAN_OF_CODE.finditer(text, at)]
            start = text.find("<!--", at)
            while any(a <= start < b for a, b in spans):
                start = text.find("<!--", start + 1)
            if start < 0:
                return kept + text[at:]
            kept += text[at:start]
            self.comment, self.hidden_since, at = True, line, start + 4
        return kept


def split_attributes(heading: str) -> tuple[str, str]:
    """`Title {#sec-x .unnumbered}` as its title and its attributes."""
    if match := TRAILING.search(heading):
        return heading[:match.start()], match[1]
    return heading, ""


def closes(match: re.Match, fence: str) -> bool:
    mark = match[1]
    return (
        mark[0] == fence[0] and len(mark) >= len(fence)
        and not match[2].strip()
    )
