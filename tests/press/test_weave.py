"""The pages around the text, and the pieces that a page is made of."""

import asyncio
import re
from pathlib import Path

import pytest

from press.errors import BookError
from press.read.book import read_book
from press.read.cells import Cell
from press.run import run
from press.weave import svg, weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from small_book import (
    SVG,
    plain,
    said,
    walk,
)
from tiny import cell, write_book


def test_pages_follow_each_other(pages):
    def rel(name):
        return {n[1]["rel"]: n[1]["href"] for n in walk(pages[name].root)
                if n[0] == "a" and n[1].get("rel") in ("prev", "next")}

    assert rel("index") == {"next": "book/01-one.html"}
    assert rel("02-two") == {"prev": "01-one.html", "next": "data.html"}
    assert rel("answers") == {"prev": "data.html"}


def test_the_contents_list_every_chapter_with_its_number(pages):
    (nav,) = [n for n in walk(pages["02-two"].root)
              if n[0] == "nav" and "contents" in n[1].get("class", "")]
    listed = {n[1]["href"]: said(n) for n in walk(nav) if n[0] == "a"}
    wanted = {
        "../index.html": "0 Start", "01-one.html": "1 One",
        "02-two.html": "2 Two", "data.html": "A Data",
        "answers.html": "B Answers",
    }
    assert {k: v for k, v in listed.items() if k in wanted} == wanted


def test_a_heading_in_a_quotation_is_numbered_like_any_other(book_of):
    book = book_of(
        "# T\n\n> ## Quoted\n\n## Shown {#sec-shown}\n\n@sec-shown\n")
    woven = weave.weave_book(book, run.run_all(book))
    html.set_pages(woven, book.root / "s", book.root / "c")
    page = (book.root / "s/book/01-one.html").read_text(encoding="utf-8")
    page = page[page.index("<main"):]
    assert re.findall(r'class="section-number">([^<]+)<', page) == [
        "1.1", "1.2"]
    assert "Section\u00a01.2" in page


def one_cell():
    return Cell(Path("book/x.qmd"), 1, "", {}, {}, "1", 2)


@pytest.mark.parametrize("text, ticks", [
    ("plain", 3), ("a ` b", 3), ("```", 4), ("x ````` y ```", 6),
])
def test_a_fence_is_longer_than_what_it_holds(text, ticks):
    first, *body, last, blank = weave.fenced(text, "{.python}")
    assert first == "`" * ticks + " {.python}" and last == "`" * ticks
    assert body == [text]


def test_an_output_of_colons_stays_an_output():
    lines = weave.cell_markdown(
        one_cell(), [{"output_type": "stream", "name": "stdout",
                      "text": "::::::\n```\n"}], {},
    )
    assert lines[lines.index("::::::") - 1] == "````"


def test_two_pictures_of_one_cell_have_two_names():
    pictures = {}
    shown = {"output_type": "display_data", "data": {"image/svg+xml": SVG}}
    weave.cell_markdown(one_cell(), [shown, shown], pictures)
    assert len(pictures) == 2


def test_pictures_of_a_chapter_are_gathered(book_of):
    book = book_of("# T\n\n![A\n[1, 2]](../cat.svg) ![B](/figures/dog.png)\n")
    (book.root / "figures").mkdir()
    (book.root / "cat.svg").write_text(SVG, encoding="utf-8")
    (book.root / "figures" / "dog.png").write_bytes(b"png")
    woven = weave.weave_book(book, run.run_all(book))
    one = woven.chapters[1]
    stem = one.chapter.name
    assert one.pictures[f"figures/{stem}-dog.png"] == b"png"
    cat = f"figures/{stem}-cat.svg"
    assert f'id="{stem}-cat-p"'.encode() in one.pictures[cat]
    assert one.renamed == {"../cat.svg": cat,
                           "/figures/dog.png": f"figures/{stem}-dog.png"}
    html.set_pages(woven, book.root / "s", book.root / "c")
    shown = (book.root / "s" / one.chapter.page).read_text(encoding="utf-8")
    assert f'id="{stem}-cat-p"' in shown
    assert f'src="figures/{stem}-dog.png"' in shown


def test_ids_inside_a_picture_are_made_its_own():
    tidy = svg.tidy(
        "<?xml version='1.0'?><!-- x -->" + SVG.replace(
            "</svg>", '<metadata>y</metadata><g clip-path="url(#p)"/></svg>'),
        "fig-a",
    )
    assert tidy.startswith("<svg") and "metadata" not in tidy
    assert 'id="fig-a-p"' in tidy and 'href="#fig-a-p"' in tidy
    assert "url(#fig-a-p)" in tidy


def test_a_pictures_colors_follow_the_theme():
    drawn = svg.inline(
        '<svg width="1"><g style="fill: #1D66C9; stroke: #123456"/>'
        "<text>#1d66c9</text></svg>", 'a "b" & c',
    )
    assert '<g fill="var(--forward)" stroke="#123456"/>' in drawn
    assert "<text>#1d66c9</text>" in drawn
    assert 'aria-label="a &quot;b&quot; &amp; c"' in drawn


# --------------------------------------------------------------- the cache


def test_a_picture_that_no_page_may_show_is_named_by_its_cell(book_of):
    book = book_of("# T\n\n" + cell(
        "from IPython.display import SVG\nSVG('"
        + SVG.replace("<path", '<path style="font: x"') + "')",
        label="fig-a", fig_cap="A", fig_alt="A",
    ))
    (_, result) = run.run_all(book)
    whole = weave.weave_book(book, [result])
    with pytest.raises(BookError) as found:
        html.page(whole, whole.chapters[0], book.root)
    assert str(found.value).startswith(
        "book/01-one.qmd:3: in figures/fig-a.svg: the style 'font: x'")


def test_an_unchanged_page_comes_from_the_cache(book_of, monkeypatch):
    book = book_of("# T\n\nProse.\n")

    def pages_of(book):
        woven = weave.weave_book(book, asyncio.run(all_of(book)))
        html.set_pages(
            woven, book.root / "s", book.root / "c"
        )
        page = book.root / "s" / "book" / "01-one.html"
        return page.read_text(encoding="utf-8")

    async def all_of(book):
        return [await run.run(book, c) for c in book.chapters]

    first = pages_of(book)
    calls = []
    monkeypatch.setattr(
        html, "pandoc", lambda *a, _real=html.pandoc: calls.append(a[0])
        or _real(*a)
    )
    assert pages_of(book) == first and calls == []
    (entry,) = (book.root / "c").glob("01-one-*")
    text = entry.read_text(encoding="utf-8").replace("Prose.", "Damage.")
    entry.write_text(text, encoding="utf-8")
    assert pages_of(book) == first and len(calls) == 1
    assert "Other." in pages_of(book_of("# T\n\nOther.\n"))
    assert len(calls) == 2


def test_citations_are_letters_of_one_alphabet_in_the_whole_book(
    tmp_path, quick_kernels
):
    def work(key, title):
        return (f"@book{{{key}, author={{Ann Lee}}, year={{2001}}, "
                f"title={{{title}}}, publisher={{P}}}}\n")

    root = write_book(tmp_path, {
        "01-one": "# One {#sec-one}\n\nFirst [@lee-b, p. 3]; \"quoted\".\n",
        "02-two": "# Two {#sec-two}\n\n@lee-a says. And [@lee-b; @lee-a].\n",
    }, config="bibliography: book/references.bib\n")
    works = root / "book" / "references.bib"
    works.write_text(
        work("lee-a", "Alpha") + work("lee-b", "Beta"), encoding="utf-8"
    )

    def source():
        book = read_book(root)
        woven = weave.weave_book(book, run.run_all(book))
        return pdf.typst_source(
            woven, tmp_path / "cache")

    (tmp_path / "cache").mkdir()
    text = source()
    said = re.findall(r'^  "(.*)": \[(.*)\],$', text, re.MULTILINE)
    assert {
        plain(mark): re.sub(r"#link\(<ref-[\w-]+>\)\[(.*?)\]|\\", r"\1", words)
        for mark, words in said
    } == {
        "[@lee-b, p. 3]": "(Lee 2001b, 3)",
        "@lee-a": "Lee (2001a)",
        "[@lee-b; @lee-a]": "(Lee 2001b, 2001a)",
    }
    listed = text[text.index("<bibliography>"):]
    assert listed.index("Alpha") < listed.index("Beta")
    works.write_text(
        work("lee-a", "Gamma") + work("lee-b", "Beta"), encoding="utf-8"
    )
    assert '"@lee-a": [Lee (#link(<ref-lee-a>)[2001b])]' in source()
