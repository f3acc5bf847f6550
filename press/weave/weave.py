"""Weave: a chapter and its outputs as one markdown text for pandoc.

The shape of cells and outputs is Quarto's, so that one Lua filter serves
both renderers.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from press.cache import own_files, sha256
from press.errors import BookError
from press.read.book import Book
from press.read.cells import ANNOTATION, INLINE, Cell, Text
from press.read.chapters import Chapter
from press.read.document import Document, Image
from press.read.labels import Label, referring, sections
from press.read.pandoc import program_version
from press.read.plain import plain
from press.read.quizzes import quiz_keys, with_keys
from press.run.results import Result
from press.weave import svg
from press.weave.shared import CIRCLED, shared

MARKED_UP = re.compile(r"`|\*\*|\$\S|\]\(|\]\{")
FILTERS = Path(__file__).parent


@dataclass(frozen=True)
class Woven:
    """A chapter ready for pandoc, and the pictures it shows."""

    document: Document
    result: Result
    markdown: str
    pictures: dict[str, bytes]   # by their path on the page
    renamed: dict[str, str]      # that path, by the one in the markdown

    @property
    def chapter(self) -> Chapter:
        return self.result.chapter


@dataclass(frozen=True)
class WovenBook:
    """The whole book, ready to be set in each format."""

    book: Book
    chapters: tuple[Woven, ...]
    shared: dict

    def inputs(self, module: str, *suffixes: str) -> dict[str, str]:
        """What all that a module sets with pandoc depends on: inputs of the
        cache."""
        return {
            "press": own_files(module, ".lua", *suffixes),
            "pandoc": program_version(),
            "book": json.dumps(self.book.config, default=str),
            "works": self.book.bibliography,
        }

    def told(
        self, chapters: Iterable[Woven], href: Callable[[Label], str],
        *, renamed: dict[str, str] | None = None,
        modules: str | None = None, terms: dict | None = None,
        first_number: str | None = None,
    ) -> str:
        """What common.lua needs to know of these chapters, as JSON;
        `first_number` is what the first heading shows."""
        numbers = [s.number for w in chapters for s in sections(w.document)]
        if first_number is not None:
            numbers[:1] = [first_number]
        known = self.book.names
        return json.dumps({
            "shared": self.shared,
            "labels": {
                label.id: {
                    "reference": label.reference,
                    "number": label.named[1],
                    "href": href(label),
                    "title": referring(label.title, known),
                }
                for label in self.book.labels
            },
            "numbers": numbers,
            "pictures": renamed or {},
            **({"modules": modules} if modules else {}),
            **({"terms": {
                key: term | {"title": referring(term["title"], known)}
                for key, term in terms.items()
            }} if terms else {}),
        })


def weave_book(book: Book, results: Iterable[Result]) -> WovenBook:
    return WovenBook(
        book, tuple(weave(book, result) for result in results), shared(book))


def weave(book: Book, result: Result) -> Woven:
    chapter = result.chapter
    document = book.document(chapter)
    pictures, renamed = file_pictures(book, document)
    texts = []
    quizzes = quiz_keys(document)
    for index, piece in enumerate(chapter.pieces):
        if isinstance(piece, Text):
            text = with_values(with_keys(piece, quizzes), index, result)
            texts.append(text.replace("{{python}}", "{python}"))
        else:
            lines = cell_markdown(
                piece, result.outputs.get(index, []), pictures
            )
            texts.append("\n".join(
                piece.indent + line if line else ""
                for line in ["", *lines, ""]
            ))
    return Woven(document, result, "\n".join(texts), pictures, renamed)


def with_values(piece: Text, index: int, result: Result) -> str:
    """The text with each inline expression replaced by its value."""
    if not result.chapter.cells:
        return piece.text
    values = (
        result.values[(index, position)]
        for position, _ in enumerate(piece.inlines())
    )
    return INLINE.sub(lambda match: next(values), piece.text)


def file_pictures(
    book: Book, document: Document
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The pictures that a chapter shows from files, by their path on the
    page; and that path, by the one in the chapter."""
    chapter = document.chapter
    pictures, renamed = {}, {}
    for image in document.all(Image):
        if re.match(r"\w+:", image.target):
            continue
        folder = book.root / chapter.path.parent
        if image.target.startswith("/"):
            folder = book.root
        file = folder / unquote(image.target).lstrip("/")
        if image.target in renamed:
            continue
        name = f"figures/{chapter.name}-{safe_name(file.name)}"
        if name in pictures:   # of another folder
            place = sha256(file.as_posix().encode())[:8]
            name = f"figures/{chapter.name}-{place}-{safe_name(file.name)}"
        data = file.read_bytes()
        if file.suffix == ".svg":
            data = svg.tidy(data.decode(), Path(name).stem).encode()
        pictures[name], renamed[image.target] = data, name
    return pictures, renamed


def safe_name(name: str) -> str:
    """A file's name that means the same in an address and in a package."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII)


def cell_markdown(
    cell: Cell, outputs: list[dict], pictures: dict[str, bytes]
) -> list[str]:
    """A cell and its outputs as fenced divs, in Quarto's shape."""
    options = cell.options
    if options.get("include", True) is False:
        return []
    code = []
    if cell.shows_code:
        language = ".python .cell-code"
        if cell.filename:
            language += f' filename="{cell.filename}"'
        if cell.is_folded:
            language += ' code-fold="true" code-summary=' + json.dumps(
                one_line(cell.options["code-summary"]), ensure_ascii=False)
        code = fenced(numbered_notes(cell.source), f"{{{language}}}")
    results: list[str] = []
    if options.get("output", True) is not False:
        for number, output in enumerate(outputs, 1):
            results += output_markdown(cell, output, number, pictures)
    if not code and not results:
        return []
    attributes = [".cell"]
    for name in ("reproduce", "tolerance"):
        if name in options:
            attributes.append(f'{name}="{options[name]}"')
    return [
        f"::::: {{{' '.join(attributes)}}}", *code, *results, ":::::",
    ]


def numbered_notes(source: str) -> str:
    """`# <1>` as a circled digit that a list below can speak of."""
    return ANNOTATION.sub(
        lambda match: f"{match[1]}# {CIRCLED[int(match[2]) - 1]}", source
    )


def fenced(text: str, info: str = "") -> list[str]:
    longest = max((len(m) for m in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence} {info}".rstrip(), *text.split("\n"), fence, ""]


def output_markdown(
    cell: Cell, output: dict, number: int, pictures: dict[str, bytes]
) -> list[str]:
    kind = output["output_type"]
    if kind == "stream":
        if output["name"] == "stderr" and not cell.options.get(
            "warning", True
        ):
            return []
        return block(
            f".cell-output-{output['name']}",
            fenced(output["text"].rstrip("\n")),
        )
    if kind == "error":
        message = f"{output['ename']}: {output['evalue']}"
        return block(".cell-output-error", fenced(message))
    data = output.get("data", {})
    if "image/svg+xml" in data:
        stem = str(cell.label)
        if not cell.is_figure:
            stem = f"{cell.path.stem}-{cell.line}-{number}"
        name = f"figures/{stem}.svg"
        pictures[name] = drawn(cell, data["image/svg+xml"], stem)
        return block(".cell-output-display", picture(cell, name))
    if "text/markdown" in data:
        lines = data["text/markdown"].strip("\n").split("\n")
        if cell.is_table:
            caption = one_line(cell.options.get("tbl-cap", ""))
            lines += ["", f": {caption} {{#{cell.label}}}", ""]
        return block(".cell-output-display", lines)
    if "text/plain" in data:
        return block(".cell-output-display", fenced(data["text/plain"]))
    return []


def one_line(words: object) -> str:
    """A caption or the like, which may stand in several lines or
    paragraphs."""
    return " ".join(str(words).split())


def drawn(cell: Cell, source: str, stem: str) -> bytes:
    """The picture of a cell, ready for all formats."""
    try:
        return svg.tidy(source, stem).encode()
    except BookError as error:
        raise BookError(
            cell.path, cell.line,
            f"in the picture of this cell: {error.message}",
        )


def picture(cell: Cell, name: str) -> list[str]:
    alt = json.dumps(spoken(cell), ensure_ascii=False)
    caption = one_line(cell.options.get("fig-cap", "")) if (
        cell.is_figure) else ""
    identifier = f"#{cell.label} " if cell.is_figure else ""
    return [f"![{caption}]({name}){{{identifier}alt={alt}}}"]


def spoken(cell: Cell) -> str:
    """What a figure's alt text says; it is plain, but may be marked up."""
    alt = " ".join(str(cell.options.get("fig-alt", "")).split())
    return plain(alt) if MARKED_UP.search(alt) else alt


def block(kind: str, lines: list[str]) -> list[str]:
    return [f":::: {{.cell-output {kind}}}", *lines, "::::", ""]


def filtered(data: Path) -> list[str]:
    """The arguments that apply our two filters with their data."""
    return [
        "--lua-filter", str(FILTERS / "book.lua"),
        "--lua-filter", str(FILTERS / "common.lua"),
        "--metadata", f"press={data}",
    ]
