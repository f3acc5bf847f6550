"""A page for each module of the program, as the chapters make it."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from press.chapters import Book
from press.html import (
    LINE_ANCHOR,
    TEMPLATES,
    own_digest,
    page_variables,
    relative,
)
from press.pandoc import pandoc
from press.plain import plain
from press.run import escaped

FOLDER = "code"


@dataclass(frozen=True)
class Module:
    """A module as `page_variables` asks for a chapter."""

    file: str           # "scratch/optim.py"
    path: Path
    number: str = ""
    appendix: bool = False
    text: str = ""      # a module has no prose, and so no simulation
    cells: tuple = ()   # and nothing to run, so no notebook

    @property
    def title(self) -> str:
        """Its file as Markdown: `__init__` is not bold."""
        return escaped(self.file)

    @property
    def name(self) -> str:
        return Path(self.file).stem

    @property
    def page(self) -> str:
        return f"{FOLDER}/{self.file}.html"


def set_modules(book: Book, site: Path, cache: Path) -> None:
    """Write a page for each module that the chapters tangle."""
    cache.mkdir(parents=True, exist_ok=True)
    chapters: dict[str, list] = {}
    for chapter in book.chapters:
        for cell in chapter.cells:
            if cell.filename:
                known = chapters.setdefault(cell.filename, [])
                if chapter not in known:
                    known.append(chapter)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pages = list(pool.map(
            lambda item: module_page(book, *item, cache),
            sorted(chapters.items()),
        ))
    for name, text in zip(sorted(chapters), pages, strict=True):
        file = site / FOLDER / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def module_page(book: Book, name: str, chapters: list, cache: Path) -> str:
    module = Module(name, Path(FOLDER) / name)
    source = (book.root / FOLDER / name).read_text(encoding="utf-8")
    made_by = ", ".join(
        f"[{c.title}]({relative(c.page, module)})" for c in chapters
    )
    markdown = (
        f"# {module.title} {{.unnumbered}}\n\n"
        f"Made by the cells of {made_by}.\n\n"
        f"````` python\n{source}\n`````\n"
    )
    variables = page_variables(book, module)
    variables["kind"] = "Module"
    told = json.dumps(variables)
    key = hashlib.sha256("\0".join([
        markdown, told, own_digest(book),
        Path(__file__).read_text(encoding="utf-8"),
    ]).encode()).hexdigest()
    entry = cache / f"module-{name.replace('/', '-')}.html"
    if entry.exists():
        stored, _, text = entry.read_text(encoding="utf-8").partition("\n")
        if stored == key:
            return text
    text = LINE_ANCHOR.sub("", pandoc(
        module.path, markdown, "--from", "markdown", "--to", "html5",
        "--standalone", "--template", str(TEMPLATES / "page.html"),
        "--metadata",
        f"pagetitle={name} · {plain(book.title)}",
        "--metadata", f"lang={book.config.get('lang', 'en')}",
        "--variable-json", f"page:{told}",
    ))
    aside = entry.with_name(f".{entry.name}.{os.getpid()}")
    aside.write_text(f"{key}\n{text}", encoding="utf-8")
    os.replace(aside, entry)
    return text
