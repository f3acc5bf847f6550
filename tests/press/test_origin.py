"""What Typst cannot set is named by the chapter and line it comes from."""

import pytest

from press import build
from press.errors import BookError
from press.read.book import read_book
from press.run import run
from press.weave import weave
from press.weave.typst import pdf
from press.weave.typst.origin import FROM, find_origin, made_of
from small_book import BIBLIOGRAPHY
from tiny import cell

pytestmark = [pytest.mark.usefixtures("quick_kernels"), pytest.mark.daily]
GLYPH = "标"  # in none of the book's faces
SVG = ("from IPython.display import SVG\nSVG('<svg xmlns=\""
       "http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>')")
PROSE = "".join(
    f"Words of paragraph {i} on many things, and `code {i}` in it.\n\n"
    for i in range(6)
)
# Each with the piece of its chapter that stands on the line to be named.
FAULTS = {
    "prose": (f"One {GLYPH} word.", GLYPH),
    "a line of several": (f"Words\nand more\nof {GLYPH} words\nend.", GLYPH),
    "the same again": (
        "Same.\n\n" * 9 + f"Same {GLYPH}.\n\n" + "Same.\n\n" * 9, GLYPH),
    "a table": (f"| a | b |\n|---|---|\n| c | {GLYPH} |", GLYPH),
    "a note": (f"Noted.^[So {GLYPH}.]", GLYPH),
    "a margin": (f"Beside [it is {GLYPH}]{{.aside}} this.", GLYPH),
    "a formula": (f"So $x + \\text{{{GLYPH}}}$.", GLYPH),
    "an equation": (f"$$x + \\text{{{GLYPH}}}$$ {{#eq-a}}", GLYPH),
    "code": (cell(f"x = 1\n# so {GLYPH}\ny = 2"), GLYPH),
    "a caption": (cell(SVG, label="fig-a", fig_cap=f'"So {GLYPH}"',
                       fig_alt="a"), GLYPH),
    "an output": (cell("a = 1\nprint(chr(0x6807))", reproduce="exact"),
                  "0x6807"),
    "an output of hidden code": (
        cell("print(1)", reproduce="exact") + "\nBetween.\n\n"
        + cell("print(chr(0x6807))", echo="false", reproduce="exact"),
        "0x6807"),
    "a table that a cell prints": (
        cell("from IPython.display import Markdown\n"
             "Markdown('|a|\\n|-|\\n|' + chr(0x6807) + '|')", label="tbl-a",
             tbl_cap="T", reproduce="exact"), "0x6807"),
    "a value": (cell("c = chr(0x6807)") + "\nIt is `{python} c` here.",
                "It is"),
    "an exercise": (f"::: {{#exr-a}}\n## Do {GLYPH}\n\nDo.\n:::\n\n"
                    "::: {.solution}\nSo.\n:::", GLYPH),
    "a solution": (f"::: {{#exr-a}}\n## Do\n\nDo.\n:::\n\n{PROSE}"
                   f"::: {{.solution}}\nSo {GLYPH}.\n:::", GLYPH),
    "an answer": ("::: {.quiz}\nWhat?\n\n- [ ] no [why]{.why}\n"
                  f"- [x] yes {GLYPH} [so]{{.why}}\n:::", GLYPH),
    "a skipped level": ("#### Third level", "####"),
    "a label": ("## T {#sec-t①}\n\n@sec-t①", "##"),
    "markup of Typst's": ("```{=typst}\n#no-such\n```", "#no"),
}
AFTER = {"answers": "# Answers\n\n::: {.answers}\n:::\n\n::: {.solutions}\n"
                    ":::\n\nThe end.\n"}


def typeset(book):
    woven = weave.weave_book(book, run.run_all(book))
    pdf.set_pdf(
        woven, book.root / "b.pdf", book.root / "cache",
        imprint=build.imprint(book),
    )


def complaint(book):
    with pytest.raises(BookError) as found:
        typeset(book)
    return found.value


@pytest.mark.parametrize("fault", FAULTS)
def test_what_typst_cannot_set_is_named_by_its_line(book_of, fault):
    text, there = FAULTS[fault]
    text = f"# Two {{#sec-two}}\n\n{PROSE}{text}\n\n{PROSE}"
    error = complaint(book_of(
        {"01-one": f"# One\n\n{PROSE}", "02-two": text,
         "03-three": f"# Three\n\n{PROSE}"}, appendices=AFTER,
    ))
    line = text[:text.index(there)].count("\n") + 1
    assert (error.path, error.line) == ("book/02-two.qmd", line)
    assert error.message.startswith("Typst cannot set this: ")
    assert "cache" not in str(error)


def test_the_message_says_what_helps_and_shows_the_source(book_of):
    error = complaint(book_of(f"# One\n\nOne {GLYPH} word.\n"))
    first, source = error.message.split("\n")
    assert first == (
        "Typst cannot set this: PDF/UA-1 error: the text `\"标\"` could not "
        "be displayed with font `\"Libertinus Serif\"`; try using a different "
        "font"
    )
    assert source == f"One {GLYPH} word."


def test_a_title_a_part_and_the_end_of_the_appendix_are_named_too(book_of):
    error = complaint(book_of({"01-one": f"# So {GLYPH}\n\nA.\n"}))
    assert (error.path, error.line) == ("book/01-one.qmd", 1)
    chapters = {"01-one": "# One\n\n" + FAULTS["an answer"][0].replace(
        GLYPH, "") + "\n\n" + FAULTS["a solution"][0].replace(GLYPH, "")}
    error = complaint(book_of(chapters, appendices={
        "answers": AFTER["answers"].replace("end", f"end {GLYPH}")}))
    assert (error.path, error.line) == ("book/answers.qmd", 9)
    book = book_of(chapters, appendices=AFTER)
    config = book.root / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("part: One", f"part: {GLYPH}"),
                      encoding="utf-8")
    assert complaint(read_book(book.root)).path == "_quarto.yml"
    config.write_text(text.replace("Tiny", f"Ti{GLYPH}ny"), encoding="utf-8")
    error = complaint(read_book(book.root))
    assert (error.path, error.line) == ("_quarto.yml", 2)
    assert error.message.endswith(f"\n{GLYPH}")


def test_a_work_cited_is_named_with_its_line(book_of):
    book = book_of("# One\n\nSee [@he2015].\n",
                   config="bibliography: book/references.bib\n")
    works = book.root / "book" / "references.bib"
    works.write_text(BIBLIOGRAPHY.replace("Delving", f"Del{GLYPH}ving"),
                     encoding="utf-8")
    error = complaint(read_book(book.root))
    assert (error.path, error.line) == ("book/references.bib", 3)


def test_a_fault_of_the_template_is_no_chapters(book_of):
    book = book_of("# One\n\nText.\n")
    source = "#let f(x) = x.y\n" + made_of(book.chapters[1], "#f(1)\n")
    inner = "error: e\n  ┌─ a b/main.typ:1:12\n  │\n1 │ #let f(x) = x.y\n" \
        "  │             ^^^\n\n"
    assert find_origin(book, source, inner) == (
        "the printed book", None, "#let f(x) = x.y")
    called = "help: while\n  ┌─ a b/main.typ:3:1\n  │\n3 │ #f(1)\n  │  ^^^^"
    assert find_origin(book, source, inner + called)[::2] == (
        "book/01-one.qmd", "#f(1)")
    assert find_origin(book, source, "error: e") == (
        "the printed book", None, "")


def test_each_piece_of_the_source_says_what_it_is_made_of(book_of):
    book = book_of({"01-one": "# One\n\n" + FAULTS["an answer"][0].replace(
        GLYPH, ""), "02-two": "# Two\n\nText.\n"}, appendices=AFTER)
    woven = weave.weave_book(book, run.run_all(book))
    (book.root / "c").mkdir()
    source = pdf.typst_source(
        woven, book.root / "c")
    named = [line.removeprefix(FROM) for line in source.split("\n")
             if line.startswith(FROM)]
    one, answers = "book/01-one", "book/answers"
    assert named == [
        "index", "_quarto.yml", one, "book/02-two", "_quarto.yml",
        answers, one, answers, answers, "",
    ]


def test_what_colors_a_terminal_is_not_printed(book_of):
    book = book_of("# One\n\n" + "\n".join([
        cell(r"print('\x1b[31mred\x1b[0m \x1b[38;5;9;1mbold\x1b[K')",
             reproduce="exact"),
        cell("raise ValueError('\\x1b[1mbad\\x1b[0m')", error="true",
             reproduce="exact"),
        cell("class A:\n    def __repr__(self):\n        return "
             "'\\x1b[1mvalue\\x1b[0m'\n\nA()", reproduce="exact"),
    ]))
    (_, result) = run.run_all(book)
    text = weave.weave(book, result).markdown
    assert "\x1b" not in text and "\nred bold\n" in text
    assert "\nValueError: bad\n" in text and "\nvalue\n" in text
    typeset(book)
