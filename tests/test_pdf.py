"""The printed book."""

import re
from pathlib import Path

import pdfplumber
import pytest

from press.chapters import read_book
from press.labels import labels

ROOT = Path(__file__).parent.parent
PDF = ROOT / "_book" / "pytorch-from-scratch.pdf"
EDGE = 24  # points at the paper's edge that a printer may not reach


@pytest.fixture(scope="module")
def book():
    return read_book(ROOT)


@pytest.fixture(scope="module")
def pages():
    if not PDF.exists():
        pytest.fail("no PDF; run 'make book' first ('make test' does)")
    with pdfplumber.open(PDF) as pdf:
        yield [
            (page.width, page.height, page.chars, page.extract_text() or "")
            for page in pdf.pages
        ]


@pytest.fixture(scope="module")
def text(pages):
    whole = "\n".join(page[3] for page in pages)
    return re.sub(r"\s+", " ", whole.replace("\u00a0", " "))


def test_no_letter_comes_near_the_edge_of_the_paper(pages):
    for number, (width, height, chars, _) in enumerate(pages, 1):
        for char in chars:
            if char["text"].strip():
                assert EDGE <= char["x0"] and char["x1"] <= width - EDGE, (
                    f"page {number}: {char['text']!r}"
                )
                assert EDGE <= char["top"], f"page {number}"
                assert char["bottom"] <= height - EDGE, f"page {number}"


def overlap(one, other):
    """The share of the smaller letter that lies on the larger one."""
    width = min(one["x1"], other["x1"]) - max(one["x0"], other["x0"])
    height = min(one["bottom"], other["bottom"]) - max(
        one["top"], other["top"])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(
        (c["x1"] - c["x0"]) * (c["bottom"] - c["top"]) for c in (one, other)
    )


def test_no_two_letters_lie_on_each_other(pages):
    for number, (_, _, chars, _) in enumerate(pages, 1):
        near = {}
        for char in chars:
            if not char["text"].strip() or not char["upright"]:
                continue
            spot = round(char["x0"] / 8), round(char["top"] / 8)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    cell = near.get((spot[0] + dx, spot[1] + dy), ())
                    for other in cell:
                        assert overlap(char, other) < 0.75, (
                            f"page {number}: {other['text']!r} under "
                            f"{char['text']!r} at {char['x0']:.0f}, "
                            f"{char['top']:.0f}"
                        )
            near.setdefault(spot, []).append(char)


def test_every_chapter_is_in_it(book, text):
    for chapter in book.chapters:
        assert chapter.title in text


def test_figures_and_tables_have_the_numbers_of_the_pages(book, text):
    for label in labels(book):
        if label.kind in ("Figure", "Table"):
            assert f"{label.kind} {label.number}:" in text, label.id
        elif label.kind == "Exercise":
            assert f"Exercise {label.number}" in text, label.id
        elif label.kind == "Equation":
            assert f"({label.number})" in text, label.id


def test_nothing_of_the_dialect_is_left_in_it(text):
    # How the book is made is told with a cell as it is woven, numbered.
    text = re.sub(r'\b\d+ :{4,5}(?= )|":+"', "", text)
    for leftover in (":::", "{#fig", "{#tbl", "@fig-", "@tbl-", "@sec-",
                     "{.why}", "citation not found"):
        assert leftover not in text


def test_every_internal_link_has_a_target():
    with pdfplumber.open(PDF) as pdf:
        links = [
            link for page in pdf.pages for link in page.annots
            if link["data"].get("Subtype") is not None
        ]
        assert len(links) > 50
        for link in links:
            data = link["data"]
            assert link.get("uri") or "Dest" in data or "A" in data


def test_it_is_tagged_and_says_its_language_and_title():
    with pdfplumber.open(PDF) as pdf:
        catalog = pdf.doc.catalog
        assert "StructTreeRoot" in catalog
        assert catalog["Lang"].decode().startswith("en")
        assert "PyTorch from Scratch" in str(pdf.metadata["Title"])
