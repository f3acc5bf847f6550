"""The book's words: a glossary's entries, and where its terms are marked.

`[ulp]{.term}` marks the place that introduces a term, `[ulps]{.index
entry="ulp"}` one that treats it again. The glossary, a `.glossary` div,
has a paragraph for each: `[ulp]{#term-ulp .entry} The gap … @sec-marks.`
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from press.errors import BookError
from press.read.chapters import BRACKETED, HEADING, Book, Chapter, Line
from press.read.labels import CODE_SPAN, headings
from press.read.plain import plain, plain_each

GLOSSARY = Path("book/glossary.qmd")
ENTRY = re.compile(
    rf"^{BRACKETED}\{{#term-([a-z0-9-]+) \.entry(?: also=\"([^\"]+)\")?\}}"
    r"\s+(.*)$", re.S
)
MARK = re.compile(rf"{BRACKETED}\{{([^{{}}]*\.(term|index)\b[^{{}}]*)\}}")
NAMED = re.compile(r'\bentry="([^"]*)"')
REFERENCE = re.compile(
    rf"\s*(?:@(sec-[\w-]+)|{BRACKETED}\([^)]*#(sec-[\w-]+)\))\.$"
)


@dataclass(frozen=True)
class Entry:
    """What the glossary says of one term."""

    key: str           # "fan-in"
    name: str          # as it is printed, in markdown
    text: str          # in markdown, without the reference at its end
    section: str       # the label of the section that introduces it
    path: Path
    line: int
    also: str          # another name, which the index refers to this one

    @property
    def plain(self) -> str:
        """The definition without markup, for a preview."""
        return plain(self.text)


@dataclass(frozen=True)
class Mark:
    """A place in a chapter that introduces a term or treats it again."""

    key: str
    text: str          # what is marked, in markdown
    introduces: bool
    section: str       # the label of the section around it, or ""
    path: Path
    line: int


def key_of(text: str) -> str:
    """The name of an entry: `` `grad_fn` `` is grad-fn."""
    bare = re.sub(rf"{BRACKETED}\{{[^}}]*\}}", r"\1", text)
    return re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-")


def glossary(book: Book) -> Chapter | None:
    return next((c for c in book.chapters if c.path == GLOSSARY), None)


def paragraphs(chapter: Chapter) -> Iterator[tuple[Line, str]]:
    """The first line of each paragraph, and its text."""
    lines = {line.number: line for line in chapter.lines()}
    for start, text in chapter.paragraphs():
        while text.startswith(":::"):
            start, text = start + 1, text.partition("\n")[2]
        if text:
            yield lines[start], text


def entries(book: Book) -> dict[str, Entry]:
    """The glossary, by key; the first where a key stands twice."""
    result: dict[str, Entry] = {}
    for entry in all_entries(glossary(book)):
        result.setdefault(entry.key, entry)
    return result


def all_entries(chapter: Chapter | None) -> Iterator[Entry]:
    if not chapter:
        return
    for line, text in glossary_paragraphs(chapter):
        if match := ENTRY.match(text):
            said = " ".join(match[4].split())
            found = REFERENCE.search(said)
            section = found[1] or found[3] if found else ""
            yield Entry(
                match[2], match[1], REFERENCE.sub("", said), section,
                chapter.path, line.number, match[3] or "",
            )


def glossary_paragraphs(chapter: Chapter) -> Iterator[tuple[Line, str]]:
    for line, text in paragraphs(chapter):
        if any("glossary" in div.classes for div in line.divs):
            yield line, text


def marks(chapter: Chapter) -> Iterator[Mark]:
    """The marked places of a chapter, in the order of the page."""
    for line, text, match in places(chapter):
        attributes, kind = match[2], match[3]
        words = text[match.start(1):match.end(1)]
        named = NAMED.search(attributes)
        number = line.number + text.count("\n", 0, match.start())
        yield Mark(
            named[1] if named else key_of(words), words, kind == "term",
            section_at(chapter, number), chapter.path, number,
        )


def places(chapter: Chapter) -> Iterator[tuple[Line, str, re.Match]]:
    """Marks with the paragraph they stand in; none is in a code span."""
    if "{." not in chapter.text:
        return
    for line, text in paragraphs(chapter):
        hidden = CODE_SPAN.sub(lambda m: "`" * len(m[0]), text)
        for match in MARK.finditer(hidden):
            yield line, text, match


def section_at(chapter: Chapter, line: int) -> str:
    """The label of the innermost section around a line that has one."""
    around: list = []
    for heading in headings(chapter):
        if heading.line > line:
            break
        around = [h for h in around if h.level < heading.level] + [heading]
    return next((h.id for h in reversed(around) if h.id), "")


def linked(chapter: Chapter, known: dict[str, Entry]) -> dict[str, str]:
    """What the glossary says of the terms that a chapter marks."""
    plain_each(entry.text for entry in known.values())  # all in one go
    return {
        mark.key: known[mark.key].plain
        for mark in marks(chapter) if mark.key in known
    }


# ---------------------------------------------------------------- faults


def faults(book: Book) -> Iterator[BookError]:
    """Terms without an entry, entries without their term."""
    known = entries(book)
    first: dict[str, Mark] = {}
    for chapter in book.chapters:
        yield from place_faults(chapter)
        for mark in marks(chapter):
            if mark.key not in known:
                near = difflib.get_close_matches(mark.key, known, 1)
                advice = f'write entry="{near[0]}"' if near else "write one"
                yield BookError(
                    mark.path, mark.line,
                    f"the glossary has no entry '{mark.key}'; {advice}",
                )
            elif mark.introduces and mark.key in first:
                other = first[mark.key]
                yield BookError(
                    mark.path, mark.line,
                    f"'{mark.key}' is introduced at {other.path}:"
                    f"{other.line} already; mark this place .index",
                )
            elif mark.introduces:
                first[mark.key] = mark
    yield from entry_faults(book, first)


def entry_faults(
    book: Book, first: dict[str, Mark]
) -> Iterator[BookError]:
    chapter = glossary(book)
    if not chapter:
        return
    for line, text in glossary_paragraphs(chapter):
        if not ENTRY.match(text):
            yield BookError(
                chapter.path, line.number,
                "this is no entry; write '[ulp]{#term-ulp .entry} The gap "
                "… @sec-marks.'",
            )
    before = ""
    for entry in all_entries(chapter):
        for message in told(entry, before, first.get(entry.key)):
            yield BookError(entry.path, entry.line, message)
        before = entry.key


def told(entry: Entry, before: str, mark: Mark | None) -> Iterator[str]:
    """What is wrong with an entry; `before` is the key above it."""
    if entry.key <= before:
        yield (
            f"'{entry.key}' stands after '{before}'; keep the entries in "
            "order, each once"
        )
    if not mark:
        yield (
            f"no chapter introduces '{entry.key}'; mark it there with "
            "[…]{.term}, or remove the entry"
        )
    elif not mark.section:
        yield (
            f"'{entry.key}' is introduced at {mark.path}:{mark.line}; give "
            "that section a label"
        )
    elif entry.section != mark.section:
        yield (
            f"'{entry.key}' is introduced at {mark.path}:{mark.line}; end "
            f"its entry with '@{mark.section}.'"
        )


def place_faults(chapter: Chapter) -> Iterator[BookError]:
    """Marks where one reader would see them and another not."""
    for line, text, match in places(chapter):
        number = line.number + text.count("\n", 0, match.start())
        if HEADING.match(text.split("\n")[number - line.number]):
            yield BookError(
                chapter.path, number,
                "no mark in a heading: contents repeat it; mark the term "
                "in the text below",
            )
        elif match[3] == "term" and any(
            {"quiz", "solution"} & div.classes for div in line.divs
        ):
            yield BookError(
                chapter.path, number,
                "no term is introduced in a quiz or a solution; mark it "
                "where the text explains it",
            )
    for cell in chapter.cells:
        for option in ("fig-cap", "tbl-cap"):
            if MARK.search(str(cell.options.get(option, ""))):
                yield BookError(
                    chapter.path, cell.line_of(option),
                    "no mark in a caption; mark the term in the text",
                )
