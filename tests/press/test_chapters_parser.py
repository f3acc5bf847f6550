"""The parser finds what Quarto finds, and says where each thing stands."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from press.errors import BookError
from press.read.book import read_book
from press.read.cells import Cell, Text, parse
from press.read.chapters import Chapter
from tiny import cell, write_book

PATH = Path("book/01-one.qmd")


def pieces(text):
    return list(parse(text, PATH))


def cells(text):
    return [p for p in pieces(text) if isinstance(p, Cell)]


def inlines(text):
    return [i.source for p in pieces(text) if isinstance(p, Text)
            for i in p.inlines()]


def chapter(text):
    return Chapter(PATH, "1", None, False, text, tuple(pieces(text)))


def fault(text):
    with pytest.raises(BookError) as caught:
        pieces(text)
    assert caught.value.path == PATH.as_posix()
    return caught.value


# ------------------------------------------------------------------ cells


def test_a_cell_is_its_options_its_source_and_their_lines():
    (found,) = cells(
        "# T\n\n```{python}\n#| label: fig-x\n#| echo: false\n\nx = 1\n\n"
        "y = 2\n\n```\n"
    )
    assert found.options == {"label": "fig-x", "echo": False}
    assert found.source == "x = 1\n\ny = 2"
    assert (found.line, found.source_line) == (3, 7)
    assert (found.line_of("echo"), found.line_of("none")) == (5, 3)
    assert found.name == "fig-x"


@pytest.mark.parametrize("opening", [
    "```{python}", "``` {python}", "```{python}  ", "````````{python}",
    "   ```{python}", "\t```{python}", "```\t{python}\t",
])
def test_these_lines_open_a_cell(opening):
    ticks = opening.split("{")[0].rstrip()
    (found,) = cells(f"{opening}\n1\n{ticks}\n")
    assert found.source == "1"


@pytest.mark.parametrize("opening", [
    "```python", "```{.python}", "```{{python}}", "```{pythonic}",
    "``{python}", "~~~{python}", "```{r}", "```{Python}", "> ```{python}",
])
def test_these_lines_open_no_cell(opening):
    assert cells(f"{opening}\n1\n```\n") == []


def test_a_cell_closes_with_as_many_ticks_as_it_opened_with():
    (found,) = cells("````{python}\n'''\n```\n'''\n````\ntext")
    assert found.source == "'''\n```\n'''"


@pytest.mark.parametrize("closing", ["````", " ```", "\t```"])
def test_a_closing_fence_that_quarto_would_not_see_is_an_error(closing):
    error = fault(f"text\n```{{python}}\n1\n{closing}\n")
    assert error.line == 4 and "line 2" in error.message


def test_spaces_after_a_closing_fence_do_not_matter():
    assert [c.source for c in cells("```{python}\n1\n``` \t\ntext")] == ["1"]


def test_a_cell_in_a_list_loses_the_lists_indentation():
    (found,) = cells(
        "- item\n\n    ```{python}\n    #| label: a\n    if x:\n"
        "        y\n\n    ```\n"
    )
    assert found.source == "if x:\n    y"
    assert (found.indent, found.label) == ("    ", "a")


def test_a_cell_indented_by_tabs_loses_those_tabs_only():
    (found,) = cells("-\titem\n\n\t```{python}\n\tif x:\n\t\ty\n\t```\n")
    assert found.source == "if x:\n\ty"


def test_tabs_inside_a_cell_are_kept():
    assert cells("```{python}\nx\t= 1\n```")[0].source == "x\t= 1"


def test_a_cell_inside_a_longer_fence_is_a_cell():
    (found,) = cells("````\n```{python}\n1\n```\n````\n")
    assert (found.line, found.source) == (2, "1")


def test_an_empty_cell_is_a_cell():
    assert [c.source for c in cells("```{python}\n```")] == [""]


@pytest.mark.parametrize("text", [
    "a\n```{python}\n1\n",
    "a\n```{python}\n1\n\n```{python}\n2\n```\n",
    "a\n````{python}\n1\n```\n",
])
def test_a_cell_never_closed_is_an_error_at_its_opening(text):
    error = fault(text)
    assert error.line == 2 and "never closed" in error.message


@pytest.mark.parametrize("opening", [
    "```{python, echo=FALSE}", "```{python echo=false}", "```{python }",
])
def test_options_beside_the_language_are_an_error(opening):
    error = fault(f"a\n\n{opening}\n1\n```\n")
    assert error.line == 3 and "#| key: value" in error.message


# ---------------------------------------------------------------- options


@pytest.mark.parametrize("line", ["#| a: 1", "#|a: 1", "# | a: 1", "#  |a: 1"])
def test_quartos_spellings_of_an_option_are_read(line):
    (found,) = cells(f"```{{python}}\n{line}\nx\n```")
    assert (found.options, found.source) == ({"a": 1}, "x")


def test_blank_lines_above_the_options_do_not_lose_them():
    (found,) = cells("```{python}\n\n#| a: 1\nx\n```")
    assert (found.options, found.source) == ({"a": 1}, "x")
    assert (found.line, found.line_of("a"), found.source_line) == (1, 3, 4)


def test_an_option_below_code_is_a_comment():
    (found,) = cells("```{python}\nx\n#| a: 1\n```")
    assert (found.options, found.source) == ({}, "x\n#| a: 1")


def test_an_option_may_run_over_several_lines():
    (found,) = cells("```{python}\n#| a: >\n#|   one\n#|   two\nx\n```")
    assert found.options == {"a": "one two"}


@pytest.mark.parametrize("options, line, says", [
    ("#| a: 1\n#| cap: one: two", 3, "quotes"),
    ("#| just words", 2, "no value"),
    ("#| a: 1\n#| b: 2\n#| a: 3", 4, "twice"),
])
def test_an_option_that_is_not_yaml_is_an_error_on_its_line(
    options, line, says
):
    error = fault(f"```{{python}}\n{options}\nx\n```")
    assert error.line == line and says in error.message


# ----------------------------------------------------------------- inline


@pytest.mark.parametrize("text, found", [
    ("a `{python} 1 + 1` b", ["1 + 1"]),
    ("`{python} a` `{python} b`", ["a", "b"]),
    ("`{python}\tx `", ["x"]),
    ("`{python} f(\n  1)`", ["f(\n  1)"]),
    ("`{python} a``{python} b`", ["a"]),
    ("``{python} x``", []),
    ("`{python}x`", []),
    ("`{{python}} x`", []),
    ("`{r} x`", []),
    ("`python x`", []),
    ("```\n`{python} x`\n```", ["x"]),
])
def test_inline_code_is_what_quartos_pattern_finds(text, found):
    assert inlines(text) == found


def test_an_inline_expression_knows_its_line():
    text = "# T\n\n```{python}\n1\n```\n\na\n`{python} x`, `{python}\ty`\n"
    found = [i for p in pieces(text) if isinstance(p, Text)
             for i in p.inlines()]
    assert [(i.source, i.line) for i in found] == [("x", 8), ("y", 8)]


# ---------------------------------------------------------------- files

TEXT = "---\nlang: en\n---\n# T\n\n```{python}\n#| a: 1\nx\n```\n\nend\n"


@pytest.mark.parametrize("changed", [
    TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r"), "\ufeff" + TEXT,
    ("\ufeff" + TEXT).replace("\n", "\r\n"),
])
def test_line_endings_and_byte_order_marks_change_nothing(changed):
    assert pieces(changed) == pieces(TEXT)
    assert cells(changed)[0].options == {"a": 1}


def test_front_matter_is_no_prose():
    first = pieces(TEXT)[0]
    assert (first.text, first.line) == ("# T\n", 4)


def test_three_hyphens_later_on_are_prose():
    assert pieces("# T\n\n---\n\nend")[0].text == "# T\n\n---\n\nend"


def test_front_matter_never_closed_is_an_error():
    assert "never closed" in fault("---\nlang: en\n\n# T\n").message


LINES = st.lists(st.sampled_from([
    "", "text", "# T", "```", "````", "~~~", "```{python}", "  ```{python}",
    "  ```", "````{python}", "```{{python}}", "#| a: 1", "::: {.quiz}",
    ":::", "`{python} x`", "---", "\t", "x\u2028y", "> ```",
]), max_size=12)


@settings(max_examples=300)
@given(LINES)
def test_no_line_is_lost_and_every_piece_stands_where_it_says(lines):
    text = "\n".join(["head", *lines])
    try:
        found = pieces(text)
    except BookError as error:
        assert 1 <= error.line <= len(lines) + 1
        return
    where = 1
    for piece in found:
        assert piece.line == where
        if isinstance(piece, Text):
            where += piece.text.count("\n") + 1
        else:
            opening = text.split("\n")[where - 1]
            end = next(
                n for n, line in enumerate(text.split("\n")[where:], where)
                if line == opening.partition("{")[0]
            )
            where = end + 2
            assert piece.source_line > piece.line
    assert where == text.count("\n") + 2


# ----------------------------------------------------------------- prose


def shown(text):
    lines = chapter(text).scan.shown
    return [(n, line) for n, line in enumerate(lines, 1) if line]


def test_prose_lines_leave_out_cells_and_fences():
    assert shown(
        "a\n```{python}\n# no\n```\nb\n````\n```\n# no\n````\n~~~\nno\n~~~\nc"
    ) == [(1, "a"), (5, "b"), (13, "c")]


def test_a_fence_with_text_after_its_end_mark_stays_open():
    assert shown("```\nno\n``` no\nno\n```\nyes") == [(6, "yes")]


def test_odd_line_separators_do_not_shift_line_numbers():
    assert shown("a\u2028b\x0cc\x85d\ne")[-1] == (2, "e")


def test_comments_are_hidden_but_not_what_only_looks_like_one():
    assert shown(
        "a <!-- no --> b\n<!--\n# no\n-->c\n`<!--` d\n```\n<!--\n```\ne"
    ) == [(1, "a  b"), (4, "c"), (5, "`<!--` d"), (9, "e")]


def test_headings_divs_and_cells_are_stamped_with_their_lines():
    text = (
        "# One {#sec-one}\n::: {#exr-one .hard}\n:::: solution\n"
        "<!--\n## no\n-->\n::::\n```{python}\n1\n```\n:::\n```\n# no\n```\n"
    )
    assert [(s.kind, s.line, s.id) for s in chapter(text).scan.stamps] == [
        ("heading", 1, "sec-one"), ("div", 2, "exr-one"), ("div", 3, ""),
        ("end", 7, ""), ("cell", 8, ""), ("end", 11, ""),
    ]


# ------------------------------------------------------------- the book


def test_chapters_are_numbered_in_reading_order(book_of):
    book = book_of(
        {"index": "# Start {.unnumbered}\n", "01-one": "# One {#sec-one}\n",
         "02-two": "# Two\n"},
        appendices={"data": "# Data\n", "answers": "# Answers\n"},
    )
    assert [
        (c.name, c.number, c.part, c.appendix, c.title, c.page)
        for c in book.chapters
    ] == [
        ("index", "", None, False, "Start", "index.html"),
        ("01-one", "1", "One", False, "One", "book/01-one.html"),
        ("02-two", "2", "One", False, "Two", "book/02-two.html"),
        ("data", "A", None, True, "Data", "book/data.html"),
        ("answers", "B", None, True, "Answers", "book/answers.html"),
    ]


def broken(root):
    with pytest.raises(BookError) as caught:
        read_book(root)
    return str(caught.value)


def test_a_chapter_that_is_not_there_is_an_error(tmp_path):
    root = write_book(tmp_path, {"01-one": "# One\n"})
    (root / "book" / "01-one.qmd").unlink()
    assert broken(root) == (
        "_quarto.yml:7: no such chapter: book/01-one.qmd; name a file that is "
        "there")


@pytest.mark.parametrize("config, says", [
    ("book: [", "_quarto.yml:1: not YAML"),
    ("book:\n  title: x\n", "list them under book: chapters:"),
    ("", "list them under book: chapters:"),
    ("book:\n  title: x\n  chapters:\n    - 3\n", "_quarto.yml:4: "),
])
def test_a_configuration_that_names_no_chapters_is_an_error(
    tmp_path, config, says
):
    (tmp_path / "_quarto.yml").write_text(config, encoding="utf-8")
    assert says in broken(tmp_path)


def test_no_configuration_is_an_error(tmp_path):
    assert "not found" in broken(tmp_path)


def test_a_chapter_without_title_is_an_error(tmp_path):
    root = write_book(tmp_path, {"01-one": "## Only a section\n"})
    assert "book/01-one.qmd:1: no title" in broken(root)


def test_a_title_inside_a_fence_or_a_cell_is_none(tmp_path):
    text = "```\n# no\n```\n\n" + cell("# no")
    root = write_book(tmp_path, {"01-one": text})
    assert "no title" in broken(root)


def test_a_chapter_not_in_utf8_is_an_error_on_its_line(tmp_path):
    root = write_book(tmp_path, {"01-one": b"# One\n\ncaf\xe9\n"})
    assert "book/01-one.qmd:3: not UTF-8" in broken(root)


def test_two_chapters_of_one_name_are_an_error(tmp_path):
    root = write_book(tmp_path, {"index": "# S\n", "one": "# One\n"})
    config = root / "_quarto.yml"
    with open(config, "a", encoding="utf-8") as file:
        file.write("  appendices:\n    - one.qmd\n")
    (root / "one.qmd").write_text("# Another\n", encoding="utf-8")
    assert "book/one.qmd and one.qmd bear one name" in broken(root)
