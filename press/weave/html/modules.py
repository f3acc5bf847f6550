"""A page for each module of the program, as the chapters make it."""

import json
from pathlib import Path

from press.cache import remembered
from press.pools import workers
from press.read.book import Book
from press.read.cells import Text
from press.read.chapters import Chapter
from press.read.pandoc import pandoc
from press.run.results import escaped
from press.weave.html.finish import finish
from press.weave.html.pages import TEMPLATES, page_variables, relative
from press.weave.weave import WovenBook

PROGRAM_FOLDER = "code"


class ModulePage(Chapter):
    """A module as a chapter of its own: a title, and nothing to run."""

    @property
    def page(self) -> str:
        return f"{self.path.as_posix()}.html"


def set_modules(woven: WovenBook, site: Path, cache: Path) -> None:
    """Write a page for each module that the chapters tangle."""
    cache.mkdir(parents=True, exist_ok=True)
    book = woven.book
    chapters: dict[str, list[Chapter]] = {}
    for chapter in book.chapters:
        for cell in chapter.cells:
            if cell.filename:
                known = chapters.setdefault(cell.filename, [])
                if chapter not in known:
                    known.append(chapter)
    common = woven.inputs(__name__, ".html")
    with workers() as pool:
        pages = list(pool.map(
            lambda name: module_page(
                book, name, chapters[name], cache, common),
            sorted(chapters),
        ))
    for name, text in zip(sorted(chapters), pages, strict=True):
        file = site / PROGRAM_FOLDER / f"{name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def module_page(
    book: Book, name: str, chapters: list[Chapter], cache: Path,
    common: dict[str, str],
) -> str:
    title = f"# {escaped(name)} {{.unnumbered}}\n"  # no __init__ in bold
    module = ModulePage(
        Path(PROGRAM_FOLDER) / name, number="", part=None, appendix=False,
        text=title, pieces=(Text(title, 1),),
    )
    source = (book.root / PROGRAM_FOLDER / name).read_text(encoding="utf-8")
    made_by = ", ".join(
        f"[{c.title}]({relative(c.page, module)})" for c in chapters
    )
    markdown = (
        f"{title}\nMade by the cells of {made_by}.\n\n"
        f"````` python\n{source}\n`````\n"
    )
    variables = page_variables(book, module, name)
    variables["kind"] = "Module"
    told = json.dumps(variables)
    return remembered(cache, f"module-{name}", {
        **common, "text": markdown, "around": told,
    }, lambda: finish(pandoc(
        module.path, markdown, "--from", "markdown", "--to", "html5",
        "--standalone", "--template", str(TEMPLATES / "page.html"),
        "--metadata",
        f"pagetitle={name} · {book.title}",
        "--metadata", f"lang={book.config.get('lang', 'en')}",
        "--variable-json", f"page:{told}",
    )).encode()).decode()
