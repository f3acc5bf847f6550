"""The book's words: a glossary's entries, and where its terms are marked.

`[ulp]{.term}` marks the place that introduces a term, `[ulps]{.index
entry="ulp"}` one that treats it again. The glossary, a `.glossary` div,
has a paragraph for each: `[ulp]{#term-ulp .entry} The gap … @sec-marks.`
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from press.errors import BookError
from press.read.document import Definition, Document, Heading, Prose, Span
from press.read.labels import is_title

GLOSSARY = Path("book/glossary.qmd")
NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Entry:
    """What the glossary says of one term."""

    key: str           # "fan-in"
    name: str          # as it is printed, in plain words
    text: str          # in plain words, without the reference at its end
    section: str       # the label of the section that introduces it
    path: Path
    line: int
    also: str          # another name, which the index refers to this one


@dataclass(frozen=True)
class Mark:
    """A place in a chapter that introduces a term or treats it again."""

    key: str
    text: str          # what is marked
    introduces: bool
    section: str       # the label of the section around it, or ""
    path: Path
    line: int
    span: Span


def key_of(text: str) -> str:
    """The name of an entry: `grad_fn` is grad-fn."""
    return NOT_A_LETTER.sub("-", text.lower()).strip("-")


def read_entries(documents: list[Document]) -> dict[str, Entry]:
    """The glossary, by key; the first where a key stands twice."""
    result: dict[str, Entry] = {}
    for entry in all_entries(documents):
        result.setdefault(entry.key, entry)
    return result


def all_entries(documents: list[Document]) -> Iterator[Entry]:
    for document in documents:
        if document.chapter.path != GLOSSARY:
            continue
        for part in document.all(Definition):
            if part.inside("glossary"):
                yield Entry(
                    part.id.removeprefix("term-"), part.name, part.text,
                    part.section, GLOSSARY, part.line, part.also,
                )


def read_marks(document: Document) -> Iterator[Mark]:
    """The marked places of a chapter, in the order of the page."""
    around: list[Heading] = []
    for part in document.parts:
        if isinstance(part, Heading) and not is_title(part):
            around = [h for h in around if h.level < part.level] + [part]
        elif isinstance(part, Span) and part.place != "caption":
            introduces = "term" in part.classes
            if introduces or "index" in part.classes:
                yield Mark(
                    part.attributes.get("entry") or key_of(part.words),
                    part.words, introduces,
                    next((h.id for h in reversed(around) if h.id), ""),
                    document.chapter.path, part.line, part,
                )


def linked(document: Document, known: dict[str, Entry]) -> dict[str, str]:
    """What the glossary says of the terms that a chapter marks."""
    return {
        mark.key: known[mark.key].text
        for mark in read_marks(document) if mark.key in known
    }


# ---------------------------------------------------------------- faults


def word_faults(
    documents: list[Document], known: dict[str, Entry]
) -> Iterator[BookError]:
    """Terms without an entry, entries without their term."""
    first: dict[str, Mark] = {}
    for document in documents:
        for mark in read_marks(document):
            yield from place_faults(mark)
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
        yield from caption_faults(document)
        if document.chapter.path == GLOSSARY:
            yield from paragraph_faults(document)
    before = ""
    for entry in all_entries(documents):
        for message in entry_faults(entry, before, first.get(entry.key)):
            yield BookError(entry.path, entry.line, message)
        before = entry.key


def paragraph_faults(document: Document) -> Iterator[BookError]:
    """Paragraphs of the glossary that are no entries."""
    for before, part in pairwise(document.parts):
        if (
            isinstance(part, Prose) and part.inside("glossary")
            and not isinstance(before, Definition)
        ):
            yield BookError(
                document.chapter.path, part.line,
                "this is no entry; write '[ulp]{#term-ulp .entry} The gap "
                "… @sec-marks.'",
            )


def entry_faults(
    entry: Entry, before: str, mark: Mark | None
) -> Iterator[str]:
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


def place_faults(mark: Mark) -> Iterator[BookError]:
    """What is wrong where one reader would see a mark and another not."""
    if mark.span.place == "heading":
        yield BookError(
            mark.path, mark.line,
            "no mark in a heading: contents repeat it; mark the term "
            "in the text below",
        )
    elif mark.introduces and mark.span.inside("quiz", "solution"):
        yield BookError(
            mark.path, mark.line,
            "no term is introduced in a quiz or a solution; mark it "
            "where the text explains it",
        )


def caption_faults(document: Document) -> Iterator[BookError]:
    for span in document.all(Span):
        if span.place == "caption" and {"term", "index"} & {*span.classes}:
            yield BookError(
                document.chapter.path, span.line,
                "no mark in a caption; mark the term in the text",
            )
