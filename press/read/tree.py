"""pandoc's syntax tree: nodes `{"t": kind, "c": content}`, and their words."""

from typing import Any

from press.read.document import KINDS

HIDDEN = "\ue000"   # in words, for what is none: code, formulas, sources
Node = Any


def quiz_options(blocks: list[Node]) -> tuple[tuple[bool, bool], ...]:
    """The options of a quiz: which are right, and which say why."""
    return tuple(
        (starts_with(item) == "☒", holds_why(item))
        for block in blocks if block["t"] == "BulletList"
        for item in block["c"] if starts_with(item) in ("☐", "☒")
    )


def starts_with(item: list[Node]) -> str:
    """The first word of an item in a list; a box to tick is one."""
    match item:
        case [{"t": "Plain" | "Para", "c": [{"t": "Str", "c": word}, *_]}, *_]:
            return word
    return ""


def holds_why(node: Node) -> bool:
    if isinstance(node, list):
        return any(map(holds_why, node))
    if not isinstance(node, dict):
        return False
    if node.get("t") == "Span" and "why" in node["c"][0][1]:
        return True
    return holds_why(node.get("c"))


def referred(node: Node) -> str:
    """The section that a reference or a link leads to, or ""."""
    if node["t"] == "Cite" and len(node["c"][0]) == 1:
        key = node["c"][0][0]["citationId"]
    elif node["t"] == "Link":
        key = node["c"][2][0].partition("#")[2]
    else:
        return ""
    return key if key.startswith("sec-") else ""


def is_label(key: str) -> bool:
    """Whether what `@` names is of the book, and not a source."""
    kind, hyphen, _ = key.partition("-")
    return kind in KINDS and bool(hyphen)


def words_of(node: Node, breaks: str = "\n", hidden: str = HIDDEN) -> str:
    """The words of inlines; what is no word leaves a mark."""
    if isinstance(node, list):
        return "".join(words_of(one, breaks, hidden) for one in node)
    if not isinstance(node, dict):
        return ""
    match node:
        case {"t": "Str", "c": text}:
            return text
        case {"t": "Space"}:
            return " "
        case {"t": "SoftBreak" | "LineBreak"}:
            return breaks
        case {"t": "Code" | "Math", "c": [_, text]}:
            return hidden or text
        case {"t": "Cite", "c": [citations, _]} if all(
            is_label(one["citationId"]) for one in citations
        ):
            return hidden + "".join(
                words_of(one[part], breaks, hidden) for one in citations
                for part in ("citationPrefix", "citationSuffix"))
        case {"t": "Cite" | "RawInline" | "Note"}:
            return hidden
        case {"t": "Link" | "Image" | "Span", "c": [_, inlines, *_]}:
            return words_of(inlines, breaks, hidden)
        case {"t": "Quoted", "c": [_, inlines]}:
            return f'"{words_of(inlines, breaks, hidden)}"'
    return words_of(node.get("c"), breaks, hidden)


def stringify(inlines: list[Node]) -> str:
    """The words of inlines in a line, code and formulas as written."""
    return words_of(inlines, " ", "")
