"""What readers take along: notebooks, the program, the EPUB."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import cell

from press import epub, run, takeaways, weave
from press.chapters import read_book
from press.labels import labels

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_book"
BOOK = read_book(ROOT)

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
ANSWERS = """# Answers

::: {.answers}
:::

::: {.solutions}
:::
"""


@pytest.fixture
def made(book_of, quick_kernels):
    """A tiny book's notebook of Chapter 1, and its EPUB's bytes."""
    book = book_of({"01-one": ONE}, appendices={"answers": ANSWERS})
    results = run.run_all(book)
    known = labels(book)

    def make(name):
        site = book.root / name
        site.mkdir()
        takeaways.set_takeaways(book, results, known, site, site / "c1")
        epub.set_epub(
            book, [weave.weave(book, r) for r in results], known,
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


@pytest.mark.parametrize(
    "chapter", BOOK.chapters, ids=lambda chapter: chapter.name)
def test_each_chapter_is_a_valid_notebook_with_every_cell(chapter):
    file = SITE / "notebooks" / f"{chapter.name}.ipynb"
    assert file.exists(), "run 'make book' first"
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert code == [c.source for c in chapter.cells]
    prose = "\n".join(
        c.source for c in notebook.cells if c.cell_type == "markdown")
    prose = re.sub(r"```.*?```|`[^`]*`", "", prose, flags=re.DOTALL)
    for left in (":::", "{#", "@fig-", "@sec-", "]{.", "PRESSCELL"):
        assert left not in prose


def test_the_zip_holds_the_program_and_imports(tmp_path):
    with zipfile.ZipFile(SITE / takeaways.CODE) as archive:
        archive.extractall(tmp_path)
    for file in (ROOT / "code" / "scratch").glob("*.py"):
        assert (tmp_path / "scratch" / file.name).read_bytes() == (
            file.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", "import scratch.optim, figures.book"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""},
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_zip_is_the_same_whenever_it_is_made():
    one, two = (takeaways.program(ROOT) for _ in range(2))
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {i.date_time for i in archive.infolist()} == {takeaways.EPOCH}


def test_the_epub_passes_epubcheck():
    checker = shutil.which("epubcheck")
    if not checker:
        if os.environ.get("CI") == "true":
            pytest.fail("epubcheck is not installed")
        pytest.skip("epubcheck is not installed")
    # Debian's is a jar that only some kernels start by themselves.
    jar = Path(checker).read_bytes()[:2] == b"PK"
    done = subprocess.run(
        [*(["java", "-jar"] if jar else []), checker, "--failonwarnings",
         str(SITE / epub.EPUB)], capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_epub_has_the_numbers_of_the_pages():
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        text = " ".join(
            archive.read(name).decode() for name in archive.namelist()
            if re.search(r"ch\d+\.xhtml$", name)
        )
    text = text.replace("\u00a0", " ")
    for label in labels(BOOK):
        place = text.find(f'id="{label.id}"')
        assert place >= 0, label.id
        after = text[place:text.find(' id="fig-', place + 9)]
        if not label.number:
            continue
        if label.kind in ("Figure", "Table", "Exercise"):
            assert f"{label.kind} {label.number}" in after, label.id
        elif label.kind == "Equation":
            assert f"({label.number})" in after, label.id
        else:
            assert f'-number">{label.number}</span>' in after, label.id


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


def test_no_notebook_of_the_book_names_one():
    for file in sorted((SITE / "notebooks").glob("*.ipynb")):
        text = file.read_text(encoding="utf-8")
        assert str(ROOT) not in text and "ipykernel_" not in text, file.name
