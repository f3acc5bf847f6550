"""A number, a reference and a link read the same in each format."""

import re
from pathlib import Path

import pytest

from press.read.pandoc import READER, pandoc
from press.run import run
from press.weave import shared, weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from small_book import NUMBERS, Tree, by_id, main, plain, said, walk


def test_the_labels_are_those_the_tests_expect(made):
    assert {x.id: plain(x.reference) for x in made[0].labels} == NUMBERS


def home(name):
    return "data" if name.endswith(("data", "where")) else (
        "02-two" if name in ("sec-two", "sec-more") else "01-one"
    )


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_the_same_on_the_page_and_on_paper(pages, typst, name):
    reference = NUMBERS[name]
    number = reference.split()[1]
    shown = said(by_id(pages[home(name)], name))
    if name.startswith(("sec-", "eq-")):
        assert re.search(rf"(?<![\w.]){re.escape(number)}(?![\w.])", shown)
    else:
        assert reference in shown
    (anchor,) = [m for m in re.finditer(rf"<{name}>", typst)
                 if not typst[:m.start()].endswith("link(")]
    before = typst[:anchor.start()]
    near = plain(before[max(before.rfind("<"), len(before) - 500):])
    if name.startswith(("fig-", "tbl-", "exr-")):
        assert reference in near
    else:
        assert re.search(rf"(?<![\w.]){re.escape(number)}(?![\w.])", near)


def test_unnumbered_headings_bear_no_number(pages, typst):
    assert not re.search(r"\d Early|\d Start", said(main(pages["01-one"])))
    assert re.search(r"numbering: none[^\n]*Early", typst)


@pytest.mark.parametrize("name", [
    name for name in NUMBERS if home(name) != "data"
])
def test_references_lead_to_what_they_name(pages, typst, name):
    here = "" if home(name) == "02-two" else f"{home(name)}.html"
    links = {
        said(n): n[1]["href"] for n in walk(main(pages["02-two"]))
        if n[0] == "a" and "href" in n[1]
        and n[1]["href"].endswith(f"#{name}")
    }
    assert links[NUMBERS[name]] == f"{here}#{name}"
    by_id(pages[home(name)], name)
    assert f"#link(<{name}>)[{NUMBERS[name]}]" in typst


def test_a_reference_may_be_the_number_alone(pages, typst):
    assert "Only the number: 1.2." in said(main(pages["02-two"]))
    assert "Only the number: #link(<fig-second>)[1.2]" in typst


def test_references_from_the_opening_lead_into_the_folder(pages):
    links = [n[1]["href"] for n in walk(main(pages["index"]))
             if n[0] == "a" and said(n) in ("Figure 1.2", "Chapter 2")]
    assert links == ["book/01-one.html#fig-second", "book/02-two.html#sec-two"]


OPENING = {
    "index": "# Start {#sec-start .unnumbered}\n\n## A {#sec-early}\n",
    "01-one": "# One {#sec-one}\n\nSince @sec-start, and @sec-early's, of "
              "[-@sec-start]; @sec-one.\n",
}


def test_a_reference_to_the_opening_reads_chapter_0(book_of, tmp_path):
    book = book_of(OPENING)
    woven = weave.weave_book(book, run.run_all(book))
    html.set_pages(woven, tmp_path / "site", tmp_path / "cache")
    page = Tree(
        (tmp_path / "site/book/01-one.html").read_text(encoding="utf-8"))
    assert "Since Chapter 0, and Chapter 0’s, of 0; Chapter 1." in said(
        main(page))
    assert [(n[1]["href"], said(n)) for n in walk(main(page))
            if "reference" in n[1].get("class", "").split()] == [
        ("../index.html#sec-start", "Chapter 0"),
        ("../index.html#sec-early", "Chapter 0"),
        ("../index.html#sec-start", "0"), ("#sec-one", "Chapter 1"),
    ]
    typst = pdf.typst_source(
        woven, tmp_path / "cache")
    for name in ("start", "early"):
        assert f"#link(<sec-{name}>)[Chapter~0]" in typst
        assert f" <sec-{name}>\n" in typst


@pytest.mark.parametrize("form, opening, other", [
    ("html5", '<a href="/index.qmd#sec-{}">{}</a>', 'data-cites="sec-one"'),
    ("typst", "#link(<sec-{}>)[{}]", '#cite(<sec-one>, form: "prose")'),
])
def test_quarto_reads_chapter_0_where_it_knows_no_number(
    book_of, tmp_path, form, opening, other,
):
    """Quarto runs book.lua before it resolves references by itself."""
    book = book_of(OPENING)
    shared.write_shared(book)
    chapter = book.chapters[1]
    root = Path(__file__).parents[2]
    (tmp_path / "quarto.lua").write_text(
        f"quarto = {{project = {{directory = '{tmp_path}'}}}}\n"
        f"return dofile('{root / 'press/weave/book.lua'}')\n",
        encoding="utf-8")
    made = pandoc(
        chapter.path, chapter.text, "--from", READER, "--to", form,
        "--wrap=none", "--lua-filter", str(tmp_path / "quarto.lua"),
    ).replace("&nbsp;", " ").replace("\xa0", " ").replace("~", " ")
    for name, words in (("start", "Chapter 0"), ("early", "Chapter 0"),
                        ("start", "0")):
        assert opening.format(name, words) in made
    assert other in made


def test_links_to_chapters_lead_to_their_pages(pages, typst):
    (link,) = [n for n in walk(main(pages["index"]))
               if n[0] == "a" and said(n) == "the second"]
    assert link[1]["href"] == "book/02-two.html#sec-two"
    assert "#link(<sec-two>)[the second]" in typst
    assert ".qmd" not in typst


def test_every_id_stands_once(pages):
    for tree in pages.values():
        ids = [n[1]["id"] for n in walk(tree.root) if "id" in n[1]]
        assert len(ids) == len(set(ids))
