"""Read the book: chapters in reading order, and what each is made of.

This is the only parser of `.qmd` files. It follows Quarto's rules for
where a cell begins and ends, so that both renderers run the same cells.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from press.errors import BookError
from press.read.edition import read_version

CELL_START = re.compile(r"^([ \t]*)(`{3,})[ \t]*\{python\}[ \t]*$")
CELL_LIKE = re.compile(r"^[ \t]*(`{3,})[ \t]*\{python\b.*\}[ \t]*$")
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})(.*)$")
OPTION = re.compile(r"^#\s*\| ?(.*)$")
INLINE = re.compile(r"(?<!`)`\{python\}[ \t]+([^`]+)`")
HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*$")
ATTRIBUTES = re.compile(r"[ \t]*\{([^{}]*)\}[ \t]*$")
DIV = re.compile(r"^[ \t]*(:{3,})[ \t]*(.*?)[ \t]*:*[ \t]*$")
IDENTIFIER = re.compile(r"#([^\s}]+)")
BRACKETED = r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"

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


@dataclass(frozen=True)
class Line:
    """A line of prose outside every code fence, with the divs around it."""

    number: int
    text: str
    divs: tuple["Div", ...]


@dataclass(frozen=True)
class Div:
    """A fenced div that is open at some line: `::: {#exr-one .solution}`."""

    attributes: str
    line: int

    @property
    def identifier(self) -> str | None:
        found = IDENTIFIER.search(self.attributes)
        return found[1] if found else None

    @property
    def classes(self) -> frozenset[str]:
        bare = self.attributes.strip("{} ")
        if not self.attributes.startswith("{"):
            return frozenset(bare.split())
        return frozenset(re.findall(r"(?:^|\s)\.([\w-]+)", bare))


@dataclass(frozen=True)
class Chapter:
    """One `.qmd` file: its place in the book and its pieces in order."""

    path: Path         # relative to the root of the book
    number: str        # "1", "A", or "" where the book does not number it
    part: str | None
    appendix: bool
    text: str
    pieces: tuple[Text | Cell, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def page(self) -> str:
        """Its page, relative to the root of the site, as Quarto has it."""
        return self.path.with_suffix(".html").as_posix()

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(p for p in self.pieces if isinstance(p, Cell))

    @cached_property
    def heading(self) -> tuple[str, str]:
        """The title of the chapter and the attributes after it."""
        for line in self.lines():
            if (match := HEADING.match(line.text)) and match[1] == "#":
                return split_attributes(match[2])
        raise BookError(self.path, 1, "no title; begin with '# Title'")

    @property
    def title(self) -> str:
        return self.heading[0]

    def lines(self) -> tuple[Line, ...]:
        """The lines of prose, outside front matter, cells and fences."""
        return self._lines

    @cached_property
    def _lines(self) -> tuple[Line, ...]:
        return tuple(self._read_lines())

    def _read_lines(self) -> Iterator[Line]:
        fence = None
        divs: list[Div] = []
        for piece in self.pieces:
            if isinstance(piece, Cell):
                continue
            for number, text in enumerate(
                piece.text.split("\n"), piece.line
            ):
                match = FENCE.match(text)
                if fence:
                    if match and closes(match, fence):
                        fence = None
                    continue
                if match and "`" not in match[2]:
                    fence = match[1]
                    continue
                if match := DIV.match(text):
                    if match[2]:
                        divs.append(Div(match[2], number))
                        yield Line(number, text, tuple(divs))
                    elif divs:
                        divs.pop()
                    continue
                yield Line(number, text, tuple(divs))

    def paragraphs(self) -> Iterator[tuple[int, str]]:
        """Lines of prose with no blank one between, and where they begin."""
        start = 0
        run: list[str] = []
        for line in self.lines():
            if run and (
                line.number != start + len(run) or not line.text.strip()
            ):
                yield start, "\n".join(run)
                run = []
            if line.text.strip():
                start = start if run else line.number
                run.append(line.text)
        if run:
            yield start, "\n".join(run)


@dataclass(frozen=True)
class Book:
    """The whole book, as `_quarto.yml` lays it out."""

    root: Path
    config: dict = field(compare=False)
    chapters: tuple[Chapter, ...]
    settings: dict[str, str] = field(default_factory=dict, compare=False)
    version: str = ""

    @property
    def title(self) -> str:
        return self.config["book"]["title"]

    @property
    def subtitle(self) -> str:
        return self.config["book"].get("subtitle", "")


def read_book(root: Path) -> Book:
    """Read `_quarto.yml`, every chapter that it names, and the version."""
    config_path = root / "_quarto.yml"
    try:
        config = yaml.safe_load(config_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError("_quarto.yml", None, f"not found in {root}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise BookError("_quarto.yml", line, f"not YAML: {error}")

    book = (config or {}).get("book") or {}
    if not book.get("chapters"):
        raise BookError(
            "_quarto.yml", None, "no chapters; list them under book: chapters:"
        )

    chapters = []
    count = 0
    for path, part in listed(book["chapters"]):
        chapter = read_chapter(root, path, part=part)
        if "unnumbered" not in chapter.heading[1]:
            count += 1
            chapter = numbered(chapter, str(count))
        chapters.append(chapter)
    for index, (path, part) in enumerate(listed(book.get("appendices", []))):
        chapter = read_chapter(root, path, part=part, appendix=True)
        chapters.append(numbered(chapter, chr(ord("A") + index)))
    names: dict[str, Path] = {}
    for chapter in chapters:
        if chapter.name in names:
            raise BookError(
                "_quarto.yml", None,
                f"{names[chapter.name]} and {chapter.path} bear one name; "
                "rename one",
            )
        names[chapter.name] = chapter.path
    return Book(
        root, config, tuple(chapters), version=read_version(root)
    )


def listed(entries: list) -> Iterator[tuple[Path, str | None]]:
    """Files in reading order with the part each belongs to."""
    for entry in entries:
        if isinstance(entry, str):
            yield Path(entry), None
        elif isinstance(entry, dict) and "chapters" in entry:
            for path in entry["chapters"]:
                yield Path(path), entry.get("part")
        else:
            raise BookError(
                "_quarto.yml", None,
                f"cannot read {entry!r}; write a file or 'part:' with "
                "'chapters:' under it",
            )


def numbered(chapter: Chapter, number: str) -> Chapter:
    return Chapter(
        chapter.path, number, chapter.part, chapter.appendix,
        chapter.text, chapter.pieces,
    )


def read_chapter(
    root: Path, path: Path, *, part: str | None = None,
    appendix: bool = False,
) -> Chapter:
    try:
        text = (root / path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BookError("_quarto.yml", None, f"no such chapter: {path}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BookError(path, line, "not UTF-8; save the file as UTF-8")
    pieces = tuple(parse(text, path))
    return Chapter(path, "", part, appendix, text, pieces)


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
        if not (match := OPTION.match(text)):
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


def split_attributes(heading: str) -> tuple[str, str]:
    """`Title {#sec-x .unnumbered}` as its title and its attributes."""
    if match := ATTRIBUTES.search(heading):
        return heading[:match.start()], match[1]
    return heading, ""


def closes(match: re.Match, fence: str) -> bool:
    mark = match[1]
    return (
        mark[0] == fence[0] and len(mark) >= len(fence)
        and not match[2].strip()
    )
