"""What the reader of a chapter refuses, where it meets it in pandoc's tree."""

import re

from press.read.chapters import Chapter
from press.read.dialect import TAG, attribute_fault, raw_fault
from press.read.document import Div, Heading, Part, Refused
from press.read.labels import is_title
from press.read.tree import Node, words_of


class Refusals:
    """The part of the reader that notes what cannot come out right."""

    def __init__(self) -> None:
        self.parts: list[Part | None] = []
        self.within: tuple[Div, ...] = ()
        self.place = "text"
        self.captioned = False          # within a figure's or a table's
        self.titled = False
        self.opened: set[str] = set()   # tags that are refused

    chapter: Chapter

    def walk(self, node: Node) -> None:
        raise NotImplementedError

    def line_of(self, pattern: str) -> int:
        raise NotImplementedError

    def region(self) -> tuple[int, int]:
        raise NotImplementedError

    def refuse(self, line: int, message: str) -> None:
        self.parts.append(Refused(line, self.within, message))

    def look_at_attributes(self, node: Node) -> None:
        """No attribute that the policy of the pages forbids."""
        match node.get("c"):
            case [[str(), list(), list(attributes)], *_] | [
                _, [str(), list(), list(attributes)], *_
            ]:
                for name, _ in attributes:
                    if message := attribute_fault(name):
                        words = rf"\b{re.escape(name)}\s*="
                        line = self.line_in_code(words) if (
                            node["t"] == "CodeBlock") else self.line_of(words)
                        self.refuse(line, message)

    def look_at_title(self) -> None:
        """Nothing stands above the title of a chapter."""
        if not self.titled:
            self.titled = True
            self.refuse(self.region()[0], (
                "this stands above the title of the chapter; begin with "
                "'# Title'"))

    def look_at_heading(
        self, line: int, level: int, inlines: list[Node]
    ) -> None:
        """A chapter has one title, and no heading is without words."""
        if not words_of(inlines).strip():
            self.refuse(line, "this heading has no words; write '## Title'")
        heading = Heading(line, self.within, level, "", (), "")
        if is_title(heading):
            self.look_at_title()
        elif level == 1 and self.titled:
            self.refuse(line, (
                "a second title in this chapter; write '## …' for a section, "
                "or put it into a file of its own"))
        elif level == 1:
            self.titled = True
        else:
            self.look_at_title()

    def codeblock(self, node: Node) -> None:
        _, classes, _ = node["c"][0]
        if made := {*classes} & {"cell", "cell-code"}:
            self.refuse(self.line_in_code(rf"\.{min(made)}\b"), (
                "the press makes this of a cell; write ```{python}, and to "
                "show it ```{{python}}"))

    def line_in_code(self, pattern: str) -> int:
        """The line of the next fence with a pattern: no prose has it."""
        start, _ = self.region()
        lines = re.split(r"\r\n?|\n", self.chapter.text)
        return next((
            number for number, words in enumerate(lines[start - 1:], start)
            if re.search(rf"[`~]{{3}}.*{pattern}", words)
        ), start)

    def rawblock(self, node: Node) -> None:
        kind, text = node["c"]
        tag = TAG.search(text) if kind == "html" else None
        if text.startswith("</") and tag and tag[1] in self.opened:
            return   # its beginning is refused
        if message := raw_fault(kind, text):
            self.opened |= {tag[1]} if tag else set()
            first = re.escape(text.strip().split("\n")[0])
            if tag:   # whose attributes pandoc may write in its own way
                first = rf"(?i)</?{re.escape(tag[1])}\b"
            self.refuse(self.line_of(first), message)

    rawinline = rawblock

    def note(self, node: Node) -> None:
        if not words_of(node["c"]).strip():
            self.refuse(self.line_of(r"\[\^|\^\["), (
                "this note has no words; write '[^1]: words'"))
        if self.place != "text" or self.captioned:
            place = "heading" if self.place == "heading" else "caption"
            self.refuse(self.line_of(r"\[\^|\^\["), (
                f"no note in a {place}: contents and lists repeat it; "
                "put it into the text"))
        self.walk(node["c"])
