"""What stands between the cells, on the page and on paper."""

import re

from press.run import run
from press.weave import weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from small_book import NUMBERS, Tree, by_id, main, plain, said, walk


def test_inline_values_are_text_to_the_letter(pages, typst):
    value = '<b>*_"$x$"_*</b> & &amp; -- ... @fig-no'
    assert f"Escaped: {value}." in said(main(pages["01-one"]))
    assert f"Escaped: {value}." in plain(typst)


def test_numbers_have_powers_only_where_they_need_them(pages, typst):
    numbers = (
        "Numbers: 6 × 10⁻⁴, (0.3), −0.02, 0, 0.0, 9; "
        "25.0, 12,000, 1 × 10⁵, 0.010, −1 × 10⁻³ and"
    )
    page = said(main(pages["01-one"]))
    assert f"{numbers} 7e-01." in page
    assert numbers in plain(typst)


def test_captions_stand_with_their_float(pages, typst):
    page = pages["01-one"]
    for name, caption in [
        ("fig-first", "First picture"), ("tbl-first", "First table"),
        ("tbl-second", "Second table"),
    ]:
        assert f"{NUMBERS[name]}: {caption}" in said(by_id(page, name))
        assert caption in typst
    (label,) = [n[1]["aria-label"] for n in walk(by_id(page, "fig-first"))
                if n[0] == "svg"]
    assert label == "Seen is First picture"


def test_a_table_that_a_cell_prints_is_a_table(pages, typst):
    cells = [said(n) for n in walk(by_id(pages["01-one"], "tbl-first"))
             if n[0] in ("td", "th")]
    assert cells == ["a", "b", "1", "2"]
    assert "#table(" in typst


def test_callouts_bear_their_title_or_their_heading(pages, typst):
    for text in (said(main(pages["01-one"])), plain(typst)):
        for words in ("Mind the gap", "A warning.", "Its own title",
                      "A note.", "An aside.", "In the margin."):
            assert text.count(words) == 1


def test_a_callout_may_be_folded_and_is_set_apart_on_paper(pages, typst):
    (found,) = [n for n in walk(main(pages["01-one"]))
                if n[0] == "details" and n[1].get("class") == "folded"]
    assert "open" not in found[1]
    assert said(found) == "To the last bit Folded words."
    assert [n[0] for n in walk(found)][:2] == ["details", "summary"]
    start = typst.index("#folded([To the last")
    assert "Folded" in typst[start : start + 60]


def test_each_format_shows_what_is_meant_for_it(pages, typst):
    page = said(main(pages["01-one"]))
    assert "Only on screen." in page and "Only on paper." not in page
    assert "Not on paper." in page
    assert "Only on screen." not in typst and "Only on paper." in typst
    assert "Not on paper." not in typst


def test_exercises_are_named_with_number_and_title(pages, typst):
    for text in (said(main(pages["01-one"])), plain(typst)):
        assert "Exercise 1.1 (Do it)" in text
        assert "Exercise 1.2 (" not in text


def test_solutions_stay_on_the_page_and_move_to_the_appendix_in_print(
    pages, typst
):
    page = said(main(pages["01-one"]))
    assert page.index("Please count.") < page.index("Counted so.")
    assert page.index("Counted so.") < page.index("Untitled task.")
    answers = typst.index("[Exercises]")
    for task, answer in [("Please count.", "Counted so."),
                         ("Untitled task.", "Untitled answer.")]:
        assert typst.count(answer) == 1
        assert typst.index(task) < answers < typst.index(answer)
    appendix = plain(typst[answers:])
    assert appendix.index("Exercise 1.1") < appendix.index("Counted so.") < (
        appendix.index("Exercise 1.2")) < appendix.index("Untitled answer.")


def test_print_does_not_tell_the_right_answer_beside_the_question(typst):
    quiz = typst[typst.index("Which one?"):typst.index("[More]")]
    assert "☒" not in quiz
    assert "The wrong one." in quiz and "The right one." in quiz
    for reason in ("It is wrong.", "It is right.", "By choice.", "By chance."):
        assert reason not in quiz
    marks = [line.split("The ")[0] for line in quiz.splitlines()
             if line.rstrip().endswith(" one.")]
    assert len(marks) == 2 and len(set(marks)) == 1


def test_print_gives_the_right_answers_in_the_appendix(typst):
    answers = plain(typst[typst.index("[Quizzes]"):typst.index("[Exercises]")])
    assert answers.index("The right one. It is right.") < answers.index(
        "Surely this. By choice.")
    assert "The wrong one." not in answers and "Not this." not in answers


def test_the_page_has_every_option_with_its_reason(pages):
    tree = pages["02-two"]
    options = [n for n in walk(main(tree)) if n[0] == "label"]
    assert [said(n).replace("It is", "| It is").split("|")[0].strip()
            for n in options][:2] == ["The wrong one.", "The right one."]
    right = [said(n) for n in options if "right" in n[1].get("class", "")]
    assert [text.split(".")[0] for text in right] == [
        "The right one", "Surely this",
    ]
    names = [m[1]["name"] for n in options for m in walk(n) if m[0] == "input"]
    assert names[0] == names[1] != names[2] == names[3]


def test_citations_are_resolved(pages, typst):
    assert "(He and Zhang 2015)" in said(main(pages["02-two"]))
    assert "Kaiming" in said(main(pages["02-two"]))
    assert typst.count("Kaiming") == 1


def test_the_appendix_of_answers_leads_to_each_exercise(pages):
    found = [n for n in walk(main(pages["answers"]))
             if n[0] == "a" and said(n).startswith("Exercise")]
    assert [(said(n), n[1]["href"]) for n in found] == [
        ("Exercise 1.1", "01-one.html#exr-first"),
        ("Exercise 1.2", "01-one.html#exr-second"),
    ]


LEFT_OUT = """# One

## First {#sec-first}

::: {.content-visible unless-format="typst"}
## Second {#sec-second}

| a |
|---|
| 1 |

: Rows {#tbl-away}

::: {#exr-away}
Please count.
:::

::: {.solution}
Counted.
:::
:::

## Third {#sec-third}

| b |
|---|
| 2 |

: Rows {#tbl-here}
"""


def test_what_paper_leaves_out_takes_no_number_from_what_it_has(
    book_of, tmp_path
):
    book = book_of(LEFT_OUT)
    assert [(label.id, label.number) for label in book.labels
            if label.on_paper] == [
        ("sec-first", "1.1"), ("sec-third", "1.3"), ("tbl-here", "1.2")]
    whole = weave.weave_book(book, run.run_all(book))
    page = said(main(Tree(html.page(whole, whole.chapters[1], book.root))))
    paper = plain(pdf.typst_source(whole, tmp_path))
    for number, title in ("1.1", "First"), ("1.3", "Third"):
        assert f"{number} {title}" in page
        assert re.search(rf'"{number}"\)\[{title}', paper)
    assert "1.2 Second" in page and "Counted." in page
    for words in ("Second", "sec-second", "Please count", "Counted"):
        assert words not in paper
    assert "Table 1.2:" in paper.replace("~", " ").replace("\u00a0", " ")
