"""Read a chapter: what pandoc finds in it, and the line of each thing.

pandoc reads a chapter once, with the reader that sets it on the page, its
cells as empty blocks. It does not say on which lines things stand. So the
scanner of blocks stamps headings, divs and cells with theirs (both must find
the same ones, or the chapter is not understood), and what stands in a
sentence is looked for between two stamps.
"""

import json
import pickle
import re
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any

from press.cache import own_files, remembered
from press.errors import BookError
from press.read.cells import Cell, Text
from press.read.chapters import Chapter
from press.read.dialect import (
    NO_METADATA,
    NO_TABLE,
    UNMEANT,
    UNSEEN,
    code_fault,
    div_fault,
    formula_fault,
    stray_marks,
    warning_fault,
)
from press.read.document import (
    BRACKETED,
    KINDS,
    Anchor,
    Definition,
    Div,
    Document,
    Formula,
    Heading,
    Image,
    Link,
    Part,
    Prose,
    Quiz,
    Reference,
    Shown,
    Span,
    Value,
    find,
    spaced,
    to,
)
from press.read.pandoc import READER, pandoc_warned, program_version
from press.read.plain import plain_inlines, unset_formulas
from press.read.refusals import Refusals
from press.read.scan import Stamp
from press.read.tree import (
    HIDDEN,
    Node,
    is_label,
    quiz_options,
    referred,
    stringify,
    words_of,
)

CAPTIONS = ("fig-cap", "tbl-cap")
CELL = "press-cell"
CAPTION = "press-caption"
EQUATION = re.compile(r"\{#(eq-[\w-]+)\}")
VALUE = re.compile(r"\{python\}\s+(.*)", re.DOTALL)
BEARERS = {("Figure", "fig"), ("Table", "tbl")}


def readers() -> dict[str, str]:
    """What reads the chapters: inputs of the cache that all of them have."""
    return {
        "press": own_files(__name__, ".lua"), "pandoc": program_version(),
    }


def read_document(
    root: Path, chapter: Chapter, common: dict[str, str]
) -> Document:
    """The chapter as pandoc reads it; from the cache where it is known."""
    parts = remembered(root / ".cache" / "read", chapter.name, {
        **common, "path": chapter.path.as_posix(), "text": chapter.text,
    }, lambda: pickle.dumps(Reader(chapter).read()))
    return Document(chapter, pickle.loads(parts))


def marked(chapter: Chapter) -> tuple[str, list[int]]:
    """The chapter for pandoc, each cell a div with its captions in it; and
    of each line the one that it stands on in the chapter."""
    lines: list[str] = []
    numbers: list[int] = []
    for index, piece in enumerate(chapter.pieces):
        if isinstance(piece, Text):
            texts = piece.text.split("\n")
            lines += texts
            numbers += range(piece.line, piece.line + len(texts))
            continue
        block = ["", f":::::::: {{.{CELL} n={index}}}"]
        for option in CAPTIONS:
            if words := " ".join(str(piece.options.get(option, "")).split()):
                block += [f"::::::: {{.{CAPTION} of={option}}}", words,
                          ":::::::", ""]
        block += ["::::::::", ""]
        lines += [piece.indent + line if line else "" for line in block]
        numbers += [piece.line] * len(block)
    return "\n".join(lines), numbers


class Reader(Refusals):
    """Goes through pandoc's tree of one chapter and notes its parts."""

    def __init__(self, chapter: Chapter) -> None:
        super().__init__()
        self.chapter = chapter
        self.stamps = chapter.scan.stamps
        self.passed = 0                      # stamps that are behind us
        self.fixed = 0                       # the line of a cell's caption
        self.met = Counter[tuple[int, str]]()
        self.equations: dict[int, str] = {}  # the labels, by their node's id
        self.formulas: list[tuple[Node, int]] = []
        # Parts whose words pandoc has yet to make plain, by their place.
        self.later: list[tuple[int, list[list[Node]], Any]] = []

    def read(self) -> tuple[Part, ...]:
        text, numbers = marked(self.chapter)
        told, warnings = pandoc_warned(
            self.chapter.path, text, "--from", READER, "--to", "json")
        tree = json.loads(told)
        self.walk(tree["blocks"])
        if self.passed < len(self.stamps):
            raise self.misread(self.stamps[self.passed])
        for warning in warnings:
            line, message, pattern = warning_fault(warning)
            line = numbers[min(line, len(numbers)) - 1]
            if pattern:
                line = find(self.chapter, pattern, 1, line + 1, 1)
            self.refuse(line, message)
        for position in unset_formulas(
            tree["pandoc-api-version"], [node for node, _ in self.formulas]
        ):
            node, line = self.formulas[position]
            self.refuse(line, formula_fault(node["c"][1]))
        if tree["meta"]:
            self.refuse(self.line_of(r"(?m)^(?:---|%)"), NO_METADATA)
        asked = [inlines for _, lists, _ in self.later for inlines in lists]
        said = iter(plain_inlines(tree["pandoc-api-version"], asked))
        for position, lists, make in self.later:
            self.parts[position] = make(*(next(said) for _ in lists))
        return tuple(part for part in self.parts if part)

    # ------------------------------------------------------------ the tree

    def walk(self, node: Node) -> None:
        if isinstance(node, list):
            for one, after in zip_longest(node, node[1:]):
                if isinstance(one, dict) and one.get("t") == "Div":
                    self.div(one, after)
                else:
                    self.walk(one)
        elif isinstance(node, dict) and "t" in node:
            self.look_at_attributes(node)
            visit = getattr(self, node["t"].lower(), None)
            if visit:
                visit(node)
            else:
                self.walk(node.get("c"))

    def div(self, node: Node, after: Node) -> None:
        identifier, classes, attributes = node["c"][0]
        named = dict(attributes)
        if CELL in classes:
            cell = self.chapter.pieces[int(named["n"])]
            assert isinstance(cell, Cell)
            line = self.pass_stamp("cell")
            notes = None
            self.look_at_title()
            if isinstance(after, dict) and after.get("t") == "OrderedList":
                notes = len(after["c"][1])
            self.parts.append(Shown(line, self.within, cell, notes))
            for caption in node["c"][1]:
                option = dict(caption["c"][0][2])["of"]
                self.fixed, self.place = cell.line_of(option), "caption"
                self.walk(caption["c"][1])
                self.fixed, self.place = 0, "text"
            return
        line = self.pass_stamp("div", identifier)
        self.look_at_attributes(node)
        if message := div_fault(classes, named):
            self.refuse(line, message)
        div = Div(line, self.within, identifier, tuple(classes), named)
        self.parts.append(div)
        self.parts += [
            Prose(line, self.within, words, (line, line + 1), "attribute")
            for words in named.values()
        ]
        for words in named.values():
            for _, message in stray_marks(words):
                self.refuse(line, message)
        around, self.within = self.within, (*self.within, div)
        place = len(self.parts)
        self.parts.append(None)
        self.walk(node["c"][1])
        end = self.pass_stamp("end")
        if "quiz" in classes:
            self.parts[place] = Quiz(
                line, self.within, end, quiz_options(node["c"][1]))
        self.within = around

    def header(self, node: Node) -> None:
        level, (identifier, classes, _), inlines = node["c"]
        line = self.pass_stamp("heading", identifier, words_of(inlines))
        own = self.stamps[self.passed - 1].id
        within = self.within
        self.look_at_heading(line, level, inlines)
        self.later.append((len(self.parts), [inlines], lambda title: Heading(
            line, within, level, own, tuple(classes), title)))
        self.parts.append(None)
        self.place = "heading"
        self.prose(inlines)
        self.place = "text"

    def para(self, node: Node) -> None:
        inlines = node["c"]
        self.look_at_title()
        first = inlines[0] if inlines else {}
        if first.get("t") == "Span" and "entry" in first["c"][0][1]:
            self.definition(first, inlines[1:])
        for one, *rest in (inlines[n:n + 3] for n in range(len(inlines))):
            if one["t"] == "Math" and one["c"][0]["t"] == "DisplayMath":
                if rest and rest[0]["t"] in ("Space", "SoftBreak"):
                    rest = rest[1:]
                text = rest[0]["c"] if rest and rest[0]["t"] == "Str" else ""
                if match := EQUATION.match(text):
                    self.equations[id(one)] = match[1]
        self.prose(inlines)

    plain = para

    def definition(self, span: Node, rest: list[Node]) -> None:
        (identifier, _, attributes), name = span["c"]
        section = ""
        if len(rest) > 1 and rest[-1] == {"t": "Str", "c": "."}:
            section = referred(rest[-2])
            rest = rest[:-2] if section else rest
        line, within = self.line_of(rf"#{re.escape(identifier)}(?![\w-])"), (
            self.within)
        also = dict(attributes).get("also", "")
        self.later.append((len(self.parts), [name, rest], lambda name, text:
            Definition(line, within, identifier, name, also, text, section)))
        self.parts.append(None)

    def table(self, node: Node) -> None:
        identifier = node["c"][0][0]
        self.anchor(identifier)
        kind, _, _ = identifier.partition("-")
        if kind in KINDS and (node["t"], kind) not in BEARERS:
            line = self.line_of(rf"#{re.escape(identifier)}(?![\w-])")
            self.refuse(line, (
                f"'{identifier}' is no label of a {node['t'].lower()}; "
                "write fig-… for an image and tbl-… for a table"))
        self.captioned = True
        self.walk(node["c"][1])
        self.captioned = False
        self.walk(node["c"][2:])

    figure = table

    def definitionlist(self, node: Node) -> None:
        for term, meanings in node["c"]:
            self.prose(term)
            self.walk(meanings)

    def lineblock(self, node: Node) -> None:
        for line in node["c"]:
            self.prose(line)
            if (text := words_of(line)).endswith("|"):
                self.refuse(self.line_of(spaced(text)), (
                    f"this is no table; {NO_TABLE}"))

    # -------------------------------------------------------- in sentences

    def prose(self, inlines: list[Node]) -> None:
        """Note the words of a block, then what stands among them."""
        text = words_of(inlines)
        for label in self.equations.values():
            text = text.replace(f"{{#{label}}}", HIDDEN, 1)
        lines = (self.fixed, self.fixed + 1) if self.fixed else self.region()
        first = re.match(r"(?:\w+\s*)+", text)
        line = find(self.chapter, spaced(first[0]) if first else "$^", *lines)
        self.parts.append(Prose(
            self.fixed or line, self.within, text, lines, self.place))
        for mark, message in stray_marks(text):
            if at := self.line_among(lines, line, mark):
                self.refuse(at, message)
        self.walk(inlines)

    def cite(self, node: Node) -> None:
        citations = node["c"][0]
        for number, citation in enumerate(citations):
            key = citation["citationId"]
            line = self.line_of(rf"@\{{?{re.escape(key)}(?!\w)")
            if is_label(key) and (
                citation["citationPrefix"] or citation["citationSuffix"]
            ):
                self.refuse(line, (
                    "the words beside a reference in brackets are lost; "
                    f"write them around it, as in 'see [@{key}]'"))
            self.parts.append(Reference(
                line, self.within, key, number == 0 and len(citations) > 1))
            self.walk(citation["citationPrefix"])
            self.walk(citation["citationSuffix"])

    def link(self, node: Node) -> None:
        _, inlines, (target, _) = node["c"]
        self.parts.append(Link(
            self.line_of(to(target)), self.within, target))
        self.walk(inlines)

    def image(self, node: Node) -> None:
        (identifier, _, attributes), caption, (target, _) = node["c"]
        line = self.line_of(to(target))
        says = dict(attributes).get("alt") or words_of(caption)
        self.parts.append(Image(line, self.within, target, says))
        self.anchor(identifier)
        for name in dict(attributes).keys() - {"alt"}:
            self.refuse(line, (
                f"'{name}' of an image is not read in all formats; set its "
                "size in the file, and what it shows as alt=\"…\""))
        if identifier.partition("-")[0] in KINDS:
            self.refuse(line, (
                "an image in a sentence bears no number; give it a caption "
                "and a paragraph of its own"))
        self.walk(caption)

    def span(self, node: Node) -> None:
        (identifier, classes, attributes), inlines = node["c"]
        line = self.line_of(BRACKETED + r"\{" + (
            rf"[^{{}}]*\.{re.escape(classes[0])}\b" if classes else ""))
        self.parts.append(Span(
            line, self.within, identifier, tuple(classes), dict(attributes),
            stringify(inlines), self.place))
        self.walk(inlines)

    def code(self, node: Node) -> None:
        if message := code_fault(node["c"][1]):
            self.refuse(self.line_of(re.escape(
                node["c"][1].split()[0])), message)
        if match := VALUE.fullmatch(node["c"][1]):
            line = self.line_of(r"`\{python\}\s+" + spaced(match[1]) + r"\s*`")
            self.parts.append(Value(line, self.within, match[1], self.place))

    def math(self, node: Node) -> None:
        first = node["c"][1].strip().split("\n")[0]
        self.formulas.append((node, self.fixed or find(
            self.chapter, spaced(first), *self.region())))
        self.parts.append(Formula(
            self.fixed or self.region()[0], self.within, node["c"][1]))
        self.anchor(self.equations.pop(id(node), ""))

    def anchor(self, identifier: str) -> None:
        if identifier:
            self.parts.append(Anchor(
                self.line_of(rf"#{re.escape(identifier)}(?![\w-])"),
                self.within, identifier))

    # ---------------------------------------------------------------- lines

    def pass_stamp(self, kind: str, mine: str = "", words: str = "") -> int:
        """The line of the next stamp, which must be of this kind and
        bear my id, if it bears one."""
        stamp = self.stamps[self.passed] if (
            self.passed < len(self.stamps)) else None
        if not stamp or stamp.kind != kind or stamp.id not in ("", mine):
            raise self.misread(stamp, kind, words)
        self.passed += 1
        return stamp.line

    def misread(
        self, stamp: Stamp | None, kind: str = "", words: str = ""
    ) -> BookError:
        """Where the scanner and pandoc part; `kind` is what pandoc has."""
        if stamp and (not kind or kind == "end" or stamp.kind in (
            "heading", "cell",
        )):
            line, message = stamp.line, UNSEEN[stamp.kind]
        else:
            first = re.escape(next(iter(words.split()), ""))
            line = find(self.chapter, rf"<div\b|{first or '$^'}" if (
                kind == "div") else first, *self.region())
            message = UNMEANT.get(kind, UNMEANT["div"])
        return BookError(self.chapter.path, line, message)

    def region(self) -> tuple[int, int]:
        """The lines from the last stamp to the next."""
        start = self.stamps[self.passed - 1].line if self.passed else 1
        end = len(self.chapter.scan.shown) + 1
        if self.passed < len(self.stamps):
            end = self.stamps[self.passed].line
        return start, max(end, start + 1)

    def line_among(
        self, lines: tuple[int, int], first: int, mark: str
    ) -> int:
        """The line of the next such mark in a block that begins on the line
        `first`, or 0 where it is written with backslashes, as meant. The
        line of a heading or a div is none of its text."""
        if self.fixed:
            return self.fixed
        if self.place == "text" and self.passed:
            first = max(first, lines[0] + 1)
        nth = self.met[first, mark]
        self.met[first, mark] += 1
        written = re.escape(mark)
        for dash, hyphens in (("—", "---"), ("–", "--"), ("…", r"\.\.\.")):
            written = written.replace(dash, f"(?:{dash}|{hyphens})")
        written = rf"(?<!\\){written}"
        if not re.search(written, "\n".join(self.chapter.scan.shown)):
            return 0
        return find(self.chapter, written, first, lines[1], nth)

    def line_of(self, pattern: str) -> int:
        """The line of the next match of a pattern; of equal ones in a
        region pandoc meets the first first."""
        if self.fixed:
            return self.fixed
        start, end = self.region()
        nth = self.met[start, pattern]
        self.met[start, pattern] += 1
        return find(self.chapter, pattern, start, end, nth)
