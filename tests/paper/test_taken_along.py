"""What readers take along from the book: notebooks, the program, the EPUB."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from built import BOOK, ROOT, SITE
from press.weave.epub import epub
from press.weave.notebook import takeaways


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
    for file in (ROOT / "code" / "scratch").rglob("*.py"):
        inside = file.relative_to(ROOT / "code")
        assert (tmp_path / inside).read_bytes() == file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", "import scratch.optim, figures.book"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""},
        capture_output=True, encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr


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
         str(SITE / epub.EPUB)], capture_output=True, encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_epub_has_the_numbers_of_the_pages():
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        text = " ".join(
            archive.read(name).decode() for name in archive.namelist()
            if re.search(r"ch\d+\.xhtml$", name)
        )
    text = text.replace("\u00a0", " ")
    for label in BOOK.labels:
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


def test_no_notebook_of_the_book_names_one():
    for file in sorted((SITE / "notebooks").glob("*.ipynb")):
        text = file.read_text(encoding="utf-8")
        assert str(ROOT) not in text and "ipykernel_" not in text, file.name
