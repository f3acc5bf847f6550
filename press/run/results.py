"""What the cells and the expressions of a chapter gave."""

import ast
import re
from dataclasses import dataclass

import nbformat

from press.errors import BookError
from press.read.cells import Inline
from press.read.chapters import Chapter
from press.read.dialect import markdown_fault
from press.run.screen import GOES_ON, left_on_screen
from press.run.steps import name_of, steps

# What says of an object no more than that it is one.
UNSAID = re.compile(r"<[^<>]* object>|<[^<>]* at 0x[0-9a-fA-F]{4,}>")


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
    """Outputs with neighbouring pieces of one stream joined, each as it is
    when the cell has ended."""
    result: list[dict] = []
    for output in outputs:
        last = stream_before(output, result)
        if last is not None:
            last["text"] += output.text
        else:
            result.append(dict(output))
    return [one for one in map(settled, result) if one is not None]


def stream_before(output: dict, before: list[dict]) -> dict | None:
    """The piece of a stream that an output goes on from: its neighbour, or
    a progress bar that other words have come after."""
    if output["output_type"] != "stream":
        return None
    mine = [one for one in before if one["output_type"] == "stream"
            and one["name"] == output["name"]]
    near = before[-1:] if not GOES_ON.match(output["text"]) else mine[-1:]
    return next((one for one in near if one in mine), None)


def settled(output: dict) -> dict | None:
    """An output without what only a terminal obeys; none where nothing is
    left of it."""
    if output["output_type"] == "stream":
        text = left_on_screen(output["text"])
        if output["text"] and not text.strip() and text != output["text"]:
            return None
        return {**output, "text": text}
    data = output.get("data", {})
    words = {kind: left_on_screen(body) for kind, body in data.items()
             if kind in ("text/plain", "text/markdown")}
    if words:
        return {**output, "data": {**data, **words}}
    if output["output_type"] == "error":
        return {**output, "evalue": left_on_screen(output["evalue"])}
    return output


def inline_value(chapter: Chapter, inline: Inline, outputs: list) -> str:
    """An expression's value as markdown, as Quarto prints it."""
    data: dict[str, str] = next((output.data for output in outputs
                 if output.output_type == "execute_result"), {})
    if "text/markdown" in data:
        value = left_on_screen(data["text/markdown"]).strip()
        wrong = markdown_fault(value)
        said = f"has a value in Markdown, and {wrong}" if wrong else ""
        if "\n\n" in value:
            said = "has several paragraphs; print it in a cell of its own"
    elif "text/plain" in data:
        words = left_on_screen(unquoted(data["text/plain"]))
        value = escaped(" ".join(words.splitlines()))
        said = f"is {words[:60]}, an object; print what it holds" if (
            UNSAID.search(words)) else ""
    else:
        said = "has no value to print"
    if said:
        raise BookError(
            chapter.path, inline.line, f"`{{python}} {inline.source}` {said}")
    return value


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
