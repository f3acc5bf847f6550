"""Split a chapter into its cells and the markdown between them.

This follows Quarto's rules for where a cell begins and ends, so that both
renderers run the same cells.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from press.errors import BookError

CELL_START = re.compile(r"^([ \t]*)(`{3,})[ \t]*\{python\}[ \t]*$")
CELL_LIKE = re.compile(r"^[ \t]*(`{3,})[ \t]*\{python\b.*\}[ \t]*$")
CELL_OPTION = re.compile(r"^#\s*\| ?(.*)$")
ANNOTATION = re.compile(r"([ \t]*)#[ \t]*<(\d+)>[ \t]*$", re.MULTILINE)
INLINE = re.compile(r"(?<!`)`\{python\}[ \t]+([^`]+)`")

# The same rules, ten times as fast, where libyaml is at hand.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Cell:
    """One executable cell: its options, and its source without them."""

    path: Path
    line: int          # of the opening fence, counted from 1
    indent: str        # of the fence: a cell may stand in a list
    options: dict = field(compare=False)
    option_lines: dict = field(compare=False)
    source: str
    source_line: int   # of the first line of the source

    @property
    def label(self) -> str | None:
        return self.options.get("label")

    @property
    def filename(self) -> str | None:
        return self.options.get("filename")

    @property
    def name(self) -> str:
        """How messages and progress bars call this cell."""
        return self.label or self.filename or f"line {self.line}"

    @property
    def is_figure(self) -> bool:
        return str(self.label or "").startswith("fig-")

    @property
    def is_table(self) -> bool:
        return str(self.label or "").startswith("tbl-")

    @property
    def shows_code(self) -> bool:
        return bool(self.source) and not any(
            self.options.get(option, True) is False
            for option in ("include", "echo")
        )

    @property
    def is_folded(self) -> bool:
        """Whether its code is closed on screen, and left out on paper."""
        return self.options.get("code-fold") is True

    @property
    def annotations(self) -> list[tuple[int, int]]:
        """The number of each mark `# <1>` in the source, and its line."""
        return [
            (int(match[2]),
             self.source_line + self.source.count("\n", 0, match.end()))
            for match in ANNOTATION.finditer(self.source)
        ]

    def line_of(self, option: str) -> int:
        return self.option_lines.get(option, self.line)


@dataclass(frozen=True)
class Text:
    """Markdown between two cells."""

    text: str
    line: int

    def inlines(self) -> Iterator["Inline"]:
        for match in INLINE.finditer(self.text):
            line = self.line + self.text.count("\n", 0, match.start())
            yield Inline(match[1].strip(), line)


@dataclass(frozen=True)
class Inline:
    """An expression in the prose whose value is printed in its place."""

    source: str
    line: int


def parse(text: str, path: Path) -> Iterator[Text | Cell]:
    """Split a chapter into markdown and cells.

    A cell opens with a fence of three or more backticks and `{python}`,
    wherever that stands, and closes with a fence just as long.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = text.replace("\r", "\n").split("\n")
    prose: list[str] = []
    prose_line = 1
    index = front_matter(lines, path)
    if index:
        prose_line = index + 1
    while index < len(lines):
        opening = CELL_START.match(lines[index])
        if not opening:
            if CELL_LIKE.match(lines[index]):
                raise BookError(
                    path, index + 1,
                    "cell options belong on lines of their own; write "
                    "```{python} and below it '#| key: value'",
                )
            prose.append(lines[index])
            index += 1
            continue
        if prose:
            yield Text("\n".join(prose), prose_line)
        indent, ticks = opening[1], len(opening[2])
        closing = re.compile(rf"^[ \t]*`{{{ticks},}}[ \t]*$")
        end = index + 1
        while end < len(lines) and not closing.match(lines[end]):
            if CELL_START.match(lines[end]):
                end = len(lines)
            end += 1
        if end >= len(lines):
            raise BookError(
                path, index + 1,
                f"this cell is never closed; end it with {'`' * ticks}",
            )
        if lines[end].rstrip() != indent + "`" * ticks:
            raise BookError(
                path, end + 1,
                "Quarto does not see that this closes the cell of line "
                f"{index + 1}; indent it like that line and write "
                f"{'`' * ticks}",
            )
        body = [unindented(line, indent) for line in lines[index + 1:end]]
        yield read_cell(path, index + 1, indent, body)
        index = end + 1
        prose, prose_line = [], index + 1
    if prose:
        yield Text("\n".join(prose), prose_line)


def front_matter(lines: list[str], path: Path) -> int:
    """How many lines the YAML block at the head of a file takes."""
    if not lines or lines[0].strip() != "---":
        return 0
    for index, line in enumerate(lines[1:], 1):
        if line.strip() in ("---", "..."):
            return index + 1
    raise BookError(path, 1, "front matter is never closed; end it with ---")


def unindented(line: str, indent: str) -> str:
    """A line of a cell in a list, without the list's indentation."""
    width = 0
    while width < len(indent) and line[width:width + 1] in (" ", "\t"):
        width += 1
    return line[width:]


def read_cell(path: Path, line: int, indent: str, body: list[str]) -> Cell:
    """Separate the options at a cell's head from its source."""
    opened = line
    while body and not body[0].strip():
        body, line = body[1:], line + 1
    option_text: list[str] = []
    for text in body:
        if not (match := CELL_OPTION.match(text)):
            break
        option_text.append(match[1])
    count = len(option_text)
    try:
        options = yaml.load("\n".join(option_text), Loader=LOADER) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = line + 1 + (mark.line if mark else 0)
        raise BookError(
            path, where,
            "this option is not YAML; write '#| key: value' and put quotes "
            "around a value that contains a colon",
        )
    if not isinstance(options, dict):
        raise BookError(
            path, line + 1, "this option has no value; write '#| key: value'"
        )
    option_lines = {}
    for offset, text in enumerate(option_text):
        if match := re.match(r"([\w-]+):", text):
            if match[1] in option_lines:
                raise BookError(
                    path, line + 1 + offset,
                    f"option '{match[1]}' stands here twice; keep one",
                )
            option_lines[match[1]] = line + 1 + offset
    source = body[count:]
    first = line + 1 + count
    while source and not source[0].strip():
        source, first = source[1:], first + 1
    while source and not source[-1].strip():
        source = source[:-1]
    return Cell(
        path, opened, indent, options, option_lines, "\n".join(source), first
    )
