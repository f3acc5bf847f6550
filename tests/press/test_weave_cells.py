"""Code and outputs, on the page and on paper."""

import asyncio

import pytest

from press.check import proof
from press.errors import BookErrors
from press.run import run
from press.weave import weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from small_book import (
    Tree,
    by_id,
    main,
    plain,
    said,
    texts,
    walk,
)
from tiny import cell


def test_code_bears_its_file_name_and_no_marks_of_ours(pages, typst):
    for text in (said(main(pages["01-one"])), plain(typst)):
        assert "scratch/one.py" in text
        assert text.index("scratch/one.py") < text.index("def one(x):")
        assert "①" in text and "<1>" not in text and "#|" not in text


def test_annotated_lines_and_their_notes_lead_to_each_other(pages):
    tree = pages["01-one"]
    links = [n for n in walk(main(tree))
             if n[1].get("class", "") == "annotation"]
    in_code, in_list = links[:2], links[2:]
    assert [texts(link) for link in links] == ["①", "②"] * 2
    for number, (mark, note) in enumerate(
        zip(in_code, in_list, strict=True), 1
    ):
        line = by_id(tree, note[1]["href"][1:])
        assert mark in walk(line) and "#" not in texts(line)
        assert texts(line).startswith(("def one", "    return")[number - 1])
        assert mark[1]["href"] == f"#{note[1]['id']}"
        assert mark[1]["aria-label"] == f"Note {number}"
        assert note[1]["aria-label"] == f"Line {number}"


def test_notes_bear_their_signs_on_paper(typst):
    notes = typst[typst.index("#annotations["):]
    assert notes.index("It is defined.") < notes.index("It adds.")
    assert "return x + 1  # ②" in typst


@pytest.mark.parametrize("code, below, line, says", [
    ("1  # <1>", "1. A.\n2. B.\n", 3, "no line is marked # <2>"),
    ("1  # <1>\n2  # <2>", "1. A.\n", 5, "speaks of the line marked # <2>"),
    ("1  # <1>", "Words.\n", 4, "need a numbered list below"),
    ("1  # <1>", "", 4, "need a numbered list below"),
])
def test_marks_and_notes_that_do_not_match_are_an_error(
    book_of, code, below, line, says
):
    with pytest.raises(BookErrors, match=f"01-one.qmd:{line}: .*{says}"):
        proof.check_sources(book_of(f"# One\n\n{cell(code)}\n{below}"))


def test_a_list_below_unmarked_code_stays_a_list(book_of):
    book = book_of("# One\n\n" + cell("'# <1> is'") + "\n1. A.\n")
    whole = weave.weave_book(
        book, [asyncio.run(run.run(book, book.chapters[1]))])
    text = html.page(whole, whole.chapters[0], book.root)
    assert "annotation" not in text[text.index("<main"):]


def test_paper_is_told_of_each_simulation(typst):
    assert ('#simulation("swing", "fig-second", "Figure 1.2", '
            '"It “swings” & stops.")') in plain(typst)


def test_outputs_of_every_kind_are_shown(pages, typst):
    for text in (said(main(pages["02-two"])), plain(typst)):
        for words in ("to ``` out", "to err", "out 2", "shown result",
                      "ValueError: a <b> error"):
            assert words in text


def test_options_hide_what_they_say(pages, typst):
    for text in (said(main(pages["02-two"])), typst):
        for shown in ("shown_code", "not_run = 4"):
            assert shown in text
        for hidden in ("hidden_code", "silent_code", "silent result"):
            assert hidden not in text
        assert text.count("hidden result") == 1      # in the code alone
        assert text.count("never printed") == 1
        assert text.count("err 2") == 1


@pytest.mark.parametrize("words, kind", [
    ("to ``` out", "close"), ("out 2", "machine"), ("shown result", "exact"),
])
def test_outputs_bear_the_mark_of_their_class(pages, typst, words, kind):
    cells = [n for n in walk(main(pages["02-two"]))
             if "cell" in n[1].get("class", "").split() and words in said(n)]
    outputs = [n for n in walk(cells[0])
               if "cell-output" in n[1].get("class", "").split()]
    assert kind in said(outputs[0]).split(words)[0]
    before = typst[:typst.rindex(words)]
    assert kind in before[-300:]


def test_a_tolerance_is_told_with_its_mark(pages):
    told = [words for n in walk(main(pages["02-two"]))
            for words in [*n[1].values(), *n[2]]
            if isinstance(words, str) and "Tolerance" in words]
    assert len(told) == 1 and "1e-5" in told[0]


def test_a_cell_in_a_list_stays_in_its_item(pages):
    (item,) = [n for n in walk(main(pages["02-two"]))
               if n[0] == "li" and "an item" in said(n)]
    assert "text = " in said(item) and "exact" in said(item)


FOLDED = cell(
    "def one():\n    return 1\n", filename="scratch/one.py",
    code_fold="true", code_summary='"How `one` is made"',
) + cell("two = 2\nprint(two)", reproduce="exact", code_fold="true",
         code_summary="Set-up")


def test_folded_code_opens_on_the_page_and_is_left_out_on_paper(
    book_of, tmp_path
):
    book = book_of(f"# One\n\n{FOLDED}")
    proof.check_sources(book)
    results = run.run_all(book)
    whole = weave.weave_book(book, results)
    tree = Tree(html.page(whole, whole.chapters[1], book.root))
    first, second = [
        n for n in walk(main(tree)) if n[1].get("class") == "closed"]
    for fold, head, code in (
        (first, "How one is made, 2 lines of scratch/one.py",
         "return 1"),
        (second, "Set-up, 2 lines", "two = 2"),
    ):
        (summary,) = [n for n in walk(fold) if n[0] == "summary"]
        assert said(summary) == head
        assert code in texts(fold) and code not in texts(summary)
    assert "open" not in first[1]
    paper = plain(pdf.typst_source(whole, tmp_path)).replace("~", " ")
    assert paper.count("#closed[") == 2
    assert "How `one` is made, 2 lines of `scratch/one.py`" in paper
    for code in ("return 1", "two = 2"):
        assert code not in paper
    assert paper.index("Set-up") < paper.index("#output(")


@pytest.mark.parametrize("options, line, says", [
    ({"code_fold": "true"}, 4, "what is folded away here"),
    ({"code_summary": "Words"}, 4, "nothing is folded here"),
    ({"code_fold": "false", "code_summary": "Words"}, 5, "nothing is folded"),
    ({"code_fold": "true", "code_summary": '""'}, 5, "is text"),
    ({"code_fold": "yes please", "code_summary": "Words"}, 4, "true or false"),
])
def test_a_fold_says_what_is_in_it(book_of, options, line, says):
    with pytest.raises(BookErrors, match=f"01-one.qmd:{line}: .*{says}"):
        proof.check_sources(book_of(f"# One\n\n{cell('1', **options)}"))


def test_no_note_speaks_of_a_line_that_paper_leaves_out(book_of):
    folded = cell("1  # <1>", code_fold="true", code_summary="Words")
    with pytest.raises(BookErrors, match="a note would speak of a line"):
        proof.check_sources(book_of(f"# One\n\n{folded}\n1. A.\n"))


def test_doubled_braces_show_single_ones_in_prose_alone(pages, typst):
    for text in (texts(main(pages["02-two"])), typst):
        assert "```{python}\nshown = 1" in text
        assert 'text = "{{python}}"' in text
