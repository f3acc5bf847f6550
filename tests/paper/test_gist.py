"""Of some appendices paper has the gist, and screens and EPUB all of it."""

import re
import zipfile

import pypdfium2
import pytest

from built import BOOK, PDF, SITE
from press.read.document import Shown
from press.weave.epub import epub

GIST = ["data", "claims", "exact", "shapes", "made"]
MOST = 3   # pages


@pytest.fixture(scope="module")
def openings():
    """The outline of the PDF at its top: titles, and where each begins."""
    book = pypdfium2.PdfDocument(PDF)
    found = [
        (mark.get_title().replace("\u00a0", " "),
         mark.get_dest().get_index())
        for mark in book.get_toc() if mark.level == 0
    ]
    return found, [
        re.sub(r"\s+", " ", page.get_textpage().get_text_range())
        for page in book
    ]


def pages_of(name, openings):
    """The texts of an appendix's pages."""
    chapter = next(c for c in BOOK.chapters if c.name == name)
    marks, texts = openings
    title = f"{chapter.number} {chapter.title}"
    place = next(
        i for i, (words, _) in enumerate(marks) if words == title)
    return texts[marks[place][1]:marks[place + 1][1]]


@pytest.mark.parametrize("name", GIST)
def test_an_appendix_of_details_is_short_on_paper(name, openings):
    pages = pages_of(name, openings)
    assert 1 <= len(pages) <= MOST, len(pages)
    assert re.search("web edition and the EPUB", " ".join(pages))


@pytest.mark.parametrize("name", GIST)
def test_screens_and_the_epub_have_all_of_it(name):
    document = next(d for d in BOOK.documents if d.chapter.name == name)
    away = [shown.cell for shown in document.all(Shown)
            if not shown.on_paper and shown.cell.shows_code]
    assert away
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        reader = "".join(
            archive.read(name).decode() for name in archive.namelist()
            if name.endswith(".xhtml"))
    screen = (SITE / document.chapter.page).read_text(encoding="utf-8")
    for text in map(bare, (reader, screen)):
        for cell in away:
            assert bare(cell.source, code=True) in text, cell.line


def bare(text, code=False):
    """Letters and digits without tags, entities and marks."""
    if not code:
        text = re.sub(r"<[^>]*>|&#?\w+;", "", text)
    return re.sub(r"[\W_]+", "", text)
