"""Set the woven chapters as one EPUB, through pandoc."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

from lxml import etree

from press.cache import remembered
from press.files import laid_out
from press.pools import workers
from press.read import edition
from press.read.book import Book
from press.read.pandoc import READER, pandoc
from press.weave import svg
from press.weave.printed import check_epub
from press.weave.weave import WovenBook, filtered

STYLE = Path(__file__).with_name("epub.css")
EPUB = "pytorch-from-scratch.epub"


def set_epub(
    woven: WovenBook, out: Path, cache: Path,
) -> None:
    """Write the EPUB to `out`; from the cache where nothing changed."""
    data = woven.told(woven.chapters, lambda label: f"#{label.id}")
    pictures = {k: v for w in woven.chapters for k, v in w.pictures.items()}
    body = remembered(cache, "book", {
        **woven.inputs(__name__, ".css"), **pictures, "data": data,
        "said": json.dumps([metadata(woven.book), woven.book.authors]),
        **{f"text {w.chapter.name}": w.markdown for w in woven.chapters},
    }, lambda: make(woven, data, pictures))
    out.write_bytes(body)


def make(
    woven: WovenBook, data: str, pictures: dict[str, bytes],
) -> bytes:
    """The EPUB's bytes."""
    files = {
        "labels.json": data.encode(), "book.css": style().encode(),
        **{name: strict(body) if name.endswith(".svg") else body
           for name, body in pictures.items()},
    }
    with laid_out(files) as folder:
        made = folder / "book.epub"
        pandoc(
            "the EPUB", json.dumps(whole(woven)),
            "--from", "json", "--to", "epub3", "--output", str(made),
            "--mathml", "--toc", "--toc-depth=2", "--split-level=1",
            "--resource-path", str(folder),
            "--css", str(folder / "book.css"),
            *filtered(folder / "labels.json"), *woven.book.resolving(),
            environment={"SOURCE_DATE_EPOCH": "315532800"},
        )
        body = made.read_bytes()
    check_epub(body, woven.chapters)
    return body


def strict(picture: bytes) -> bytes:
    """An SVG as EPUB's checker wants it: no path without its outline."""
    root = svg.read_svg(picture.decode())
    for path in root.iter(f"{svg.SVG}path"):
        if path.get("d") is None:
            path.set("d", "M0 0")
    return etree.tostring(root)


def whole(woven: WovenBook) -> dict:
    """All chapters as one document of pandoc's, each id its own."""
    with workers() as pool:
        parsed = list(pool.map(
            lambda w: json.loads(pandoc(
                w.chapter.path, w.markdown, "--from", READER, "--to", "json",
            )), woven.chapters,
        ))
    known = woven.book.names
    document = parsed[0]
    blocks = []
    for chapter_woven, one in zip(woven.chapters, parsed, strict=True):
        rename_pictures(one["blocks"], chapter_woven.renamed)
        for block in one["blocks"]:
            if block["t"] == "Header" and block["c"][1][0] not in known:
                name = chapter_woven.chapter.name
                block["c"][1][0] = f"{name}-{block['c'][1][0]}"
        blocks += one["blocks"]
    document["blocks"] = blocks
    document["meta"] = {
        name: {"t": "MetaString", "c": words}
        for name, words in metadata(woven.book).items() if words
    }
    if authors := woven.book.authors:
        document["meta"]["author"] = {"t": "MetaList", "c": [
            {"t": "MetaString", "c": name} for name in authors]}
    return document


def rename_pictures(node: Any, renamed: dict[str, str]) -> None:
    """Name each picture in pandoc's tree as it is named in the EPUB."""
    if isinstance(node, list):
        for one in node:
            rename_pictures(one, renamed)
    elif isinstance(node, dict):
        if node.get("t") == "Image":
            target = node["c"][2]
            target[0] = renamed.get(target[0], target[0])
        rename_pictures(node.get("c"), renamed)


def metadata(book: Book) -> dict[str, str]:
    """What the EPUB says of itself, to devices and on its title page."""
    said = {
        "title": book.title, "subtitle": book.subtitle,
        "lang": str(book.config.get("lang", "en")),
        "identifier": "urn:uuid:"
        f"{uuid.uuid5(uuid.NAMESPACE_URL, book.title)}",
    }
    if book.version:
        said["rights"] = (
            f"Version {book.version}. {edition.COPYRIGHT}. "
            f"{edition.LICENSES}"
        )
    return said


def style() -> str:
    """The style sheet, with the palette's colors written in."""
    source = svg.PALETTE.read_text(encoding="utf-8")
    palette = json.loads(source)["light"]
    roles = "".join(
        f".{role} {{ color: {color} }}\n" for role, color in palette.items()
        if role not in svg.GROUNDS
    )
    sheet = STYLE.read_text(encoding="utf-8")
    return re.sub(r"var\(--(\w+)\)", lambda m: palette[m[1]], sheet) + roles
