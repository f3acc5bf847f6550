"""Set the woven chapters as one PDF, through pandoc and Typst."""

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from press import svg
from press.chapters import Book
from press.errors import BookError
from press.labels import Label
from press.pandoc import FILTERS, READER, cited, filtered, pandoc
from press.weave import Woven, filter_data

TEMPLATES = Path(__file__).parent / "templates"
PAPERS = {"a4": "a4", "letter": "us-letter"}


def set_pdf(
    book: Book, woven: list[Woven], labels: list[Label], out: Path,
    cache: Path, *, imprint: dict[str, str], paper: str = "a4",
) -> None:
    """Write the PDF to `out`; from the cache where nothing changed."""
    cache.mkdir(parents=True, exist_ok=True)
    source = typst_source(book, woven, labels, cache, imprint=imprint)
    pictures = {k: v for w in woven for k, v in w.pictures.items()}
    digest = hashlib.sha256(
        "\0".join([source, version("typst")]).encode()
        + b"".join(pictures[name] for name in sorted(pictures))
    ).hexdigest()
    entry = cache / f"{paper}-{digest[:24]}.pdf"
    if not entry.exists():
        for old in cache.glob(f"{paper}-*.pdf"):
            old.unlink(missing_ok=True)
        aside = cache / f".{entry.name}.{os.getpid()}"
        aside.write_bytes(typeset(source, pictures, cache, paper))
        os.replace(aside, entry)
    shutil.copyfile(entry, out)


def typst_source(
    book: Book, woven: list[Woven], labels: list[Label], cache: Path, *,
    imprint: dict[str, str],
) -> str:
    """The whole book in Typst's markup, for any paper."""
    data = filter_data(
        [w.chapter for w in woven], labels, lambda label: f"#{label.id}"
    )
    variables = json.dumps(as_strings({
        "title": book.title, "subtitle": book.subtitle,
        "author": str(book.config["book"].get("author", "")),
        "imprint": imprint,
        "palette": json.loads(
            svg.PALETTE.read_text(encoding="utf-8"))["light"],
    }))
    digest = hashlib.sha256()
    files = [
        TEMPLATES / "book.typ", *sorted(FILTERS.glob("*.lua")),
        Path(__file__), svg.PALETTE,
    ]
    bibliography = book.root / book.config.get("bibliography", "missing")
    if bibliography.exists():
        files.append(bibliography)
    for file in files:
        digest.update(file.read_bytes())
    for text in (data, variables, *(w.markdown for w in woven)):
        digest.update(text.encode() + b"\0")
    entry = cache / f"{digest.hexdigest()[:24]}.typ"
    if entry.exists():
        return entry.read_text(encoding="utf-8")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parsed = list(pool.map(
            lambda w: json.loads(pandoc(
                w.chapter.path, w.markdown, "--from", READER, "--to", "json",
            )), woven,
        ))
    document = parsed[0]
    blocks = []
    part = None
    for chapter_woven, one in zip(woven, parsed, strict=True):
        chapter = chapter_woven.chapter
        name = "Appendices" if chapter.appendix else chapter.part
        if name and name != part:
            blocks.append(raw_typst(f"#part[{name}]"))
        part = name
        blocks += one["blocks"]
    document["blocks"] = blocks
    document["meta"] = {}
    data_file = cache / "labels.json"
    data_file.write_text(data, encoding="utf-8")
    source = pandoc(
        "the printed book", json.dumps(document),
        "--from", "json", "--to", "typst",
        "--standalone", "--template", str(TEMPLATES / "book.typ"),
        "--wrap=none", "--syntax-highlighting=idiomatic",
        "--variable-json", f"book:{variables}",
        *filtered(data_file), *cited(book),
    )
    for old in cache.glob("*.typ"):
        old.unlink(missing_ok=True)
    aside = cache / f".{entry.name}.{os.getpid()}"
    aside.write_text(source, encoding="utf-8")
    os.replace(aside, entry)
    return source


def as_strings(values: dict) -> dict:
    """The same values as Typst writes strings: in quotes, escaped."""
    return {
        key: as_strings(value) if isinstance(value, dict)
        else json.dumps(value, ensure_ascii=False)
        for key, value in values.items()
    }


def raw_typst(code: str) -> dict:
    return {"t": "RawBlock", "c": ["typst", code]}


def typeset(
    source: str, pictures: dict[str, bytes], cache: Path, paper: str
) -> bytes:
    """The PDF's bytes: the same for the same source and pictures."""
    import typst

    folder = cache / f"setting-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for name, data in pictures.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        folder.mkdir(parents=True, exist_ok=True)
        main = folder / "book.typ"
        main.write_text(source, encoding="utf-8")
        return typst.compile(
            str(main), root=str(folder), format="pdf",
            ignore_system_fonts=True, timestamp=0,
            pdf_standards=["ua-1"], sys_inputs={"paper": PAPERS[paper]},
        )
    except typst.TypstError as error:
        raise BookError(
            next(cache.glob("*.typ"), "book.typ"), None,
            f"Typst cannot set this: {str(error).strip()}",
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
