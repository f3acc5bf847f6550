"""Find outputs that would not come out right on a page.

Only a run shows them: they are looked for right after it, and a run that has
one is not kept.
"""

import re
from collections.abc import Iterator

from press.errors import BookError
from press.read.cells import Cell
from press.read.dialect import markdown_fault
from press.run.results import Result

ADDRESS = re.compile(r"<[^<>]*\bat 0x[0-9a-fA-F]{4,}")
OBJECT = re.compile(r"<[\w.]+(?:\.<locals>[\w.]*)* object>")
# The rule below the head of a table: with pipes, with spaces, of a grid.
TABLE = re.compile(
    r"^(?=.*\|)[ \t|:+-]*-[ \t|:+-]*$|^[ \t]*-{2,}(?:[ \t]+-{2,})+[ \t]*$"
    r"|^[ \t]*\+[-=+:]+\+[ \t]*$", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
SVG_DATA, WORDS, PLAIN = "image/svg+xml", "text/markdown", "text/plain"


def output_faults(result: Result) -> Iterator[BookError]:
    """What no page can show of a chapter's outputs, by its cell."""
    for index, outputs in result.outputs.items():
        cell = result.chapter.pieces[index]
        if not isinstance(cell, Cell) or not shows_output(cell):
            continue
        for output in outputs:
            if message := unshown(cell, output):
                yield BookError(cell.path, cell.line, message)
        yield from picture_faults(cell, outputs)


def shows_output(cell: Cell) -> bool:
    return not any(
        cell.options.get(option, True) is False
        for option in ("output", "include", "eval")
    )


def unshown(cell: Cell, output: dict) -> str | None:
    """Why an output cannot stand on every page."""
    if output["output_type"] == "stream":
        if output["name"] == "stderr" and not cell.options.get(
            "warning", True
        ):
            return None
        return addressed(cell, output["text"])
    if output["output_type"] == "error":
        return addressed(cell, output["evalue"])
    data = output.get("data", {})
    if SVG_DATA in data:
        return None
    if WORDS in data:
        fault = markdown_fault(data[WORDS])
        return f"this cell prints Markdown, and {fault}" if fault else None
    kinds = [kind for kind in data if kind != PLAIN]
    for kind in kinds:
        if kind.startswith("image/"):
            return (
                f"this cell shows a picture as {kind}; let matplotlib draw "
                "it as SVG, without %config, or put the file beside the "
                "chapter and write ![what it shows](file)"
            )
    words = data.get(PLAIN, "").strip()
    bare = OBJECT.fullmatch(words) or kinds and ADDRESS.match(words)
    if WIDGET in data or not words and kinds or bare:
        return (
            f"this cell shows {shown_name(words, kinds)}, which a PDF and "
            "an EPUB cannot; print it as text, or show "
            "IPython.display.Markdown(…), a formula between $ and $"
        )
    return addressed(cell, words)


def shown_name(words: str, kinds: list[str]) -> str:
    """How a message calls an output that no page can show."""
    return words[:60] if words.startswith("<") else " and ".join(kinds)


def addressed(cell: Cell, words: str) -> str | None:
    """Why words that hold a place in memory cannot be printed."""
    found = ADDRESS.search(words)
    if not found or cell.options.get("reproduce") == "machine":
        return None
    return (
        f"this cell prints {' '.join(found[0].split())[:60]}…, a place in "
        "memory that is another each time; end the line with ';' or give "
        "it a name, and print what it holds"
    )


def picture_faults(cell: Cell, outputs: list[dict]) -> Iterator[BookError]:
    """A label names one picture or one table, and a picture says what it
    shows."""
    shown = [output.get("data", {}) for output in outputs]
    pictures = sum(SVG_DATA in data for data in shown)
    tables = sum(
        SVG_DATA not in data and bool(TABLE.search(data.get(WORDS, "")))
        for data in shown
    )
    line = cell.line_of("label")
    if cell.is_figure and pictures != 1:
        yield BookError(cell.path, line, number_fault(
            cell, "picture", pictures, "draw it with matplotlib"))
    elif cell.is_table and tables != 1:
        yield BookError(cell.path, line, number_fault(
            cell, "table", tables, "end the cell with "
            "IPython.display.Markdown('| a |\\n|---|\\n| 1 |')"))
    if pictures and not cell.is_figure and not cell.options.get("fig-alt"):
        yield BookError(
            cell.path, cell.line, "this cell shows a picture that says "
            "nothing to those who cannot see it; add '#| fig-alt: …'",
        )


def number_fault(cell: Cell, kind: str, count: int, advice: str) -> str:
    if count:
        return (
            f"'{cell.label}' names one {kind}, and its cell shows {count}; "
            "show each in a cell with a label of its own"
        )
    return (
        f"'{cell.label}' names a {kind}, and its cell shows none; {advice}, "
        "or remove the label"
    )
