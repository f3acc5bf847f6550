"""What a reader takes along: chapters as notebooks, the program as a zip.

The same sources and results give the same bytes, on any machine.
"""

import base64
import os
import re
from pathlib import Path

import nbformat

from press.cache import remembered
from press.pools import workers
from press.read.cells import Cell, Text
from press.read.labels import Label, referring
from press.read.pandoc import READER, pandoc
from press.run.results import Result, escaped
from press.weave.archive import zipped
from press.weave.weave import Woven, WovenBook, filtered, with_values

CODE = "scratch.zip"
WRITER = (
    "markdown_strict+tex_math_dollars+pipe_tables+backtick_code_blocks"
    "+raw_html"
)
KERNEL_FILE = re.compile(  # from a word's start: from within it is slow
    r"(?<![^\s\"'])[^\s\"']*ipykernel_\d+[/\\]+\d+\.py"
)
MARKER = re.compile(r"^[ \t>-]*PRESSCELL(\d+)PRESS[ \t]*$", re.MULTILINE)
PICTURE_TYPES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


def set_takeaways(
    woven: WovenBook, site: Path, cache: Path,
) -> None:
    """Write the notebooks and the zip below `site`."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = site / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    common = woven.inputs(__name__)
    with workers() as pool:
        notebooks = list(pool.map(
            lambda one: notebook(woven, one, cache, common), woven.chapters
        ))
    for one, text in zip(woven.chapters, notebooks, strict=True):
        file = folder / f"{one.chapter.name}.ipynb"
        file.write_text(text, encoding="utf-8", newline="\n")
    (site / CODE).write_bytes(program(woven.book.root))


def program(root: Path) -> bytes:
    """A zip with the package, what draws the figures, and the license."""
    files = [
        *root.glob("LICENSE.md"),
        *(root / "code" / "scratch").rglob("*.py"),
        *(root / "figures").glob("*.py"),
        *(root / "figures").glob("*.json"),
        *(root / "figures").glob("*.mplstyle"),
    ]
    named = {}
    for file in files:
        base = root / "code" if file.is_relative_to(root / "code") else root
        named[file.relative_to(base).as_posix()] = file.read_bytes()
    return zipped(named)


def notebook(
    whole: WovenBook, woven: Woven, cache: Path, common: dict[str, str],
) -> str:
    """A chapter as an executed notebook, in nbformat's JSON."""
    book, chapter, result = whole.book, woven.chapter, woven.result
    pieces: list[str] = []
    known = book.names
    runnable: dict[int, Cell] = {}
    for index, piece in enumerate(chapter.pieces):
        if isinstance(piece, Text):
            text = with_values(piece, index, result)
            pieces.append(text.replace("{{python}}", "{python}"))
        else:
            runnable[index] = piece
            pieces.append(f"\n{piece.indent}PRESSCELL{index}PRESS\n")
            pieces.append(caption(piece, known))
    prose = set_prose(whole, woven, "\n".join(pieces), cache, common)
    cells = [nbformat.v4.new_markdown_cell(
        f"*From {escaped(book.title)}. To run this notebook, unpack "
        f"`{CODE}` beside it: the cells import `scratch`, and those that "
        "draw, `figures`.*",
        id="about",
    )]
    parts = MARKER.split(prose)
    count = 0
    for position, part in enumerate(parts):
        if position % 2:
            count += 1
            cells.append(code_cell(
                runnable[int(part)], int(part), result, count, known,
            ))
        elif part.strip():
            cells.append(nbformat.v4.new_markdown_cell(
                part.strip(), id=f"text-{position}",
            ))
    made = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": {
            "display_name": "Python 3", "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
        "title": book.title_of(chapter),
    })
    nbformat.validate(made)
    return portable(nbformat.writes(made), book.root) + "\n"


def portable(text: str, root: Path) -> str:
    """A text without this machine's folders, as tracebacks have them."""
    text = KERNEL_FILE.sub("<cell>", text)
    return text.replace(f"{root.resolve()}{os.sep}", "").replace(
        f"{root}{os.sep}", "")


def caption(cell: Cell, labels: dict[str, Label]) -> str:
    """The number and caption of what a cell shows, in a line below it."""
    words = cell.options.get("fig-cap") or cell.options.get("tbl-cap")
    label = labels.get(str(cell.label))
    if not words or not label:
        return ""
    return f"{cell.indent}**{label.reference}.** {words}\n"


def code_cell(
    cell: Cell, index: int, result: Result, count: int,
    labels: dict[str, Label],
) -> nbformat.NotebookNode:
    node = nbformat.v4.new_code_cell(cell.source, id=f"cell-{index}")
    if cell.filename:
        node.metadata["filename"] = cell.filename
    if "reproduce" in cell.options:
        node.metadata["reproduce"] = cell.options["reproduce"]
    if cell.is_folded or not cell.options.get("echo", True):
        node.metadata["jupyter"] = {"source_hidden": True}
    if cell.options.get("error"):
        node.metadata["tags"] = ["raises-exception"]
    node.execution_count = count
    for output in result.outputs.get(index, []):
        output = nbformat.from_dict(dict(output))
        if "execution_count" in output:
            output["execution_count"] = count
        if "text/markdown" in output.get("data", {}):
            output.data["text/markdown"] = referring(
                output.data["text/markdown"], labels
            )
        node.outputs.append(output)
    return node


def embedded(woven: Woven) -> dict[str, str]:
    """The pictures from files, which stand in a notebook's text itself, by
    their names in the chapter."""
    return {
        target: f"data:{PICTURE_TYPES[Path(name).suffix]};base64,"
        + base64.b64encode(woven.pictures[name]).decode()
        for target, name in woven.renamed.items()
    }


def set_prose(
    whole: WovenBook, woven: Woven, text: str, cache: Path,
    common: dict[str, str],
) -> str:
    """The chapter's words as plain markdown, references resolved."""
    chapter = woven.chapter
    data = whole.told(
        [woven], lambda label: f"#{label.id}", renamed=embedded(woven))

    def make() -> bytes:
        data_file = cache / f"{chapter.name}.labels.json"
        data_file.write_text(data, encoding="utf-8")
        return pandoc(
            chapter.path, text, "--from", READER, "--to", WRITER,
            "--wrap=none", "--markdown-headings=atx",
            *filtered(data_file), *whole.book.resolving(),
            "--lua-filter", str(Path(__file__).with_name("words.lua")),
        ).encode()

    return remembered(cache, chapter.name, {
        **common, "text": text, "data": data,
    }, make).decode()
