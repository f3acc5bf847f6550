"""Proof-read the sources: find what would be wrong on the page."""

import difflib
import posixpath
import re
from collections.abc import Callable, Iterator

from press.check import typed
from press.errors import BookError, BookErrors
from press.read import words
from press.read.chapters import (
    BRACKETED,
    CELL_START,
    DIV,
    FENCE,
    HEADING,
    INLINE,
    Book,
    Cell,
    Chapter,
    Line,
    Text,
    closes,
)
from press.read.labels import (
    KINDS,
    Label,
    is_figure,
    is_table,
    labels,
    without_code,
)
from press.run.results import Result

COLUMNS = 72
OPTIONS = {
    "label", "filename", "reproduce", "tolerance", "fig-cap", "fig-alt",
    "tbl-cap", "echo", "eval", "output", "include", "error", "warning",
    "alone",
}
TAKEN = {
    "export": "aborts Quarto's render",
    "file": "means something else to Quarto",
}
CLASSES = ("exact", "close", "machine")
FLAGS = {"echo", "eval", "output", "include", "error", "warning", "alone"}
REFERENCE = re.compile(
    rf"(?<![\w.@\\])-?@((?:{'|'.join(KINDS)})-[\w-]*\w)"
)
CITATION = re.compile(r"(?<![\w.@\\])-?@([A-Za-z][\w:.+/-]*\w)")
LINK = re.compile(rf"(?<!!){BRACKETED}\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
IMAGE = re.compile(rf"!{BRACKETED}\(([^)\s]+)[^)]*\)(\{{[^}}]*\}})?")
TOGETHER = re.compile(rf"\[[^\]]*@(?:{'|'.join(KINDS)})-[^\]]*;[^\]]*\]")
OPTION_ITEM = re.compile(r"^\s*[-*] \[([ xX])\] ")
Fault = Callable[[str, str], BookError]  # of an option and a message


def check(book: Book) -> None:
    """Raise with every fault that the sources alone can show."""
    errors = list(faults(book))
    if errors:
        raise BookErrors(errors)


def faults(book: Book) -> Iterator[BookError]:
    known = labels(book)
    keys = bibliography_keys(book)
    yield from label_faults(book, known)
    for chapter in book.chapters:
        yield from fence_faults(chapter)
        for cell in chapter.cells:
            yield from cell_faults(cell)
        yield from text_faults(book, chapter, known, keys)
        yield from typed.faults(chapter, known)
        yield from quiz_faults(chapter)
    yield from words.faults(book)


# ------------------------------------------------------------------ cells


def cell_faults(cell: Cell) -> Iterator[BookError]:
    def fault(option: str, message: str) -> BookError:
        return BookError(cell.path, cell.line_of(option), message)

    for option in cell.options:
        if option in TAKEN:
            yield fault(option, f"'{option}' {TAKEN[option]}; remove it")
        elif option not in OPTIONS:
            near = difflib.get_close_matches(str(option), OPTIONS, 1)
            advice = f"write '{near[0]}'" if near else (
                "known are " + ", ".join(sorted(OPTIONS))
            )
            yield fault(option, f"unknown option '{option}'; {advice}")
    for option in FLAGS & cell.options.keys():
        if not isinstance(cell.options[option], bool):
            yield fault(option, f"'{option}' is true or false")
    yield from reproduce_faults(cell, fault)
    yield from float_faults(cell, fault)
    for offset, source in enumerate(cell.source.split("\n")):
        line = re.sub(r"# <\d+>$", "# ①", source)  # as it is printed
        if re.match(r"#\| ?[\w-]+:", line):
            yield BookError(
                cell.path, cell.source_line + offset,
                "an option below code is a comment; move it to the head of "
                "the cell",
            )
        if len(line) > COLUMNS and cell.options.get("echo", True):
            yield BookError(
                cell.path, cell.source_line + offset,
                f"{len(line)} columns; a page holds {COLUMNS}: break the line",
            )


def reproduce_faults(cell: Cell, fault: Fault) -> Iterator[BookError]:
    value = cell.options.get("reproduce")
    tolerance = cell.options.get("tolerance")
    if value is not None and value not in CLASSES:
        yield fault(
            "reproduce",
            f"'{value}' is no class; write exact, close or machine",
        )
    if value == "close" and tolerance is None:
        yield fault(
            "reproduce",
            "how close? add '#| tolerance: 1e-5' or what holds",
        )
    if tolerance is not None:
        if value != "close":
            yield fault(
                "tolerance", "a tolerance goes with 'reproduce: close'"
            )
        try:
            good = float(tolerance) > 0
        except (TypeError, ValueError):
            good = False
        if not good:
            yield fault(
                "tolerance", f"'{tolerance}' is not a positive number"
            )


def float_faults(cell: Cell, fault: Fault) -> Iterator[BookError]:
    if cell.label is not None and not re.fullmatch(
        r"[a-z][\w-]*", str(cell.label)
    ):
        yield fault(
            "label", f"'{cell.label}' is no label; write letters, digits "
            "and hyphens, such as fig-memory",
        )
    if is_figure(cell):
        for option in ("fig-cap", "fig-alt"):
            if not cell.options.get(option):
                yield fault(
                    "label", f"the figure '{cell.label}' lacks {option}; add "
                    f"'#| {option}: …'",
                )
    if is_table(cell) and not cell.options.get("tbl-cap"):
        yield fault(
            "label", f"the table '{cell.label}' lacks tbl-cap; add "
            "'#| tbl-cap: …'",
        )


# ----------------------------------------------------------------- prose


def label_faults(book: Book, known: list[Label]) -> Iterator[BookError]:
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
    plain: dict[str, Cell] = {}
    for chapter in book.chapters:
        for cell in chapter.cells:
            name = f"{chapter.name} {cell.label}"
            if cell.label and cell.label not in first:
                if name in plain:
                    yield BookError(
                        cell.path, cell.line_of("label"),
                        f"the label '{cell.label}' already stands at line "
                        f"{plain[name].line_of('label')}; rename one",
                    )
                plain[name] = cell


def text_faults(
    book: Book, chapter: Chapter, known: list[Label], keys: set[str]
) -> Iterator[BookError]:
    names = {label.id for label in known}
    texts = [(n, without_code(text)) for n, text in chapter.paragraphs()]
    for cell in chapter.cells:
        for option in ("fig-cap", "tbl-cap"):
            caption = without_code(str(cell.options.get(option, "")))
            texts.append((cell.line_of(option), caption))
    for start, text in texts:
        for match, message in mention_faults(book, names, keys, text):
            yield BookError(
                chapter.path, start + text.count("\n", 0, match.start()),
                message,
            )
        for match, message in target_faults(book, chapter, known, text):
            yield BookError(
                chapter.path, start + text.count("\n", 0, match.start()),
                message,
            )
    yield from heading_faults(chapter)
    if not chapter.cells:
        for piece in chapter.pieces:
            if isinstance(piece, Text):
                for inline in piece.inlines():
                    yield BookError(
                        chapter.path, inline.line,
                        "an inline expression needs a ```{python} cell "
                        "somewhere in the same file",
                    )


def mention_faults(
    book: Book, names: set[str], keys: set[str], text: str
) -> Iterator[tuple[re.Match, str]]:
    """References to no label, and citations of no source."""
    for match in REFERENCE.finditer(text):
        if match[1] not in names:
            near = difflib.get_close_matches(match[1], names, 1)
            advice = f"write @{near[0]}" if near else (
                "label something so, or remove the reference"
            )
            yield match, f"nothing is labelled '{match[1]}'; {advice}"
    for match in TOGETHER.finditer(text):
        yield match, "several references in one bracket; write them apart"
    for match in CITATION.finditer(text):
        if match[1].split("-")[0] in KINDS and "-" in match[1]:
            continue
        if match[1] not in keys:
            yield match, (
                f"no source '{match[1]}' in the bibliography; add it to "
                f"{book.config.get('bibliography', 'one')}"
            )


def target_faults(
    book: Book, chapter: Chapter, known: list[Label], text: str
) -> Iterator[tuple[re.Match, str]]:
    """Links and images that lead nowhere, images that say nothing."""
    for match in LINK.finditer(text):
        if message := link_fault(book, chapter, match[2], known):
            yield match, message
    for match in IMAGE.finditer(text):
        if not match[1] and "alt=" not in (match[3] or ""):
            yield match, (
                f"the image {match[2]} has no alt text; write what it "
                "shows: ![…](…)"
            )
        file = resolved(chapter, match[2])
        if file and not (book.root / file).is_file():
            yield match, f"no such image: {file}"


def link_fault(
    book: Book, chapter: Chapter, target: str, known: list[Label]
) -> str | None:
    path, _, anchor = target.partition("#")
    file = resolved(chapter, path) if path else chapter.path.as_posix()
    if file is None:
        return None
    if not (book.root / file).exists():
        return f"the link leads to {file}, which is not there"
    pages = {chapter.path.as_posix() for chapter in book.chapters}
    if file not in pages:
        return f"the link leads to {file}, which is no page of the book"
    if anchor and file.endswith(".qmd") and anchor not in {
        label.id for label in known if label.path.as_posix() == file
    }:
        return (
            f"the link leads to '#{anchor}', which is no label; give the "
            "heading an id such as {#sec-name}"
        )
    return None


def heading_faults(chapter: Chapter) -> Iterator[BookError]:
    """Lines that look like headings to one reader and not to another, and
    headings that do not say the same everywhere."""
    before: Line | None = None
    for line in chapter.lines():
        if HEADING.match(line.text) and INLINE.search(line.text):
            yield BookError(
                chapter.path, line.number,
                "no value in a heading: contents and references repeat the "
                "expression; say the value in the text below",
            )
        if (
            before and before.number == line.number - 1
            and before.text.strip() and not HEADING.match(before.text)
            and not before.text.startswith(":::")
        ):
            if HEADING.match(line.text):
                yield BookError(
                    chapter.path, line.number,
                    "no heading without a blank line above it; add one",
                )
            elif re.match(r"(=+|-+)[ \t]*$", line.text):
                yield BookError(
                    chapter.path, line.number,
                    "this makes a heading of the line above; write '## …', "
                    "or leave a blank line between",
                )
        before = line


def resolved(chapter: Chapter, target: str) -> str | None:
    """A link's target as a path from the root of the book."""
    if re.match(r"[a-z][a-z+.-]*:", target, re.I):
        return None
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


# ---------------------------------------------------------------- fences


def fence_faults(chapter: Chapter) -> Iterator[BookError]:
    """Fences and divs left open, and cells inside other fences."""
    fence, opened = None, 0
    for piece in chapter.pieces:
        if isinstance(piece, Cell):
            if fence:
                yield BookError(
                    chapter.path, piece.line,
                    "Quarto runs this cell although it stands inside "
                    "another fence; to show it write ```{{python}}",
                )
            continue
        for number, text in enumerate(piece.text.split("\n"), piece.line):
            match = FENCE.match(text)
            if fence and match and closes(match, fence):
                fence = None
            elif fence and INLINE.search(text):
                yield BookError(
                    chapter.path, number,
                    "Quarto runs this expression although it stands in a "
                    "fence; to show it write `{{python}} …`",
                )
            elif not fence and match and "`" not in match[2]:
                if not CELL_START.match(text):
                    fence, opened = match[1], number
    if fence:
        yield BookError(
            chapter.path, opened, f"this fence is never closed; add {fence}"
        )
    yield from div_faults(chapter)


def div_faults(chapter: Chapter) -> Iterator[BookError]:
    """Divs that are never closed, and ends of none."""
    opened, fence = [], None
    for piece in chapter.pieces:
        if isinstance(piece, Cell):
            continue
        for number, text in enumerate(piece.text.split("\n"), piece.line):
            match = FENCE.match(text)
            if fence:
                if match and closes(match, fence):
                    fence = None
            elif match and "`" not in match[2]:
                fence = match[1]
            elif match := DIV.match(text):
                if match[2]:
                    opened.append(number)
                elif opened:
                    opened.pop()
                else:
                    yield BookError(
                        chapter.path, number,
                        "this ::: closes no div; remove it",
                    )
    for number in opened:
        yield BookError(
            chapter.path, number, "this div is never closed; add :::"
        )


# --------------------------------------------------------------- quizzes


def quiz_faults(chapter: Chapter) -> Iterator[BookError]:
    """Each quiz has one right option, and each option says why."""
    quizzes: dict[int, list[tuple[bool, bool]]] = {}
    for line in chapter.lines():
        div = next((d for d in line.divs if "quiz" in d.classes), None)
        if not div:
            continue
        options = quizzes.setdefault(div.line, [])
        if match := OPTION_ITEM.match(line.text):
            options.append((match[1] != " ", False))
        if options and ".why" in line.text:
            options[-1] = options[-1][0], True
    for number, options in quizzes.items():
        if sum(right for right, _ in options) != 1:
            yield BookError(
                chapter.path, number,
                "a quiz has exactly one right option; mark it '- [x]'",
            )
        if not all(why for _, why in options):
            yield BookError(
                chapter.path, number,
                "an option does not say why; end it with [because …]{.why}",
            )


# --------------------------------------------------------------- outputs


def check_outputs(results: list[Result]) -> None:
    """Raise for results on a page without their class."""
    errors = []
    for result in results:
        for index, outputs in result.outputs.items():
            cell = result.chapter.pieces[index]
            if not isinstance(cell, Cell) or is_figure(cell):
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
