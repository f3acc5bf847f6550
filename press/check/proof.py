"""Proof-read the sources: find what would be wrong on the page."""

import difflib
import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from press.check import typed
from press.check.images import image_fault
from press.check.options import annotation_faults, cell_faults
from press.errors import BookError, BookErrors
from press.read import words
from press.read.book import Book
from press.read.cells import Cell, Text
from press.read.chapters import Chapter
from press.read.config import CONFIG, line_at
from press.read.document import (
    KINDS,
    Div,
    Document,
    Heading,
    Image,
    Link,
    Part,
    Quiz,
    Reference,
    Refused,
    Shown,
    Value,
)
from press.read.labels import LABEL, Label, label_of
from press.read.scan import HEADING
from press.read.tree import is_label
from press.run.results import Result

# What Quarto counts, and we do not.
UNCOUNTED = {"lst", "thm", "lem", "cor", "prp", "cnj", "def", "exm", "sol",
             "rem", "alg", "nte", "tip", "wrn", "imp", "cau", "vid"}
SCHEMES = {"http", "https", "mailto"}


def check_sources(book: Book) -> None:
    """Raise with every fault that the sources alone can show."""
    if errors := find_faults(book):
        raise BookErrors(errors)


def find_faults(book: Book) -> list[BookError]:
    found = list(block_faults(book))
    certain = not found   # or else pandoc may read the rest in some other way
    for chapter in book.chapters:
        for cell in chapter.cells:
            found += cell_faults(cell)
        found += expression_faults(chapter)
    if certain:
        try:
            found += document_faults(book)
        except BookErrors as errors:
            found += errors.errors
    return found


def block_faults(book: Book) -> Iterator[BookError]:
    """Where headings, divs and fences do not begin or end as written."""
    for chapter in book.chapters:
        yield from chapter.scan.faults
        yield from heading_faults(chapter)
        yield from bracket_faults(chapter)


def document_faults(book: Book) -> Iterator[BookError]:
    """What only the whole book shows: names without a thing, things that
    nobody explains."""
    known, names = book.labels, book.names
    works = book.config.get("bibliography")
    if works and not (book.root / works).is_file():
        yield BookError(
            CONFIG, line_at(book.lines, ("bibliography",)),
            f"no such bibliography: {works}; name a file that is there",
        )
    keys = bibliography_keys(book)
    yield from label_faults(book.documents, known)
    for document in book.documents:
        for part in document.parts:
            for line, message in part_faults(
                book, document, part, names, keys
            ):
                yield BookError(document.chapter.path, line, message)
        for shown in document.all(Shown):
            yield from annotation_faults(shown)
        yield from typed.typed_faults(document, known)
    yield from words.word_faults(book.documents, book.entries)


# ----------------------------------------------------------------- lines


def expression_faults(chapter: Chapter) -> Iterator[BookError]:
    """Quarto runs no chapter for the sake of its sentences alone."""
    if chapter.cells:
        return
    for piece in chapter.pieces:
        if isinstance(piece, Text):
            for inline in piece.inlines():
                yield BookError(
                    chapter.path, inline.line,
                    "an inline expression needs a ```{python} cell "
                    "somewhere in the same file",
                )


def heading_faults(chapter: Chapter) -> Iterator[BookError]:
    """Lines that look like headings to one reader and not to another."""
    before = ""
    for number, text in enumerate(chapter.scan.shown, 1):
        if before.strip() and not HEADING.match(before) and (
            not before.startswith(":::")
        ):
            if HEADING.match(text):
                yield BookError(
                    chapter.path, number,
                    "no heading without a blank line above it; add one",
                )
            elif re.match(r"(=+|-+)[ \t]*$", text):
                yield BookError(
                    chapter.path, number,
                    "this makes a heading of the line above; write '## …', "
                    "or leave a blank line between",
                )
        before = text


# ---------------------------------------------------------------- labels


def bracket_faults(chapter: Chapter) -> Iterator[BookError]:
    """Formulas in TeX's brackets, which Markdown prints without them."""
    for number, text in enumerate(chapter.scan.prose, 1):
        if re.search(r"(?<!\\)\\\(.*\\\)|(?<!\\)\\\[.*[\\^_=].*\\\]", text):
            yield BookError(
                chapter.path, number, "a formula stands between $ and $, or "
                "between $$ and $$; write it so",
            )


def label_faults(
    documents: list[Document], known: list[Label]
) -> Iterator[BookError]:
    first: dict[str, tuple] = {}
    for label in known:
        if label.id in first:
            path, line = first[label.id]
            yield BookError(
                label.path, label.line,
                f"the label '{label.id}' already stands at {path}:{line}; "
                "rename one",
            )
        first.setdefault(label.id, (label.path, label.line))
    for document in documents:
        plain: dict[str, Cell] = {}
        for cell in document.chapter.cells:
            if cell.label and cell.label not in first:
                name = str(cell.label)
                if name in plain:
                    yield BookError(
                        cell.path, cell.line_of("label"),
                        f"the label '{name}' already stands at line "
                        f"{plain[name].line_of('label')}; rename one",
                    )
                plain[name] = cell


# ----------------------------------------------------------------- parts


def part_faults(
    book: Book, document: Document, part: Part, names: dict[str, Label],
    keys: set[str],
) -> Iterator[tuple[int, str]]:
    """What is wrong with a thing, each on its line."""
    name, line = label_of(part)
    if LABEL.fullmatch(name) and (said := bearer_fault(part, name)):
        yield line, said
    match part:
        case Refused():
            yield part.line, part.message
        case Reference():
            if message := reference_fault(book, part, names, keys):
                yield part.line, message
        case Link():
            if message := link_fault(book, document.chapter, part, names):
                yield part.line, message
        case Image(target=target, says=says):
            if not says.strip():
                yield part.line, (
                    f"the image {target} has no alt text; write what it "
                    "shows: ![…](…)"
                )
            if message := image_fault(
                book.root, target, resolved(document.chapter, target)
            ):
                yield part.line, message
        case Value(place="heading"):
            yield part.line, (
                "no value in a heading: contents and references repeat the "
                "expression; say the value in the text below"
            )
        case Quiz(options=options):
            if sum(right for right, _ in options) != 1:
                yield part.line, (
                    "a quiz has exactly one right option; mark it '- [x]'"
                )
            if not all(why for _, why in options):
                yield part.line, (
                    "an option does not say why; end it with "
                    "[because …]{.why}"
                )


def bearer_fault(part: Part, name: str) -> str | None:
    """A label of a kind that what bears it is not."""
    kind, _, _ = name.partition("-")
    if isinstance(part, Heading):
        if kind != "sec":
            return f"'{name}' is no section's label; write {{#sec-…}}"
    elif kind == "sec":
        return (
            f"'{name}' is a section's label, and this is no heading; "
            f"write '## Title {{#{name}}}', or give it another name"
        )
    elif isinstance(part, Div) and kind != "exr":
        return (
            f"'{name}' is no label of a div; give it to the cell, the image, "
            "the table or the equation itself"
        )
    elif isinstance(part, Shown) and kind not in ("fig", "tbl"):
        return (
            f"'{name}' is no label of a cell; write fig-… for a picture, "
            "tbl-… for a table"
        )
    return None


def reference_fault(
    book: Book, part: Reference, names: dict[str, Label], keys: set[str]
) -> str | None:
    """A reference to no label, or a citation of no source."""
    if is_label(part.key):
        if part.along:
            return "several references in one bracket; write them apart"
        if part.key not in names:
            near = difflib.get_close_matches(part.key, names, 1)
            advice = f"write @{near[0]}" if near else (
                "label something so, or remove the reference"
            )
            return f"nothing is labelled '{part.key}'; {advice}"
        label = names[part.key]
        if part.on_paper and not label.on_paper:
            return left_out_fault(label)
        opening = label.path == book.chapters[0].path
        if not label.number and not opening:
            return (
                f"'{part.key}' bears no number to refer to; write "
                f"[words](#{part.key}), with the file before the # where it "
                "is another, or number it"
            )
    elif part.key not in keys:
        kind, hyphen, _ = part.key.partition("-")
        if hyphen and kind in UNCOUNTED:
            return (
                f"nothing is counted as @{kind}-…; counted are "
                + ", ".join(f"@{known}-…" for known in KINDS)
            )
        where = book.config.get("bibliography")
        return (
            f"no source '{part.key}' in the bibliography; "
            + (f"add it to {where}" if where else
               "_quarto.yml names none: write 'bibliography: …' there")
            + f", or write \\@{part.key} for the sign itself, an address "
            "as <https://…>"
        )
    return None


def left_out_fault(label: Label) -> str:
    """What paper shows leads to what paper leaves out."""
    return (
        f"the printed book leaves '{label.id}' out ({label.path}:"
        f"{label.line}); refer to what it has, or let it have this"
    )


def link_fault(
    book: Book, chapter: Chapter, link: Link, names: dict[str, Label]
) -> str | None:
    """A link that leads to no page, or to no place on it."""
    target = link.target
    path, _, anchor = target.partition("#")
    scheme = re.match(r"([a-z][a-z+.-]*):|//", target, re.I)
    if scheme and (scheme[1] or "").lower() not in SCHEMES:
        return (
            f"the link leads to {target}, which no book can open; write an "
            "address that begins with https://, or a file of the book"
        )
    file = resolved(chapter, path) if path else chapter.path.as_posix()
    if file is None:
        return None
    if not (book.root / file).exists():
        return f"the link leads to {file}, which is not there"
    pages = {chapter.path.as_posix() for chapter in book.chapters}
    if file not in pages:
        return f"the link leads to {file}, which is no page of the book"
    if anchor and file.endswith(".qmd") and not (
        anchor in names and names[anchor].path.as_posix() == file
    ):
        return (
            f"the link leads to '#{anchor}', which is no label; give the "
            "heading an id such as {#sec-name}"
        )
    if anchor in names and link.on_paper and not names[anchor].on_paper:
        return left_out_fault(names[anchor])
    return None


def resolved(chapter: Chapter, target: str) -> str | None:
    """A link's target as a path from the root of the book."""
    if re.match(r"[a-z][a-z+.-]*:", target, re.I):
        return None
    target = unquote(target)
    if target.startswith("/"):
        return target.lstrip("/")
    folder = chapter.path.parent.as_posix()
    return posixpath.normpath(posixpath.join(folder, target))


def bibliography_keys(book: Book) -> set[str]:
    file = book.root / str(book.config.get("bibliography", ""))
    if not file.is_file():
        return set()
    text = file.read_text(encoding="utf-8")
    return set(re.findall(r"^\s*@\w+\s*\{\s*([^,\s]+)\s*,", text, re.M))


# --------------------------------------------------------------- outputs


def check_outputs(results: list[Result]) -> None:
    """Raise for results on a page without their class."""
    errors = []
    for result in results:
        for index, outputs in result.outputs.items():
            cell = result.chapter.pieces[index]
            if not isinstance(cell, Cell) or cell.is_figure:
                continue
            if "reproduce" in cell.options:
                continue
            if cell.options.get("output", True) is False:
                continue
            if any(shows_text(output) for output in outputs):
                errors.append(BookError(
                    cell.path, cell.line,
                    "this cell prints a result; add '#| reproduce: exact', "
                    "'close' or 'machine'",
                ))
    if errors:
        raise BookErrors(errors)


def shows_text(output: dict) -> bool:
    if output["output_type"] == "stream":
        return output["name"] == "stdout"
    return "image/svg+xml" not in output.get("data", {})
