"""Each term of the book leads to its entry, and the index to its pages."""

import re
import zipfile
from pathlib import Path

import pdfplumber
import pypdfium2
import pytest
from lxml import html

from built import BOOK, PDF, SITE
from press.read import words
from press.weave.epub import epub

ENTRIES = BOOK.entries
MARKS = [m for one in BOOK.documents for m in words.read_marks(one)]


def test_each_mark_of_a_page_leads_to_its_entry():
    there = (SITE / "book/glossary.html").read_text(encoding="utf-8")
    assert re.findall(r'id="term-([\w-]+)"', there) == list(ENTRIES)
    for document in BOOK.documents:
        page = SITE / document.chapter.page
        tree = html.fromstring(page.read_bytes())
        found = [
            (*a.get("href").split("#term-"), a.get("data-title"))
            for a in tree.xpath(
                "//a[@data-title and contains(@href, '#term-')]")
            if "term" in a.classes
        ]
        assert [key for _, key, _ in found] == [
            mark.key for mark in words.read_marks(document)]
        for target, key, said in found:
            assert (page.parent / target).resolve() == (
                SITE / "book/glossary.html").resolve()
            assert " ".join(said.split()) == ENTRIES[key].text
            assert not re.search(r"[`${}\\]|@sec-|\]\(", said)


def test_each_mark_of_the_epub_leads_to_its_entry():
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        pages = {Path(name).name: archive.read(name).decode()
                 for name in archive.namelist() if name.endswith(".xhtml")}
    links = [link for page in pages.values() for link in
             re.findall(r'href="([^"]*)#term-([\w-]+)"', page)]
    assert len(links) >= len(MARKS)
    for name, key in links:
        assert f'id="term-{key}"' in pages[name]


def bare(text):
    """Letters and digits alone: how lines break does not matter."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.fixture(scope="module")
def printed():
    """The printed book's pages: the number that each bears, its letters."""
    book = pypdfium2.PdfDocument(PDF)
    return [
        (book.get_page_label(i), bare(page.get_textpage().get_text_range()))
        for i, page in enumerate(book)
    ]


@pytest.fixture(scope="module")
def index(printed):
    """Each headword of the index with its link, and those of its pages;
    and the links of the other names."""
    start = next(i for i, (_, text) in enumerate(printed)
                 if "itselfleadstoitsmeaning" in text)
    with pdfplumber.open(PDF) as book:
        place = {p.page_obj.pageid: i for i, p in enumerate(book.pages)}
        result = []
        for page in book.pages[start:]:
            for link in page.annots:
                box = (link["x0"], link["top"], link["x1"], link["bottom"])
                text = page.crop(box, strict=False).extract_text().strip()
                target = place[link["data"]["Dest"][0].objid]
                if text.strip(", ").isdigit():
                    result[-1][1].append((text.strip(", "), target))
                else:
                    result.append(((text, target), []))
    return [entry for entry in result if entry[1]], {
        (name, target) for (name, target), pages in result if not pages
    }


def test_the_index_has_every_term_in_order(index):
    assert [bare(name) for (name, _), _ in index[0]] == [
        bare(entry.name) for entry in ENTRIES.values()]


def test_other_names_lead_to_where_their_entry_does(index):
    heads = {bare(name): target for (name, target), _ in index[0]}
    assert {bare(name) for name, _ in index[1]} == {
        bare(entry.name) for entry in ENTRIES.values() if entry.also}
    for name, target in index[1]:
        assert heads[bare(name)] == target


def test_a_headword_of_the_index_leads_to_its_entry(index, printed):
    for (head, _), entry in zip(index[0], ENTRIES.values(), strict=True):
        _, text = printed[head[1]]
        assert bare(entry.name + entry.text)[:40] in text, head


def test_the_pages_of_the_index_are_those_that_have_the_term(
    index, printed,
):
    marked = {key: [] for key in ENTRIES}
    for mark in MARKS:
        marked[mark.key].append(
            bare(re.sub(r"\{[^}]*\}", "", mark.text)))
    for (key, texts), (_, pages) in zip(
        marked.items(), index[0], strict=True
    ):
        assert 1 <= len(pages) <= len(texts), key
        assert len({number for number, _ in pages}) == len(pages), key
        for number, target in pages:
            label, text = printed[target]
            assert label == number, key
            assert any(part in text for part in texts), (key, number)
