"""Look at what was made: no page, PDF or EPUB shows source for words.

Pages and the EPUB are read as the trees that they are. A PDF does not tell
code from words; so of the printed book the words are those that pandoc has in
its tree after all filters, just before it writes Typst's markup (said.lua).
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from lxml import etree

from press.errors import BookError
from press.read.cells import Cell
from press.read.dialect import SHOWN_AS_CODE, shown_safely
from press.read.document import find, spaced
from press.read.labels import Label
from press.weave.weave import Woven

WORDS_FILTER = Path(__file__).with_name("said.lua")
SOURCE = re.compile(
    r":::|!\[|\{#|\{python\}|\]\{[.#]|\{\{<|\x1b"
    r"|<[\w.]+ object>|<[^<>]* at 0x[0-9a-fA-F]{4,}>"
    r"|IPython\.core\.display\."
)
# Whose text is code, data or mathematics.
UNSPOKEN = {"code", "pre", "script", "style", "math", "svg", "head",
            "samp"}
AROUND = 30   # characters that a message shows before and after


def check_page(
    page: Any, name: str, woven: Iterable[Woven], labels: Iterable[Label] = (),
) -> None:
    """Raise where a page, as a tree, shows source, or lacks what bears one
    of its labels, or has it twice."""
    for words in words_on(page):
        check_words(words, name, woven)
    ids = Counter(page.xpath("//@id"))
    for identifier, times in ids.items():
        if times > 1:
            path, line = source_line(f"#{identifier}", woven)
            raise BookError(
                path or name, line, f"{name} holds '#{identifier}' {times} "
                "times; give each thing an id of its own",
            )
    for label in labels:
        if ids[label.id] != 1:
            count = "nothing" if not ids[label.id] else "several things"
            raise BookError(
                label.path, label.line, f"{name} shows {count} labelled "
                f"'{label.id}'; give the label to one picture, table, "
                "equation, section or exercise",
            )


def words_on(element: Any) -> Iterator[str]:
    """The texts of a page outside code."""
    if isinstance(element.tag, str):
        name = etree.QName(element.tag).localname
        if name not in UNSPOKEN:
            yield element.text or ""
            for child in element:
                yield from words_on(child)
    yield element.tail or ""


def check_words(words: str, name: str, woven: Iterable[Woven]) -> None:
    found = SOURCE.search(words)
    if not found:
        return
    start, end = max(0, found.start() - AROUND), found.end() + AROUND
    path, line = source_line(found[0], woven)
    raise BookError(
        path or name, line, f"{name} would show source among its words: "
        f"'{shown_safely(found[0])}' in '{' '.join(words[start:end].split())}'"
        f"; write what it is meant to be, and {SHOWN_AS_CODE}",
    )


def source_line(
    mark: str, woven: Iterable[Woven]
) -> tuple[str | None, int | None]:
    """The chapter and line that source on a page comes from: of the text,
    or of the cell or the sentence that it is an output of."""
    listed = list(woven)
    for one in listed:
        lines = len(one.chapter.scan.shown)
        pattern = spaced(mark)
        line = find(one.chapter, pattern, 1, lines + 1)
        if line > 1 or re.search(pattern, one.chapter.scan.shown[0]):
            return one.chapter.path.as_posix(), line
    for one in listed:
        for index, outputs in one.result.outputs.items():
            cell = one.chapter.pieces[index]
            if isinstance(cell, Cell) and mark in str(outputs):
                return cell.path.as_posix(), cell.line
        if mark in one.markdown:
            return one.chapter.path.as_posix(), None
    return (listed[0].chapter.path.as_posix(), None) if (
        len(listed) == 1) else (None, None)


def check_epub(body: bytes, woven: Iterable[Woven]) -> None:
    """Raise where a document of an EPUB is no XML, or shows source."""
    with zipfile.ZipFile(BytesIO(body)) as package:
        for name in package.namelist():
            if not name.endswith((".xhtml", ".opf", ".ncx")):
                continue
            try:
                page = etree.fromstring(package.read(name))
            except etree.XMLSyntaxError as error:
                raise BookError(
                    "the EPUB", None, f"{name} is no XML: {error.msg}; "
                    "write raw HTML as Markdown",
                )
            check_page(page, f"the EPUB's {Path(name).name}", woven)


def check_said(file: Path, woven: Woven) -> None:
    """Raise where the words that said.lua wrote down hold source."""
    for words in file.read_text(encoding="utf-8").splitlines():
        check_words(words, "the PDF", [woven])
