"""The two books say the same: numbers, references, code and results."""

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from press.check import proof
from press.errors import BookError, BookErrors
from press.read.book import read_book
from press.read.cells import Cell
from press.read.pandoc import READER, pandoc
from press.run import run
from press.tangle import tangle
from press.weave import shared, svg, weave
from press.weave.html import pages as html
from press.weave.typst import pdf
from tiny import cell, write_book

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<defs><path id="p" d="M0 0"/></defs><use href="#p"/></svg>'
)


def figure(label, caption):
    return cell(
        f"from IPython.display import SVG\nSVG('{SVG}')", label=label,
        fig_cap=caption, fig_alt=f"Seen is {caption}", echo="false",
    )


INDEX = """# Start {.unnumbered}

See @fig-second in @sec-two, and [the second](book/02-two.qmd#sec-two).
"""

ONE = """# One {#sec-one}

## Early {.unnumbered}

## Deep {#sec-deep}

### Deeper {#sec-deeper}

""" + figure("fig-first", "First picture") + """

::: {.sim data-sim="swing" data-shows="It “swings” & stops."}
""" + figure("fig-second", "Second picture") + """:::

""" + cell(
    "def one(x):  # <1>\n    return x + 1  # <2>\n",
    filename="scratch/one.py",
) + """
1. It is defined.
2. It adds.

Escaped: `{python} '<b>*_"$x$"_*</b> & &amp; -- ... @fig-no'`.

""" + cell(
    "from IPython.display import Markdown\nMarkdown('|a|b|\\n|-|-|\\n|1|2|')",
    label="tbl-first", tbl_cap="First table", reproduce="exact",
) + """
|c|d|
|-|-|
|3|4|

: Second table {#tbl-second}

$$a = b$$ {#eq-first}

As before
$$c = d$$ {#eq-second}
and after.

::: {#exr-first}
## Do it

Please count.
:::

::: {.solution}
Counted so.
:::

::: {#exr-second}
Untitled task.
:::

::: {.solution}
Untitled answer.
:::

::: {.callout-warning title="Mind the gap"}
A warning.
:::

::: {.callout-note}
## Its own title
A note.
:::

[An aside.]{.aside}

::: {.column-margin}
In the margin.
:::

::: {.content-visible when-format="html"}
Only on screen.
:::

::: {.content-visible when-format="typst"}
Only on paper.
:::

::: {.content-hidden when-format="typst"}
Not on paper.
:::
"""

TWO = """# Two {#sec-two}

All: @sec-one, @sec-deep, @sec-deeper, @fig-first, @fig-second, @tbl-first,
@tbl-second, @eq-first, @eq-second, @exr-first, @exr-second, @sec-two,
@sec-more.
Only the number: -@fig-second.

""" + "\n".join([
    cell("print('to ``` out')\nimport sys\nprint('to err', file=sys.stderr)",
         reproduce="close", tolerance="1e-5"),
    cell("print('out 2'); print('err 2', file=sys.stderr)",
         reproduce="machine", warning="false"),
    cell("raise ValueError('a <b> error')", error="true", reproduce="exact"),
    cell("hidden_code = 1; print('shown result')", echo="false",
         reproduce="exact"),
    cell("shown_code = 2; print('hidden result')", output="false"),
    cell("silent_code = 3; print('silent result')", include="false"),
    cell("not_run = 4; print('never printed')", eval="false"),
]) + """
- an item

  ```{python}
  #| reproduce: exact
  text = "{{python}}"
  text
  ```

````
```{{python}}
shown = 1
```
````

::: {.quiz}
**Which one?**

- [ ] The wrong one. [It is wrong.]{.why}
- [x] The right one. [It is right.]{.why}
:::

::: {.quiz}
**And here?**

- [x] Surely this. [By choice.]{.why}
- [ ] Not this. [By chance.]{.why}
:::

## More {#sec-more}

He says so [@he2015].
"""

DATA = "# Data {#sec-data}\n\n## Where {#sec-where}\n\n" + figure(
    "fig-data", "Data picture"
)
ANSWERS = """# Answers

## Quizzes {.unnumbered}

::: {.answers}
:::

## Exercises {.unnumbered}

::: {.solutions}
:::
"""
BIBLIOGRAPHY = """@article{he2015,
  author = {He, Kaiming and Zhang, Xiangyu},
  title = {Delving deep}, year = {2015}, journal = {ICCV}
}
"""


# ------------------------------------------------------------ reading HTML

VOID = {"meta", "link", "input", "br", "img", "hr", "path", "use", "col"}


class Tree(HTMLParser):
    """The elements of a page: (tag, attributes, children)."""

    def __init__(self, text):
        super().__init__()
        self.root = ("root", {}, [])
        self.open = [self.root]
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        node = (tag, dict(attrs), [])
        self.open[-1][2].append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1][2].append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        while tag not in VOID and len(self.open) > 1:
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data):
        self.open[-1][2].append(data)


def walk(node):
    if not isinstance(node, str):
        yield node
        for child in node[2]:
            yield from walk(child)


def texts(node):
    if isinstance(node, str):
        return node
    return "".join(map(texts, node[2]))


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def said(node):
    return plain(texts(node))


def by_id(tree, name):
    (found,) = [n for n in walk(tree.root) if n[1].get("id") == name]
    return found


def main(tree):
    (found,) = [n for n in walk(tree.root) if n[0] == "main"]
    return found


# --------------------------------------------------------------- the book


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
    proof.check(book)
    tangle.tangle(book)
    woven = [weave.weave(book, result) for result in run.run_all(book)]
    html.set_pages(book, woven, root / "site", root / "cache")
    typst = pdf.typst_source(book, woven, root / "cache")
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


NUMBERS = {
    "sec-one": "Chapter 1", "sec-deep": "Section 1.1",
    "sec-deeper": "Section 1.1.1", "fig-first": "Figure 1.1",
    "fig-second": "Figure 1.2", "tbl-first": "Table 1.1",
    "tbl-second": "Table 1.2", "eq-first": "Equation 1.1",
    "eq-second": "Equation 1.2", "exr-first": "Exercise 1.1",
    "exr-second": "Exercise 1.2", "sec-two": "Chapter 2",
    "sec-more": "Section 2.1", "sec-data": "Appendix A",
    "sec-where": "Section A.1", "fig-data": "Figure A.1",
}


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
    woven = [weave.weave(book, result) for result in run.run_all(book)]
    html.set_pages(book, woven, tmp_path / "site", tmp_path / "cache")
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
        book, woven, tmp_path / "cache")
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


# ------------------------------------------------------------- the prose


def test_inline_values_are_text_to_the_letter(pages, typst):
    value = '<b>*_"$x$"_*</b> & &amp; -- ... @fig-no'
    assert f"Escaped: {value}." in said(main(pages["01-one"]))
    assert f"Escaped: {value}." in plain(typst)


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


# -------------------------------------------------------------- the cells


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
        proof.check(book_of(f"# One\n\n{cell(code)}\n{below}"))


def test_a_list_below_unmarked_code_stays_a_list(book_of):
    book = book_of("# One\n\n" + cell("'# <1> is'") + "\n1. A.\n")
    woven = weave.weave(book, asyncio.run(run.run(book, book.chapters[1])))
    text = html.page(book, woven, book.root)
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


def test_doubled_braces_show_single_ones_in_prose_alone(pages, typst):
    for text in (texts(main(pages["02-two"])), typst):
        assert "```{python}\nshown = 1" in text
        assert 'text = "{{python}}"' in text


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
    woven = [weave.weave(book, result) for result in run.run_all(book)]
    html.set_pages(book, woven, book.root / "s", book.root / "c")
    page = (book.root / "s/book/01-one.html").read_text(encoding="utf-8")
    page = page[page.index("<main"):]
    assert re.findall(r'class="section-number">([^<]+)<', page) == [
        "1.1", "1.2"]
    assert "Section\u00a01.2" in page


# -------------------------------------------------------------- the pieces


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
    (_, one) = [weave.weave(book, result) for result in run.run_all(book)]
    stem = one.chapter.name
    assert one.pictures[f"figures/{stem}-dog.png"] == b"png"
    cat = f"figures/{stem}-cat.svg"
    assert f'id="{stem}-cat-p"'.encode() in one.pictures[cat]
    assert one.renamed == {"../cat.svg": cat,
                           "/figures/dog.png": f"figures/{stem}-dog.png"}
    html.set_pages(book, [one], book.root / "s", book.root / "c")
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
    woven = weave.weave(book, result)
    with pytest.raises(BookError) as found:
        html.page(book, woven, book.root)
    assert str(found.value).startswith(
        "book/01-one.qmd:3: in figures/fig-a.svg: the style 'font: x'")


def test_an_unchanged_page_comes_from_the_cache(book_of, monkeypatch):
    book = book_of("# T\n\nProse.\n")

    def pages_of(book):
        woven = [weave.weave(book, r) for r in asyncio.run(all_of(book))]
        html.set_pages(
            book, woven, book.root / "s", book.root / "c"
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
        woven = [weave.weave(book, result) for result in run.run_all(book)]
        return pdf.typst_source(
            book, woven, tmp_path / "cache")

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


def test_the_appendix_of_answers_leads_to_each_exercise(pages):
    found = [n for n in walk(main(pages["answers"]))
             if n[0] == "a" and said(n).startswith("Exercise")]
    assert [(said(n), n[1]["href"]) for n in found] == [
        ("Exercise 1.1", "01-one.html#exr-first"),
        ("Exercise 1.2", "01-one.html#exr-second"),
    ]
