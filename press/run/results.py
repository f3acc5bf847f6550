"""What the cells and the expressions of a chapter gave."""

import ast
import re
from dataclasses import dataclass

import nbformat

from press.errors import BookError
from press.read.cells import Inline
from press.read.chapters import Chapter
from press.run.steps import name_of, steps

# What gives a terminal colors, and would be printed as [31m.
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class Result:
    """An executed chapter: the outputs of its cells and expressions."""

    chapter: Chapter
    outputs: dict[int, list[dict]]     # by the index of the piece
    values: dict[tuple[int, int], str]  # by piece and expression
    notebook: nbformat.NotebookNode
    fresh: bool                        # ran now, not from the cache


def collect(
    chapter: Chapter, notebook: nbformat.NotebookNode, fresh: bool
) -> Result:
    outputs: dict[int, list[dict]] = {}
    values: dict[tuple[int, int], str] = {}
    cells = {node.id: node for node in notebook.cells}
    for key, step in steps(chapter):
        node = cells[name_of(key)]
        if isinstance(step, Inline):
            values[key] = inline_value(chapter, step, node.outputs)
        else:
            outputs[key[0]] = merged(node.outputs)
    return Result(chapter, outputs, values, notebook, fresh)


def merged(outputs: list) -> list[dict]:
    """Outputs with neighbouring pieces of one stream joined."""
    result: list[dict] = []
    for output in outputs:
        last = result[-1] if result else None
        if (
            last and output.output_type == "stream" == last["output_type"]
            and output.name == last["name"]
        ):
            last["text"] += output.text
        else:
            result.append(dict(output))
    return result


def inline_value(chapter: Chapter, inline: Inline, outputs: list) -> str:
    """An expression's value as markdown, as Quarto prints it."""
    for output in outputs:
        if output.output_type == "execute_result":
            data = output.data
            if "text/markdown" in data:
                return data["text/markdown"].strip()
            return escaped(unquoted(data["text/plain"]))
    raise BookError(
        chapter.path, inline.line,
        f"`{{python}} {inline.source}` has no value to print",
    )


def uncolored(text: str) -> str:
    """A text without what gives a terminal colors."""
    return TERMINAL.sub("", text)


def unquoted(text: str) -> str:
    """The repr of a string as the string; anything else as it is."""
    if text[:1] in "'\"":
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            pass
    return text


def escaped(text: str) -> str:
    """A value as plain text: none of its characters is markdown."""
    return re.sub(
        r"([\\`*_{}\[\]<>#$~^|@&'\"]|-(?=-)|\.(?=\.))", r"\\\1", text
    )
