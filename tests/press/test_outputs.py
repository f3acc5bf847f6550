"""Outputs come out as a terminal shows them in the end, or are refused."""

import nbformat
import pytest

from press.errors import BookErrors
from press.read.book import read_book
from press.run import run
from press.run.outputs import output_faults
from press.run.results import Result, merged
from press.run.screen import left_on_screen
from tiny import cell, write_book
from tiny_runs import failure

SVG = {"image/svg+xml": "<svg/>", "text/plain": "<Figure size 1x1>"}
ROWS = {"text/markdown": "| a |\n|---|\n| 1 |", "text/plain": "<M object>"}
FIGURE = {"label": "fig-a", "fig_cap": "C", "fig_alt": "A"}
TABLE = {"label": "tbl-a", "tbl_cap": "C"}


# ------------------------------------------------------------ the terminal


@pytest.mark.parametrize("text, left", [
    ("plain\n\ttext  \n", "plain\n\ttext  \n"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("\r 0%\r 50%\r100%\n", "100%\n"),
    ("100%\r9%", "9%0%"),
    ("long line\r\x1b[Kshort", "short"),
    ("long line\x1b[2K\rshort", "short"),
    ("ab\x08c\x08\x08d", "dc"),
    ("\x1b[31mred\x1b[0m, \x1b[1;38;5;9mbold\x1b[m", "red, bold"),
    ("\x1b]8;;https://a.b\x1b\\link\x1b]8;;\x07 \x1b]0;title\x07x", "link x"),
    ("outer 0\nin 0\n\x1b[A\x1b[A\router 1\nin 1\n", "outer 1\nin 1\n"),
    ("a\nb\x1b[1Fc", "c\nb"), ("a\x1b[2Cb", "a  b"), ("ab\x1b[1Gc", "cb"),
    ("ab\x1b[2D\x1b[1Kc", "cb"), ("a\nb\nc\x1b[2J\x1b[Hd", "d\n\n"),
    ("a\nb\nc\x1b[2A\x1b[Jd", "ad"), ("\x1b[sab\x1b[uc", "cb"),
    ("\x1b[9999999Ba", None), ("\x1b[5Da", "a"), ("a\x07\x00\x7fb\x9b", "ab"),
    ("a\x1b", "a"), ("a\x1b(Bb\x1b=c", "abc"), ("a\x0cb", "a\nb"),
])
def test_a_text_is_what_a_terminal_shows_in_the_end(text, left):
    found = left_on_screen(text)
    assert left is None or found == left
    assert left_on_screen(found) == found


def stream(text, name="stderr"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(*outputs):
    return [(o.get("name"), o.get("text", o.get("data"))) for o in
            merged(list(outputs))]


def test_a_bar_that_words_have_come_between_is_one_bar():
    assert shown(
        stream("\r 0%"), stream("one\n", "stdout"), stream("\r 50%"),
        stream("two\n", "stdout"), stream("\r100%\n"),
    ) == [("stderr", "100%\n"), ("stdout", "one\ntwo\n")]


def test_a_bar_that_is_wiped_leaves_nothing():
    assert shown(stream("\r 0%"), stream("\r    \r")) == []


def test_colors_go_from_values_and_tables_too():
    data = {"text/plain": "\x1b[1mx\x1b[0m", "text/markdown": "a\x1b[0m"}
    ((_, found),) = shown(nbformat.v4.new_output("execute_result", data))
    assert found == {"text/plain": "x", "text/markdown": "a"}


# ------------------------------------------------------------ what is shown


def told(book_of, outputs, **options):
    """What is said of a cell that gave these outputs."""
    chapter = book_of("# T\n\n" + cell("x", **options)).chapters[1]
    (index,) = [i for i, p in enumerate(chapter.pieces) if hasattr(p, "name")]
    return [f"{fault.line}: {fault.message}" for fault in output_faults(
        Result(chapter, {index: outputs}, {}, None, True))]


def display(**data):
    return {"output_type": "display_data", "data": {
        kind.replace("_", "/", 1): body for kind, body in data.items()}}


def data(found):
    return {"output_type": "display_data", "data": found}


@pytest.mark.parametrize("output, says", [
    (display(text_html="<b>", text_plain="<IPython.core.display.HTML object>"),
     "3: this cell shows <IPython.core.display.HTML object>, which a PDF"),
    (display(text_latex="x", text_plain="<IPython.core.display.Math object>"),
     "a formula between $ and $"),
    (display(text_html="<table>", text_plain="<__main__.D at 0x7f01020304>"),
     "3: this cell shows <__main__.D at 0x7f01020304>, which a PDF"),
    (display(text_plain="<__main__.f.<locals>.Frame object>"), "which a PDF"),
    (display(application_javascript="x"), "shows application/javascript"),
    (data({"application/vnd.jupyter.widget-view+json": {},
           "text/plain": "IntSlider(value=0)"}), "widget-view+json, which"),
    (display(image_png="x", text_plain="<IPython.core.display.Image object>"),
     "3: this cell shows a picture as image/png; let matplotlib draw it"),
    (display(text_plain="[<matplotlib.lines.Line2D at 0x7f0102030405>]"),
     "is another each time; end the line with ';'"),
    (stream("<__main__.A object at 0x7f0102030405>\n", "stdout"),
     "prints <__main__.A object at 0x7f0102030405…"),
    (data(SVG), "3: this cell shows a picture that says nothing to those"),
    *((display(text_markdown=words), f"3: this cell prints Markdown, and "
       f"'{found}' in it: ") for words, found in [
        ("a<br>b", "<br"), ("x\n\n# H", "# "), ("![x](t.png)", "!["),
        ("a[^1]", "[^1]"), ("{{< x >}}", "{{<"), ("\\newpage", "\\newpage"),
        ("::: {.x}", ":::"),
        ("`x`{=html}", "{=html"), ("a <!-- x -->", "<!--"),
    ]),
])
def test_an_output_that_no_paper_shows_is_refused(book_of, output, says):
    (found,) = told(book_of, [output], reproduce="exact")
    assert says in found


@pytest.mark.parametrize("output, options", [
    (display(text_html="<table>", text_plain="   a\n0  1"), {}),
    (display(text_html="<b>", text_markdown="**x**",
             text_plain="<x object>"), {}),
    (stream("<A at 0x7f0102030405>", "stdout"), {"reproduce": "machine"}),
    (stream("<A at 0x7f0102030405>"), {"warning": "false"}),
    (display(text_html="", text_plain="<H object>"), {"output": "false"}),
    (stream("0x00000803 <a object>", "stdout"), {}),
    (data(SVG), {"fig_alt": "A"}), (data(SVG), FIGURE), (data(ROWS), TABLE),
    (display(text_markdown="+---+\n| a |\n+===+\n| 1 |\n+---+"), TABLE),
    (display(text_markdown="a  b\n-- --\n1  2"), TABLE),
    (display(text_markdown="`<b>` ``![`` $\\alpha<b$ $$\\x$$ \\# "
             "<https://a.b> 1 < 2 [x](y){.z}\n\n```\n# <b>\n```\n"), {}),
])
def test_an_output_that_every_format_shows_passes(book_of, output, options):
    assert told(book_of, [output], **options) == []


@pytest.mark.parametrize("outputs, options, says", [
    ([], FIGURE, "4: 'fig-a' names a picture, and its cell shows none; draw"),
    ([stream("a", "stdout")], FIGURE, "its cell shows none"),
    ([data(SVG), data(SVG)], FIGURE, "4: 'fig-a' names one picture, and its "
     "cell shows 2; show each in a cell with a label of its own"),
    ([stream("no table", "stdout")], TABLE, "4: 'tbl-a' names a table, and"),
    ([display(text_markdown="no | table\n\n---")], TABLE,
     "its cell shows none; end"),
    ([data(ROWS), data(ROWS)], TABLE, "names one table, and its cell shows 2"),
])
def test_a_label_names_one_picture_or_one_table(
    book_of, outputs, options, says
):
    (found,) = told(book_of, outputs, **options)
    assert says in found


# ------------------------------------------------------------------ kernels


def test_what_cannot_be_shown_is_told_of_all_chapters_and_not_kept(
    tmp_path, quick_kernels
):
    book = read_book(write_book(tmp_path, {
        "01-one": "# One\n\n" + cell("object()", reproduce="exact"),
        "02-two": "# Two\n\n" + cell("x = 1", **FIGURE),
        "03-three": "# Three\n\n" + cell("x = 1"),
    }))
    for _ in range(2):
        with pytest.raises(BookErrors) as caught:
            run.run_all(book)
        assert [(e.path, e.line) for e in caught.value.errors] == [
            ("book/01-one.qmd", 3), ("book/02-two.qmd", 4)]
    kept = {f.name[:-25] for f in (tmp_path / ".cache" / "run").iterdir()}
    assert kept == {"03-three"}


@pytest.mark.parametrize("value, says", [
    ("object()", "is <object at 0x"),
    ("print", None), ("'a\\n\\nb'", None),
    ("__import__('IPython').display.Markdown('a\\n\\nb')", "paragraphs"),
    ("__import__('IPython').display.Markdown('a<br>b')", "'<br' in it"),
])
def test_a_value_that_no_sentence_can_hold_is_refused(
    book_of, quick_kernels, value, says
):
    book = book_of("# T\n\na\n`{python} " + value + "`\n\n" + cell("x = 1"))
    if says:
        said = failure(book)
        assert said.startswith("book/01-one.qmd:4: `{python} ")
        assert says in said
    else:
        assert run.run_all(book)


BARS = """\
from tqdm import tqdm
for i in tqdm(range(3), desc="outer"):
    for j in tqdm(range(2), desc="inner", leave=False):
        pass
"""
DISPLAYS = """\
import sys
from IPython.display import Markdown, clear_output, display
print("gone")
clear_output(wait=True)
shown = display(Markdown("first"), display_id=True)
shown.update(Markdown("second"))
sys.stdout.write("a\\rb\\n");
"""


def test_bars_and_displays_are_in_their_last_state(book_of, quick_kernels):
    book = book_of("# T\n\n" + cell(BARS) + cell(DISPLAYS, reproduce="exact"))
    bars, displays = run.run_all(book)[1].outputs.values()
    ((name, text),) = [(o["name"], o["text"]) for o in bars]
    assert name == "stderr" and text.startswith("outer: 100%|")
    assert text.count("\n") == 1 and "inner" not in text
    assert [o.get("text", o.get("data", {}).get("text/markdown"))
            for o in displays] == ["second", "b\n"]
