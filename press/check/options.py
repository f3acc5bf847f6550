"""Find what is wrong with the cells: options, width, marks, captions."""

import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath

from press.errors import BookError
from press.read.cells import ANNOTATION, Cell
from press.read.document import Shown
from press.weave.shared import CIRCLED, MARKS

COLUMNS = 72
MOST_NOTES = len(CIRCLED)
OPTIONS = {
    "label", "filename", "reproduce", "tolerance", "fig-cap", "fig-alt",
    "tbl-cap", "echo", "eval", "output", "include", "error", "warning",
    "alone", "reads", "code-fold", "code-summary",
}
TAKEN = {
    "export": "aborts Quarto's render",
    "file": "means something else to Quarto",
}
FLAGS = {"echo", "eval", "output", "include", "error", "warning", "alone",
         "code-fold"}
# In code, formulas and behind a backslash brackets are free.
NO_BRACKETS = re.compile(r"\\.|(`+).*?\1|\$[^$]+\$", re.DOTALL)
Fault = Callable[[str, str], BookError]  # of an option and a message


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
    if message := reads_fault(cell.options.get("reads", [])):
        yield fault("reads", message)
    yield from reproduce_faults(cell, fault)
    yield from float_faults(cell, fault)
    yield from wording_faults(cell, fault)
    yield from folding_faults(cell, fault)
    for offset, source in enumerate(cell.source.split("\n")):
        line = ANNOTATION.sub(r"\1# ①", source)  # as it is printed
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


def reads_fault(value: object) -> str | None:
    """What is wrong with the files that a cell says its programs read."""
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str) or not one.strip():
            return "'reads' is a file, a pattern or a list of these"
        if PurePath(one).is_absolute() or ".." in PurePath(one).parts:
            return f"'{one}' is not below the book's folder; write a path " \
                "that begins there, such as book/x.csv"
    return None


def reproduce_faults(cell: Cell, fault: Fault) -> Iterator[BookError]:
    value = cell.options.get("reproduce")
    tolerance = cell.options.get("tolerance")
    if value is not None and value not in MARKS:
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
    if cell.is_figure:
        for option in ("fig-cap", "fig-alt"):
            if not cell.options.get(option):
                yield fault(
                    "label", f"the figure '{cell.label}' lacks {option}; add "
                    f"'#| {option}: …'",
                )
    if cell.is_table and not cell.options.get("tbl-cap"):
        yield fault(
            "label", f"the table '{cell.label}' lacks tbl-cap; add "
            "'#| tbl-cap: …'",
        )
    for option in ("eval", "output", "include"):
        if cell.options.get(option, True) is False and (
            cell.is_figure or cell.is_table
        ):
            yield fault(
                option, f"'{option}: false' leaves '{cell.label}' without "
                "what it names; remove this line, or the label",
            )


def wording_faults(cell: Cell, fault: Fault) -> Iterator[BookError]:
    """Captions that stand nowhere, or would end too soon."""
    for option, there, kind in (
        ("fig-cap", cell.is_figure, "fig"), ("tbl-cap", cell.is_table, "tbl"),
    ):
        if option in cell.options and not there:
            yield fault(
                option, f"a {option} is printed only where the cell has a "
                f"label {kind}-…; add '#| label: {kind}-…'",
            )
    for option in ("fig-cap", "tbl-cap", "fig-alt"):
        words = cell.options.get(option)
        if words is None or isinstance(words, int | float) and (
            not isinstance(words, bool)
        ):
            continue
        if not isinstance(words, str):
            yield fault(
                option, f"'{option}' is text; write '#| {option}: words', "
                "and a cell for each picture",
            )
        elif option != "fig-alt" and not balanced(words):
            yield fault(
                option, "a bracket in this caption lacks its other one; "
                "add it, or write \\[ and \\]",
            )


def folding_faults(cell: Cell, fault: Fault) -> Iterator[BookError]:
    """A fold says what is in it, or nobody would open it."""
    summary = cell.options.get("code-summary")
    if "code-summary" in cell.options and (
        not isinstance(summary, str) or not summary.strip()
    ):
        yield fault("code-summary", "'code-summary' is text; say in a few "
                    "words what the code does")
    if cell.is_folded and "code-summary" not in cell.options:
        yield fault("code-fold", "what is folded away here? add "
                    "'#| code-summary: …'")
    if "code-summary" in cell.options and not cell.is_folded:
        yield fault("code-summary", "nothing is folded here; add "
                    "'#| code-fold: true', or remove this line")
    if cell.is_folded and cell.annotations:
        yield BookError(
            cell.path, cell.annotations[0][1],
            "paper leaves this cell out, and a note would speak of a line "
            "of it; remove the mark, or 'code-fold'",
        )


def balanced(words: str) -> bool:
    """Whether each bracket of a Markdown text has its other one."""
    depth = 0
    for bracket in re.findall(r"[][]", NO_BRACKETS.sub("", words)):
        depth += 1 if bracket == "[" else -1
        if depth < 0:
            return False
    return not depth


def annotation_faults(shown: Shown) -> Iterator[BookError]:
    """Marks `# <1>` that no item of a list below speaks of, and items that
    speak of no line."""
    cell, marks = shown.cell, shown.cell.annotations
    if not marks or not cell.shows_code:
        return
    if shown.notes is None:
        yield BookError(
            cell.path, marks[0][1],
            "lines marked # <1> need a numbered list below their cell",
        )
        return
    for number, line in marks:
        if not 1 <= number <= MOST_NOTES:
            yield BookError(
                cell.path, line,
                f"marks go from # <1> to # <{MOST_NOTES}>, and this is "
                f"# <{number}>; split the cell, or mark fewer lines",
            )
        elif number > shown.notes:
            yield BookError(
                cell.path, line,
                f"no item {number} speaks of the line marked # <{number}>",
            )
    for number in range(1, min(shown.notes, MOST_NOTES) + 1):
        if number not in {number for number, _ in marks}:
            yield BookError(
                cell.path, cell.line, f"no line is marked # <{number}>, and "
                f"the list below has an item {number}",
            )
