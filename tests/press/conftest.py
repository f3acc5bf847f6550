"""What tests of the verbs and of the pages share."""

import re

import pytest

from press import verbs
from press.check import proof
from press.read.book import read_book
from press.run import run
from press.tangle import tangle
from press.weave import weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from small_book import ANSWERS, BIBLIOGRAPHY, DATA, INDEX, ONE, TWO, Tree
from tiny import write_book
from tiny_runs import four_chapters


@pytest.fixture
def perform(tmp_path, monkeypatch, capsys):
    """Perform a verb on the book in `tmp_path`: its exit code and words."""
    monkeypatch.setattr(verbs, "ROOT", tmp_path)

    def action(verb, *arguments):
        code = verbs.perform(verb, list(arguments))
        return code, capsys.readouterr().err

    return action


@pytest.fixture
def four(tmp_path):
    """A tiny book of four chapters that import from one another."""
    return four_chapters(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory, quick_kernels):
    """The pages of a small book, and its Typst source."""
    root = write_book(
        tmp_path_factory.mktemp("woven"),
        {"index": INDEX, "01-one": ONE, "02-two": TWO},
        appendices={"data": DATA, "answers": ANSWERS},
        config="bibliography: book/references.bib\n",
    )
    works = root / "book" / "references.bib"
    works.write_text(BIBLIOGRAPHY, encoding="utf-8")
    book = read_book(root)
    proof.check_sources(book)
    tangle.tangle(book)
    woven = weave.weave_book(book, run.run_all(book))
    html.set_pages(woven, root / "site", root / "cache")
    typst = pdf.typst_source(woven, root / "cache")
    pages = {
        c.name: Tree((root / "site" / c.page).read_text(encoding="utf-8"))
        for c in book.chapters
    }
    return book, pages, typst


@pytest.fixture(scope="module")
def pages(made):
    return made[1]


@pytest.fixture(scope="module")
def typst(made):
    """The Typst source after its template, its escapes undone."""
    text = made[2]
    text = text[text.index("Early") - 400:] if "Early" in text else text
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", text).replace("~", " ")
