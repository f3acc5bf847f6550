"""What stands in `_book/` from an earlier build, when a build makes only a
part of it."""

import json
from pathlib import Path

from press.files import write
from press.progress import Reporter
from press.read.book import Book

# What one build makes together: the verb that does, and what it is called.
MAKERS = {
    "html": ("html", "the pages"), "pdf": ("pdf", "the PDF"),
    "takeaways": ("book", "the EPUB and the notebooks"),
}

# Folders whose pages, if any, are no chapter's.
GIVEN = {"figures", "site", "pagefind"}


def drop_removed(book: Book, site: Path) -> None:
    """Remove the pages and notebooks of chapters, and the pages of modules,
    that are no longer in the book."""
    names = {f"{chapter.name}.ipynb" for chapter in book.chapters}
    pages = {chapter.page for chapter in book.chapters} | {
        f"code/{cell.filename}.html" for chapter in book.chapters
        for cell in chapter.cells if cell.filename
    }
    for file in site.glob("notebooks/*.ipynb"):
        if file.name not in names:
            file.unlink()
    for file in site.rglob("*.html"):
        name = file.relative_to(site)
        if name.parts[0] not in GIVEN and name.as_posix() not in pages:
            file.unlink()


def say_older(
    book: Book, site: Path, formats: tuple[str, ...], report: Reporter
) -> None:
    """Say which part of `_book/` still has another title, author or
    language, since this build does not make it."""
    file = book.root / ".cache" / "weave" / "titles.json"
    config = book.config
    now = [*(str(config["book"].get(key, ""))
             for key in ("title", "subtitle", "author")),
           str(config.get("lang", ""))]
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        said = {key: said[key] for key in MAKERS if key in said}
    except (OSError, ValueError, TypeError):
        said = {}
    said |= dict.fromkeys(formats, now)
    for key, titles in said.items():
        verb, name = MAKERS[key]
        if titles != now:
            report.say(
                f"{name} in _book/ still have the title, author or language "
                f"of before; 'make {verb}' makes them anew")
    write(file, json.dumps(said).encode())
