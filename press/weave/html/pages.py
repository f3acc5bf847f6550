"""Set the woven chapters as HTML pages."""

import html
import json
import posixpath
import shutil
from pathlib import Path

from press.cache import remembered, sha256
from press.pools import workers
from press.read import edition, words
from press.read.book import Book
from press.read.chapters import Chapter
from press.read.document import Div
from press.read.labels import Label
from press.read.pandoc import READER, pandoc
from press.weave.html import strict, style
from press.weave.html.finish import finish
from press.weave.weave import Woven, WovenBook, filtered

TEMPLATES = Path(__file__).parent
GLOSSARY_PAGE = words.GLOSSARY.with_suffix(".html").as_posix()


def set_pages(
    woven: WovenBook, site: Path, cache: Path,
) -> None:
    """Write every page, and what the pages share, below `site`."""
    cache.mkdir(parents=True, exist_ok=True)
    common = woven.inputs(__name__, ".html")
    with workers() as pool:
        pages = list(pool.map(
            lambda one: page(woven, one, cache, common), woven.chapters
        ))
    for chapter_page, text in zip(woven.chapters, pages, strict=True):
        file = site / chapter_page.chapter.page
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        for name, data in chapter_page.pictures.items():
            if not name.endswith(".svg"):
                picture = file.parent / name
                picture.parent.mkdir(parents=True, exist_ok=True)
                picture.write_bytes(data)
    shared = site / "site"
    shared.mkdir(parents=True, exist_ok=True)
    for name in ("book.js", "reading.js"):
        shutil.copyfile(TEMPLATES / name, shared / name)
    style.write_sheets(shared)
    sims = woven.book.root / "figures" / "sims"
    if sims.is_dir():
        shutil.copytree(sims, site / "figures" / "sims",
                        ignore=shutil.ignore_patterns(".*"),
                        dirs_exist_ok=True)


def page(
    whole: WovenBook, woven: Woven, cache: Path,
    common: dict[str, str] | None = None,
) -> str:
    """One page; from the cache where nothing it shows has changed."""
    book, chapter, document = whole.book, woven.chapter, woven.document

    def href(label: Label) -> str:
        page = label.page if label.page != chapter.page else ""
        return relative(f"{page}#{label.id}", chapter)

    terms = {
        key: {"href": relative(f"{GLOSSARY_PAGE}#term-{key}", chapter),
              "title": said}
        for key, said in words.linked(document, book.entries).items()
    }
    data = whole.told(
        [woven], href, renamed=woven.renamed, terms=terms,
        modules=f"{relative('code', chapter)}/",
    )
    around = page_variables(book, chapter)
    if any("sim" in div.classes for div in document.all(Div)):
        around["sims"] = relative("figures/sims", chapter)
    variables = json.dumps(around)
    drawn = {name: body for name, body in woven.pictures.items()
             if name.endswith(".svg")}

    def make() -> bytes:
        data_file = cache / f"{chapter.name}.labels.json"
        data_file.write_text(data, encoding="utf-8")
        return finish(pandoc(
            chapter.path, woven.markdown,
            "--from", READER, "--to", "html5", "--standalone",
            "--template", str(TEMPLATES / "page.html"), "--mathml",
            "--toc", "--toc-depth=2", "--wrap=none", "--section-divs=false",
            "--metadata",
            f"pagetitle={book.title_of(chapter)} · {book.title}",
            "--metadata", f"lang={book.config.get('lang', 'en')}",
            "--variable-json", f"page:{variables}",
            *filtered(data_file), *book.resolving(),
        ), woven, [
            label for label in book.labels if label.path == chapter.path
        ]).encode()

    return remembered(cache, chapter.name, {
        **(common or whole.inputs(__name__, ".html")), **drawn,
        "text": woven.markdown, "data": data, "around": variables,
    }, make).decode()


def relative(target: str, chapter: Chapter) -> str:
    """A path below the site as seen from a chapter's page."""
    if target.startswith("#"):
        return target
    path, hash_, anchor = target.partition("#")
    here = posixpath.dirname(chapter.page) or "."
    return posixpath.relpath(path, here) + hash_ + anchor


def notebook_of(other: Chapter, chapter: Chapter) -> str:
    """Where a chapter's notebook is; nowhere if it has nothing to run."""
    file = f"notebooks/{other.name}.ipynb"
    return relative(file, chapter) if other.cells else ""


def page_variables(book: Book, chapter: Chapter, title: str = "") -> dict:
    """What page.html shows around a chapter, or a page with a title."""
    def entry(other: Chapter) -> dict:
        return {
            "href": relative(other.page, chapter),
            "number": book.shown_number(other),
            "title": html.escape(book.title_of(other)),
            "here": other.path == chapter.path,
            "notebook": notebook_of(other, chapter),
        }

    groups: list[dict] = []
    for other in book.chapters:
        name = "Appendices" if other.appendix else other.part
        name = html.escape(name or "")
        if not groups or groups[-1]["part"] != name:
            groups.append({"part": name, "chapters": []})
        groups[-1]["chapters"].append(entry(other))
    index = -2
    if chapter in book.chapters:
        index = book.chapters.index(chapter)
    variables: dict[str, object] = {
        "id": sha256(book.title.encode())[:10],
        "book": html.escape(book.title),
        "subtitle": html.escape(book.subtitle),
        "kind": "Appendix" if chapter.appendix else "Chapter",
        "number": book.shown_number(chapter),
        "title": html.escape(title or book.title_of(chapter)),
        "home": relative("index.html", chapter),
        "site": relative("site", chapter),
        "policy": strict.POLICY,
        "wear": strict.WEAR,
        "pdf": relative("pytorch-from-scratch.pdf", chapter),
        "epub": relative("pytorch-from-scratch.epub", chapter),
        "program": relative("scratch.zip", chapter),
        "notebook": notebook_of(chapter, chapter),
        "groups": groups,
        "first": index == 0,
        "version": book.version,
        "licenses": html.escape(edition.LICENSES),
    }
    if told := licenses_page(book):
        variables["told"] = relative(f"{told}#{edition.SECTION}", chapter)
    if index > 0:
        variables["previous"] = entry(book.chapters[index - 1])
    if 0 <= index + 1 < len(book.chapters):
        variables["next"] = entry(book.chapters[index + 1])
    return variables


def licenses_page(book: Book) -> str | None:
    """The page that says what the licenses allow, where there is one."""
    label = book.names.get(edition.SECTION)
    return label.page if label else None
