"""Name what a run calls by other names each time.

A kernel compiles each cell under the name of a temporary file with the
number of its process in it; warnings show it. And they show the folder that
the book lies in.
"""

import os
import re
import tempfile

import nbformat

from press.read.book import Book
from press.read.cells import Cell, Inline

TEMPORARY = re.compile(
    rf"(?:{re.escape(tempfile.gettempdir())}|[^\s\"'<>()]*)[/\\]"
    r"ipykernel_\d+[/\\](\d+)\.py")
SHOWN_AS_TEXT = ("text/plain", "text/markdown", "text/html", "text/latex")


def name_steps(
    book: Book, notebook: nbformat.NotebookNode,
    listed: list[Cell | Inline | None],
) -> None:
    """Put into the outputs the name that reproduce has for a cell, "cell 3",
    in the place of its temporary file's; and paths that begin at the book's
    folder in what is said beside the output."""
    texts = [text for node in notebook.cells for output in node.outputs
             for text in texts_of(output)]
    names: dict[str, str] = {}
    if any(TEMPORARY.search(text) for text in texts):
        names = names_by_file(notebook, listed)
    root = f"{book.root.absolute()}{os.sep}"

    def named(text: str) -> str:
        return TEMPORARY.sub(
            lambda match: f"<{names.get(match[1], 'cell')}>", text)

    for node in notebook.cells:
        for output in node.outputs:
            if output.output_type == "stream":
                output.text = named(output.text)
                if output.name == "stderr":
                    output.text = output.text.replace(root, "")
            elif output.output_type == "error":
                output.evalue = named(output.evalue)
                output.traceback = list(map(named, output.traceback))
            else:
                for kind in output.data:
                    if kind in SHOWN_AS_TEXT:
                        output.data[kind] = named(output.data[kind])


def texts_of(output: nbformat.NotebookNode) -> list[str]:
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return [output.evalue, *output.traceback]
    return [output.data[k] for k in SHOWN_AS_TEXT if k in output.data]


def number_of(code: str) -> str:
    """The number that the kernel makes of a cell's code, and calls its
    temporary file by."""
    from ipykernel.compiler import get_tmp_hash_seed, murmur2_x86
    return str(murmur2_x86(code, get_tmp_hash_seed()))


def names_by_file(
    notebook: nbformat.NotebookNode, listed: list[Cell | Inline | None],
) -> dict[str, str]:
    """The names of the steps, by the number of their code; of two equal
    ones the first."""
    names: dict[str, str] = {}
    cells = 0
    for node, step in zip(notebook.cells, listed, strict=True):
        name = "expression"
        if isinstance(step, Cell):
            cells += 1
            name = step.label or f"cell {cells}"
        names.setdefault(number_of(node.source), name)
    return names
