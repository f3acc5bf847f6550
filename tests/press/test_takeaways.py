"""What readers take along: notebooks, the program, the EPUB."""

import io
import re
import zipfile

import nbformat
import pytest

from press.run import run
from press.weave import weave
from press.weave.archive import EPOCH
from press.weave.epub import epub
from press.weave.notebook import takeaways
from tiny import REPO, cell

ONE = """# One {#sec-one}

See @exr-why, and `{python} 1 + 1` apples.

::: {.quiz}
**Which?**

- [ ] This. [It is not.]{.why}
- [x] That. [It is.]{.why}
:::

""" + cell("print('shown')", reproduce="exact") + """
::: {#exr-why}
## Why

Ask.
:::

::: {.solution}
""" + cell("print('solved')", reproduce="exact") + """
Because.
:::
"""
TABLE = """from IPython.display import Markdown
Markdown('| @exr-why | @sec-one. @sec-none |\\n|-|-|')"""
TWO = "# Two\n\n" + cell(TABLE, reproduce="exact")
ANSWERS = """# Answers

::: {.answers}
:::

::: {.solutions}
:::
"""


@pytest.fixture
def made(book_of, quick_kernels):
    """A tiny book's notebook of Chapter 1, and its EPUB's bytes."""
    book = book_of({"01-one": ONE, "02-two": TWO},
                   appendices={"answers": ANSWERS})
    woven = weave.weave_book(book, run.run_all(book))

    def make(name):
        site = book.root / name
        site.mkdir()
        takeaways.set_takeaways(woven, site, site / "c1")
        epub.set_epub(
            woven,
            site / "b.epub", site / "c2",
        )
        return site

    return make


def test_a_notebook_has_the_chapters_words_and_outputs(made):
    notebook = nbformat.read(
        made("a") / "notebooks" / "01-one.ipynb", as_version=4)
    words = "\n".join(
        c.source for c in notebook.cells if c.cell_type == "markdown")
    assert "See Exercise\u00a01.1, and 2 apples." in words
    assert ":::" not in words and "{#" not in words
    assert "Exercise\u00a01.1 (Why)" in words
    before, after = words.split("<summary>Answer</summary>")
    assert "That." in before and "It is." not in before
    assert "☒" not in words
    assert "That. It is." in after and "It is not." not in words
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert [c.outputs[0].text for c in code] == ["shown\n", "solved\n"]
    assert [c.execution_count for c in code] == [1, 2]


def test_what_a_cell_prints_in_a_notebook_names_what_it_refers_to(made):
    notebook = nbformat.read(
        made("a") / "notebooks" / "02-two.ipynb", as_version=4)
    (code,) = [c for c in notebook.cells if c.cell_type == "code"]
    assert code.source == TABLE
    assert code.outputs[0].data["text/markdown"] == (
        "| Exercise\u00a01.1 | Chapter\u00a01. @sec-none |\n|-|-|")


def test_the_same_results_give_the_same_bytes(made):
    one, two = made("a"), made("b")
    for name in ("notebooks/01-one.ipynb", "scratch.zip", "b.epub"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_an_epub_tells_the_answers_in_its_appendix_alone(made):
    with zipfile.ZipFile(made("a") / "b.epub") as archive:
        pages = {
            name: archive.read(name).decode() for name in archive.namelist()
            if re.search(r"ch\d+\.xhtml$", name)
        }
    one = next(p for p in pages.values() if "Which?" in p)
    answers = next(p for p in pages.values() if ">Solutions<" in p)
    assert "It is" not in one and "Because" not in one
    assert "☒" not in one
    assert "That. " in answers and "Because." in answers
    assert "It is not." not in answers


def test_the_zip_is_the_same_whenever_it_is_made():
    one, two = (takeaways.program(REPO) for _ in range(2))
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {i.date_time for i in archive.infolist()} == {EPOCH}


@pytest.mark.parametrize("text, expected", [
    ("File {root}/code/scratch/nn.py:38", "File code/scratch/nn.py:38"),
    ("m{root}/.venv/lib/a.py", "m.venv/lib/a.py"),
    ("/tmp/ipykernel_13368/1205708148.py:4: Warning", "<cell>:4: Warning"),
    ("\"/var/x/ipykernel_1/2.py:4", "\"<cell>:4"),
    ("a/b ipykernel", "a/b ipykernel"),
])
def test_a_notebook_names_no_folder_of_the_machine(text, expected, tmp_path):
    assert takeaways.portable(
        text.format(root=tmp_path), tmp_path) == expected
