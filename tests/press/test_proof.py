"""The proof finds, with file and line, what would be wrong on the page."""

import pytest

from press.check import proof
from press.errors import BookError, BookErrors
from press.run.results import Result
from tiny import PNG, cell

FIGURE = {"label": "fig-x", "fig_cap": "A caption", "fig_alt": "A picture"}


def faults(book):
    return [str(fault) for fault in proof.find_faults(book)]


def only(book):
    (fault,) = faults(book)
    return fault


def test_a_book_without_faults_passes(book_of):
    book = book_of({
        "01-one": """---
lang: en
---
# One {#sec-one}

See @fig-x, @eq-x, -@eq-x, [@exr-x], @sec-two; write to a\\@b.org or a@b.org.

[To the second](02-two.qmd), [to its section](02-two.qmd#sec-two),
[here](#sec-one), [away](https://example.org/#x).

$$x$$ {#eq-x}

![A cat](/cat.png) and ![](/cat.png){alt="A cat"}

::: {#exr-x}
## Title
:::

::: {.quiz}
**Which?**

- [ ] a [because b]{.why}
- [X] b [because
  a]{.why}
:::

```
@fig-nothing [x](nowhere.qmd) ![](no.png)
```

`@fig-nothing` and `x
@fig-nothing`.

""" + cell("1", **FIGURE) + cell("x = 1", label="plain"),
        "02-two": "# Two {#sec-two}\n\n" + cell("x = 2", label="plain"),
    })
    (book.root / "cat.png").write_bytes(PNG)
    assert faults(book) == []
    proof.check_sources(book)


def test_all_faults_are_told_at_once_in_order(book_of):
    book = book_of({"02-two": "# T\n\n@fig-b\n\n@fig-a\n",
                    "01-one": "# T\n\n@fig-c\n"})
    with pytest.raises(BookErrors) as caught:
        proof.check_sources(book)
    assert [str(e).split(";")[0] for e in caught.value.errors] == [
        "book/01-one.qmd:3: nothing is labelled 'fig-c'",
        "book/02-two.qmd:3: nothing is labelled 'fig-b'",
        "book/02-two.qmd:5: nothing is labelled 'fig-a'",
    ]


# ------------------------------------------------------------------ cells


@pytest.mark.parametrize("options, line, says", [
    ("#| echo: false\n#| lable: x", 5, "unknown option 'lable'; write 'label"),
    ("#| quux: 1", 4, "unknown option 'quux'; known are alone, code-fold, "
     "code-summary, echo, error"),
    ("#| export: x", 4, "'export' aborts Quarto's render"),
    ("#| file: x", 4, "'file' means something else to Quarto"),
    ("#| echo: fenced", 4, "'echo' is true or false"),
    ("#| eval: 0", 4, "'eval' is true or false"),
    ("#| reproduce: roughly", 4, "write exact, close or machine"),
    ("#| reproduce: close", 4, "how close? add '#| tolerance"),
    ("#| reproduce: close\n#| tolerance: -1", 5, "not a positive number"),
    ("#| reproduce: close\n#| tolerance: some", 5, "not a positive number"),
    ("#| reproduce: exact\n#| tolerance: 1e-5", 5, "with 'reproduce: close'"),
    ("#| label: Fig 1", 4, "'Fig 1' is no label"),
    ("#| label: fig-x\n#| fig-cap: c", 4, "lacks fig-alt"),
    ("#| fig-alt: a\n#| label: fig-x", 5, "lacks fig-cap"),
    ("#| label: tbl-x", 4, "lacks tbl-cap"),
    ("#| label: tbl-x\n#| tbl-cap: See @fig-y", 5, "labelled 'fig-y'"),
    ("x = 1\n#| echo: false", 5, "an option below code is a comment"),
])
def test_a_wrong_option_is_named_on_its_line(book_of, options, line, says):
    fault = only(book_of(f"# T\n\n```{{python}}\n{options}\n1\n```\n"))
    assert fault.startswith(f"book/01-one.qmd:{line}: ")
    assert says in fault


def test_a_line_over_72_columns_is_named(book_of):
    lines = "x" * 72 + "\n" + "y" * 73 + "\n" + "é" * 72
    fault = only(book_of("# T\n\n" + cell(lines, reproduce="exact")))
    assert fault == (
        "book/01-one.qmd:6: 73 columns; a page holds 72: break the line"
    )


def test_a_long_line_that_no_page_shows_is_no_fault(book_of):
    assert faults(book_of("# T\n\n" + cell("x" * 99, echo="false"))) == []


# ---------------------------------------------------------------- labels


def test_a_label_that_stands_twice_is_named_with_the_first(book_of):
    book = book_of({"01-one": "# One {#sec-one}\n\n" + cell("1", **FIGURE),
                    "02-two": "# Two\n\n![A](/a.png){#fig-x}\n"})
    (book.root / "a.png").write_bytes(PNG)
    assert only(book) == (
        "book/02-two.qmd:3: the label 'fig-x' already stands at "
        "book/01-one.qmd:4; rename one"
    )


def test_a_cells_plain_label_twice_in_a_chapter_is_a_fault(book_of):
    text = "# T\n\n" + cell("x = 1", label="a") + cell("x = 2", label="a")
    assert only(book_of(text)) == (
        "book/01-one.qmd:8: the label 'a' already stands at line 4; rename "
        "one"
    )


@pytest.mark.parametrize("text, says", [
    ("@fig-no", "nothing is labelled 'fig-no'; label something so"),
    ("a\n@sec-onne.", "nothing is labelled 'sec-onne'; write @sec-one"),
    ("[-@tbl-no]", "nothing is labelled 'tbl-no'"),
    ("::: {.quiz-like}\n@exr-no\n:::", "nothing is labelled 'exr-no'"),
    ("- a `b` @eq-no", "nothing is labelled 'eq-no'"),
    ("[@he2015]", "no source 'he2015' in the bibliography"),
    ("see [@sec-one; @sec-one]", "several references in one bracket"),
    ("a\n[x](no.qmd)", "the link leads to book/no.qmd, which is not there"),
    ("[a long\nlink](no.qmd)", "book/no.qmd, which is not there"),
    ("[a `]` b](../no.qmd)", "the link leads to no.qmd"),
    ("[W[in, out]](no.qmd)", "book/no.qmd, which is not there"),
    ("[x](#one)", "the link leads to '#one', which is no label"),
    ("[x](01-one.qmd#sec-two)", "leads to '#sec-two', which is no label"),
    ("![](/there.png)", "the image /there.png has no alt text"),
    ("![A cat](no.png)", "no such image: book/no.png"),
    ("![A cat\n[1, 2]](no.png)", "no such image: book/no.png"),
    ("text\n## No blank line", "no heading without a blank line above it"),
    ("text\n----", "this makes a heading of the line above"),
    ("Text\n====", "this makes a heading of the line above"),
    ("`{python} 1`", "an inline expression needs a ```{python} cell"),
])
def test_a_fault_in_the_prose_is_named_on_its_line(book_of, text, says):
    book = book_of({"01-one": f"# One {{#sec-one}}\n\n{text}\n",
                    "02-two": "# Two {#sec-two}\n"})
    (book.root / "there.png").write_bytes(PNG)
    fault = only(book)
    lines = text.split("\n")
    lines_named = [
        3 + n for n, line in enumerate(lines)
        if line.startswith(("@", "[", "!", "-", "##", "==", "`", "see"))
    ]
    assert fault.startswith(f"book/01-one.qmd:{lines_named[0]}: ")
    assert says in fault


def test_code_over_two_lines_does_not_shift_line_numbers(book_of):
    fault = only(book_of("# T\n\n`a\nb` and\n@fig-no\n"))
    assert fault.startswith("book/01-one.qmd:5: nothing is labelled")


def test_citations_are_looked_up_in_the_bibliography(book_of):
    book = book_of("# T\n\n[@he2015] and @kingma2015.\n",
                   config="bibliography: book/references.bib\n")
    (book.root / "book" / "references.bib").write_text(
        "@article{he2015,\n  title = {x}\n}\n",
        encoding="utf-8",
    )
    assert only(book) == (
        "book/01-one.qmd:3: no source 'kingma2015' in the bibliography; add "
        "it to book/references.bib, or write \\@kingma2015 for the sign "
        "itself, an address as <https://…>"
    )


# ------------------------------------------------------ typed references

NUMBERED = {
    "index": "# Start {#sec-start .unnumbered}\n",
    "01-one": "# One {#sec-one}\n\n## Deep {#sec-deep}\n\n"
              + cell("1", **FIGURE) + "\n$$x$$ {#eq-x}\n\n::: {#exr-x}\n"
              "## Title\n:::\n\n|a|\n|-|\n\n: Rows {#tbl-x}\n",
}


def typed(book_of, text):
    """The faults of a second chapter, whose text begins on line 3."""
    chapters = {**NUMBERED, "02-two": f"# Two {{#sec-two}}\n\n{text}\n"}
    book = book_of(chapters, appendices={"data": "# Data {#sec-data}\n"},
                   config="bibliography: book/references.bib\n")
    (book.root / "book" / "references.bib").write_text(
        "@book{he2015,\n}\n", encoding="utf-8")
    return faults(book)


@pytest.mark.parametrize("text, write", [
    ("Chapter 1", "@sec-one, which follows the chapter when it moves"),
    ("Chapter 0", "@sec-start, which follows the chapter"),
    ("Section 1.1", "@sec-deep, which follows the section"),
    ("Figure 1.1", "@fig-x, which follows the figure"),
    ("Table 1.1", "@tbl-x, which follows the table"),
    ("Equation 1.1", "@eq-x, which follows the equation"),
    ("Exercise 1.1", "@exr-x, which follows the exercise"),
    ("Appendix A", "@sec-data, which follows the appendix"),
    ("Figure 9.9", "@fig-…, which follows the figure"),
    ("Fig. 1.1", "@fig-x, which follows the figure"),
    ("Eq. (1.1)", "@eq-x, which follows the equation"),
    ("Chapters 1 and 2", "Chapters [-@sec-one] and [-@sec-two], which follow "
     "the chapters when they move"),
    ("Chapters 0, 1 to 2", "Chapters [-@sec-start], [-@sec-one] to "
     "[-@sec-two], which follow"),
    ("Appendices A and B", "Appendices [-@sec-data] and [-@sec-…], which "
     "follow the appendices"),
    ("Sections 1.1–1.2", "Sections [-@sec-deep]–[-@sec-…], which follow the "
     "sections"),
])
def test_a_number_that_is_typed_is_told_with_its_label(book_of, text, write):
    (fault,) = typed(book_of, f"One line.\nWe go on to\n{text}.")
    assert fault == (
        f"book/02-two.qmd:5: '{text}' is typed; write {write}"
        + fault[fault.index(write) + len(write):])
    assert fault.endswith(f" (of another work: [@key, {text}])")


@pytest.mark.parametrize("text, line", [
    ("See\nChapter\n1.", 4), ("in chapter 1", 3), ("Chapter\\ 1", 3),
    ("Chapter&nbsp;1", 3), ("Chapter\u00a01", 3), ("(Chapter 1)", 3),
    ("> Chapter\n> 1", 3), ("- [ ] a [Chapter 1 says]{.why}", 3),
    ("|a|\n|-|\n|Chapter 1|\n", 5), ("[Chapter 1](01-one.qmd)", 3),
    ("[a [@he2015] in Chapter 1]{.aside}", 3),
    ("[@he2015] and Chapter 1's", 3),
    ("`a\nb` Chapter 1", 4), ("<!--\n\n-->Chapter 1", 5),
    ("|a|\n|-|\n\n: Chapter 1 {#tbl-y}", 6), ("Chapter 1, 60,000 images", 3),
    (cell("1", label="tbl-y", tbl_cap="Of Chapter 1", echo="false"), 5),
    (cell("1", label="fig-y", fig_alt="A", fig_cap="'`a` (Chapter 1)'"), 6),
])
def test_a_typed_number_is_found_wherever_it_is_read(book_of, text, line):
    (fault,) = typed(book_of, text)
    assert fault.lower().startswith(
        f"book/02-two.qmd:{line}: 'chapter 1' is typed; write @sec-one, ")


@pytest.mark.parametrize("text", [
    "`Chapter 1` and ``a ` Chapter 1``", "```\nChapter 1\n```",
    cell('"""Chapter 1"""  # of Chapter 1'), "<!-- Chapter 1\n\nFigure 1 -->",
    "[a](<https://a.org/Chapter 1>)", '[a](https://a.org/ "Chapter 1")',
    "https://example.org/Chapter-1", "[@he2015, Section 3.2]",
    "[see @he2015, Figure 2]", "@he2015 [Chapter 3]", "[-@he2015, Table 1.1]",
    "Chapters [-@sec-one] and [-@sec-two]", "@sec-one's 3 lines",
    "Chapter\n\n1", "this figure 8 times", "This chapter 12 times",
    "Table A", "an appendix A", "Subsection 3", "Chapter 3D",
    "Exercise I do", "Chapter `{python} 1`\n\n" + cell("1"),
])
def test_what_names_nothing_of_the_book_is_no_typed_number(book_of, text):
    assert typed(book_of, text) == []


@pytest.mark.parametrize("text", [
    "## After Chapter 1", '::: {.sim data-shows="As in Chapter 1"}\n:::',
])
def test_where_no_reference_can_stand_the_number_is_left_out(book_of, text):
    assert typed(book_of, text) == [
        "book/02-two.qmd:3: 'Chapter 1' is typed where no reference can "
        "stand; leave the number out",
    ]


# ---------------------------------------------------------------- fences


@pytest.mark.parametrize("text, line, says", [
    ("````\n```{python}\nx = 1\n```\n````", 4, "inside another fence"),
    ("```\n`{python} x`\n```\n" + cell("x = 1"), 4, "stands in a fence"),
    ("a\n\n```\nx", 5, "this fence is never closed; add ```"),
    ("~~~~\n```\nx\n```\n", 3, "this fence is never closed; add ~~~~"),
    ("::: {.callout-note}\nx", 3, "this div is never closed"),
    ("::: {.a}\n:::: {.b}\nx\n:::", 3, "this div is never closed"),
])
def test_what_is_left_open_is_named_where_it_opens(book_of, text, line, says):
    fault = only(book_of(f"# T\n\n{text}\n"))
    assert fault.startswith(f"book/01-one.qmd:{line}: ")
    assert says in fault


def test_code_shown_with_doubled_braces_is_no_fault(book_of):
    text = "# T\n\n````\n```{{python}}\n1\n```\n````\n\n`{{python}} x`\n"
    assert faults(book_of(text)) == []


# --------------------------------------------------------------- quizzes


@pytest.mark.parametrize("options, says", [
    ("- [ ] a [b]{.why}\n- [ ] b [b]{.why}", "exactly one right option"),
    ("- [x] a [b]{.why}\n- [x] b [b]{.why}", "exactly one right option"),
    ("- [x] a\n- [ ] b [b]{.why}", "does not say why"),
    ("- [x] a [b]{.why}\n- [ ] b", "does not say why"),
])
def test_a_quiz_has_one_right_option_and_reasons(book_of, options, says):
    fault = only(book_of(f"# T\n\n::: {{.quiz}}\n**?**\n\n{options}\n:::\n"))
    assert fault.startswith("book/01-one.qmd:3: ") and says in fault


def test_a_task_list_outside_a_quiz_is_free(book_of):
    assert faults(book_of("# T\n\n- [ ] a\n- [ ] b\n")) == []


# --------------------------------------------------------------- outputs


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def printed(book, outputs):
    chapter = book.chapters[1]
    index = next(i for i, p in enumerate(chapter.pieces) if hasattr(p, "name"))
    proof.check_outputs([Result(chapter, {index: outputs}, {}, None, True)])


@pytest.mark.parametrize("outputs", [
    [stream("1\n")],
    [{"output_type": "display_data", "data": {"text/plain": "1"}}],
    [{"output_type": "error", "ename": "E", "evalue": "x"}],
])
def test_a_result_without_its_class_is_an_error(book_of, outputs):
    book = book_of("# T\n\n" + cell("print(1)"))
    with pytest.raises(BookErrors, match=r"qmd:3: this cell prints a result"):
        printed(book, outputs)
    printed(book_of("# T\n\n" + cell("print(1)", reproduce="exact")), outputs)
    printed(book_of("# T\n\n" + cell("print(1)", output="false")), outputs)


def test_warnings_and_pictures_need_no_class(book_of):
    printed(book_of("# T\n\n" + cell("print(1)")), [
        stream("careful\n", "stderr"),
        {"output_type": "display_data",
         "data": {"image/svg+xml": "<svg/>", "text/plain": "<Figure>"}},
    ])


def test_errors_know_their_place():
    error = BookError("book/x.qmd", 3, "wrong")
    assert (error.path, error.line, str(error)) == (
        "book/x.qmd", 3, "book/x.qmd:3: wrong"
    )
    assert str(BookError("code", None, "wrong")) == "code: wrong"


@pytest.mark.parametrize("text, named", [
    ("@sec-away", True), ("[x](#sec-away)", True),
    ('::: {.content-hidden when-format="typst"}\n@sec-away\n:::', False),
    ('::: {.content-visible when-format="typst"}\n\n@sec-away\n:::', True),
])
def test_paper_refers_to_nothing_that_it_leaves_out(book_of, text, named):
    book = book_of(
        f"# One\n\n{text}\n\n::: {{.content-visible unless-format='pdf'}}\n"
        "## Away {#sec-away}\n\nAs @sec-away says.\n:::\n")
    if named:
        assert "the printed book leaves 'sec-away' out" in only(book)
    else:
        assert faults(book) == []
