"""The printed book, on both papers."""

import json
import re

import pdfplumber
import pytest

import printed
from built import BOOK, PDF, ROOT
from press import build
from press.read import edition
from press.read.document import Shown
from press.read.labels import sections
from press.run import run
from press.weave import svg, weave
from press.weave.typst import pdf
from press.weave.weave import numbered_notes

EDGE = 24  # points at the paper's edge that a printer may not reach
MM = 72 / 25.4
MEASURE, NOTE_GAP, NOTE = 124 * MM, 5.5 * MM, 36 * MM
INSIDE = {"a4": 23 * MM, "letter": 25 * MM}
TOP = {"a4": 27 * MM, "letter": 25 * MM}
FOOT = {"a4": 27 * MM, "letter": 24 * MM}
SIZE = {"a4": (595.3, 841.9), "letter": (612.0, 792.0)}


@pytest.fixture(scope="module", params=["a4", "letter"])
def paper(request):
    return request.param


@pytest.fixture(scope="module")
def pages(paper, tmp_path_factory):
    """The pages of the book that is built, or of its twin on Letter."""
    file = PDF
    if not PDF.exists():
        pytest.fail("no PDF; run 'make book' first ('make test' does)")
    if paper != "a4":
        file = tmp_path_factory.mktemp("letter") / "book.pdf"
        results = run.run_all(BOOK)
        assert not any(result.fresh for result in results)
        woven = weave.weave_book(BOOK, results)
        pdf.set_pdf(
            woven, file,
            ROOT / ".cache" / "weave" / "pdf",
            imprint=build.imprint(BOOK), paper=paper,
        )
    palette = json.loads(svg.PALETTE.read_text(encoding="utf-8"))["light"]
    return printed.read(file, palette["code"].lower())


@pytest.fixture(scope="module")
def text(pages):
    whole = "\n".join(page.text for page in pages)
    return re.sub(r"\s+", " ", whole.replace("\u00a0", " "))


def left_of(page, paper):
    """Where the text block begins: the margin for notes is outside."""
    if page.number % 2:
        return INSIDE[paper]
    return page.width - INSIDE[paper] - MEASURE


def block(page, paper):
    """The lines of the text block, without heads, feet and footnotes."""
    left = left_of(page, paper)
    return [
        line for line in page.lines(left - 1, left + MEASURE + 1)
        if TOP[paper] - 2 < line[0].base < page.height - FOOT[paper] + 1
        and max(char.size for char in line) > 8.6
    ]


def said(line):
    return "".join(char.text for char in line)


def test_the_imprint_shows_version_and_licenses(pages):
    shown = " ".join(pages[1].text.split())
    assert f"Version {BOOK.version} Commit" in shown
    assert f"{edition.COPYRIGHT}. {edition.LICENSES} Page " in shown


def test_the_paper_is_the_one_asked_for(pages, paper):
    for page in pages:
        assert (page.width, page.height) == pytest.approx(SIZE[paper], abs=0.1)


def test_no_letter_comes_near_the_edge_of_the_paper(pages):
    for page in pages:
        for char in page.chars:
            assert EDGE <= char.x0 and char.x1 <= page.width - EDGE, (
                f"page {page.number}: {char.text!r}"
            )
            assert EDGE <= char.top, f"page {page.number}"
            assert char.bottom <= page.height - EDGE, f"page {page.number}"


def test_text_keeps_to_its_block_and_notes_to_their_margin(pages, paper):
    for page in pages[1:]:
        left = left_of(page, paper)
        note = left + MEASURE + NOTE_GAP
        if page.number % 2 == 0:
            note = left - NOTE_GAP - NOTE
        head = TOP[paper] - 4 * MM
        foot = page.height - FOOT[paper] + 5 * MM
        for char in page.chars:
            if char.bottom < head or char.top > foot:
                continue
            inside = (
                left - 3 <= char.x0 and char.x1 <= left + MEASURE + 3
                or note - 1 <= char.x0 and char.x1 <= note + NOTE + 1
            )
            assert inside, (
                f"page {page.number}: {char.text!r} at {char.x0:.0f}, "
                f"{char.top:.0f}"
            )


def test_no_two_letters_lie_on_each_other(pages):
    for page in pages:
        near = {}
        for char in page.chars:
            if not char.upright:
                continue
            spot = round(char.x0 / 8), round(char.top / 8)
            if any(place_of(char) == place_of(other)
                   for other in near.get(spot, ())):
                continue  # a ligature is several letters in one place
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    for other in near.get((spot[0] + dx, spot[1] + dy), ()):
                        assert overlap(char, other) < 0.75, (
                            f"page {page.number}: {other.text!r} under "
                            f"{char.text!r} at {char.x0:.0f}, {char.top:.0f}"
                        )
            near.setdefault(spot, []).append(char)


def place_of(char):
    return char.x0, char.base, char.x1


def overlap(one, other):
    """The share of the smaller letter that lies on the larger one.

    A slanted letter may reach over the full stop after it.
    """
    if one.base == other.base and "Italic" in one.font + other.font:
        return 0.0
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(
        (c.x1 - c.x0) * (c.bottom - c.top) for c in (one, other)
    )


def listings(page):
    """The gray boxes of code: as wide as the text."""
    return [box for box in page.code if box.x1 - box.x0 > MEASURE]


def test_no_box_of_code_lies_on_another_or_on_a_picture(pages, paper):
    for page in pages:
        boxes = listings(page)
        for index, box in enumerate(boxes):
            assert box.bottom <= page.height - FOOT[paper] + 1, page.number
            for other in boxes[:index] + page.pictures:
                assert box.overlap(other) < 1, f"page {page.number}"
    assert sum(len(listings(page)) for page in pages) > 300


def test_nothing_but_code_stands_on_the_ground_of_code(pages):
    for page in pages:
        for box in listings(page):
            for char in page.chars:
                middle = (char.top + char.bottom) / 2
                if (box.x0 <= char.x0 and char.x1 <= box.x1
                        and box.top < middle < box.bottom
                        and not "①" <= char.text <= "⑳"):
                    assert char.font.startswith("DejaVuSansMono"), (
                        f"page {page.number}: {char.text!r}"
                    )


def test_every_line_of_code_is_one_line_on_paper(pages, paper):
    lines = set()
    for page in pages:
        left = left_of(page, paper)
        lines.update(
            said(line) for line in page.lines(left - 1, left + MEASURE)
        )
    for document in BOOK.documents:
        for place in document.all(Shown):
            cell = place.cell
            if not (place.on_paper and cell.shows_code
                    and cell.options.get("include", True)) or cell.is_folded:
                continue
            for line in numbered_notes(cell.source).split("\n"):
                line = re.sub(r"\s", "", line)
                assert not line or line in lines, f"{cell.path}: {line}"


def test_no_heading_stands_at_the_foot_of_a_page(pages, paper):
    """At least two lines of the text follow it, or a picture."""
    titles = {
        re.sub(r"[\s`*$]", "", heading.number + heading.title)
        for one in BOOK.documents for heading in sections(one)
        if heading.level > 1
    }
    seen = 0
    for page in pages:
        lines = block(page, paper)
        for line in lines:
            large = [c for c in line if c.font == "LibertinusSerif-Semibold"
                     and c.size > 11]
            if not large:
                continue
            seen += said(line) in titles
            below = page.lines(left_of(page, paper) - 1, page.width)
            below = [
                other for other in below
                if line[0].base + 5 < other[0].base
                < page.height - FOOT[paper] + 1
            ]
            assert len(below) >= 2, f"page {page.number}: {said(line)}"
    assert seen > 100


def test_captions_stay_with_what_they_name(pages, paper):
    """A picture's is not the first thing on its page, a table's not the
    last."""
    figures = tables = 0
    for page in pages:
        lines = block(page, paper)
        left = left_of(page, paper)
        for line in lines:
            match = re.match(r"(Figure|Table)[A-Z\d.]+:", said(line))
            if not match or "Bold" not in line[0].font:
                continue
            base = line[0].base
            if match[1] == "Figure":
                figures += 1
                assert base > TOP[paper] + 40, f"page {page.number}"
            else:
                tables += 1
                rows = [
                    other for other in page.lines(left - 1, left + MEASURE)
                    if base + 5 < other[0].base
                ]
                assert len(rows) >= 3, f"page {page.number}"
    assert figures > 20 and tables > 20


def test_every_chapter_is_in_it(text):
    for chapter in BOOK.chapters:
        assert chapter.title in text


def test_figures_and_tables_have_the_numbers_of_the_pages(text):
    for label in BOOK.labels:
        if not label.on_paper:
            continue
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
                     "{.why}", "citation not found", "/ipykernel_"):
        assert leftover not in text


def test_every_internal_link_has_a_target():
    with pdfplumber.open(PDF) as document:
        links = [
            link for page in document.pages for link in page.annots
            if link["data"].get("Subtype") is not None
        ]
        assert len(links) > 50
        for link in links:
            data = link["data"]
            assert link.get("uri") or "Dest" in data or "A" in data


def test_it_is_tagged_and_says_its_language_and_title():
    with pdfplumber.open(PDF) as document:
        catalog = document.doc.catalog
        assert "StructTreeRoot" in catalog
        assert catalog["Lang"].decode().startswith("en")
        assert "PyTorch from Scratch" in str(document.metadata["Title"])
