"""Nothing in `_book/` is from before, or it is said."""

import io
import json
import subprocess
import zipfile

import pypdfium2
import pytest

from press import build, left_over
from press.imprint import state_of_sources
from press.progress import Reporter
from press.read.book import read_book
from tiny import cell, write_book
from tiny_runs import program

pytestmark = pytest.mark.usefixtures("quick_kernels")
ONE = "# One\n\n" + cell("1", reproduce="exact")
TWO = "# Two\n\n" + program("a = 1", "two")


def write(root, chapters, title="Tiny", author="Zora", lang="en"):
    write_book(root, chapters, config=f"lang: {lang}\n")
    config = root / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(
        "title: Tiny", f"title: {title}\n  author: {author}"),
        encoding="utf-8")
    return read_book(root)


def built(book, *formats):
    """Build some formats: what was said."""
    report = Reporter()
    report.console.file = said = io.StringIO()
    build.build(book, report, formats=formats)
    return said.getvalue()


def told(root):
    """What pages, notebook, EPUB and PDF say of title, author, language."""
    site = root / "_book"
    pdf = pypdfium2.PdfDocument(site / build.PDF)
    with zipfile.ZipFile(site / "pytorch-from-scratch.epub") as epub:
        package = next(epub.read(n).decode() for n in epub.namelist()
                       if n.endswith(".opf"))
    return {
        "page": (site / "book/01-one.html").read_text(encoding="utf-8"),
        "notebook": (site / "notebooks/01-one.ipynb").read_text(
            encoding="utf-8"),
        "epub": package, "pdf": str(pdf.get_metadata_dict())
        + (site / build.PDF).read_bytes().decode("latin-1"),
    }


@pytest.mark.daily
def test_another_title_author_and_language_reach_all_that_is_made(tmp_path):
    built(write(tmp_path, {"01-one": ONE}), *build.ALL)
    before = told(tmp_path)
    assert all("Tiny" in text for text in before.values())
    assert "Lang(en)" in before["pdf"] and '<html lang="en"' in before["page"]
    built(write(tmp_path, {"01-one": ONE}, "Klein", "Bea", "de"), *build.ALL)
    after = told(tmp_path)
    for name, text in after.items():
        assert "Klein" in text and "Tiny" not in text, name
        assert "Zora" not in text, name
    assert "Bea" in after["epub"] and "Bea" in after["pdf"]
    assert "<dc:language>de<" in after["epub"]
    assert "Lang(de)" in after["pdf"] and '<html lang="de"' in after["page"]


def test_what_a_build_leaves_with_another_title_is_said(tmp_path, book_of):
    book = write(tmp_path, {"01-one": ONE})

    def said(book, *formats):
        report = Reporter()
        report.console.file = file = io.StringIO()
        left_over.say_older(book, tmp_path, formats, report)
        return file.getvalue().splitlines()

    assert said(book, *build.ALL) == [] == said(book, "html")
    for change in ({"title": "Klein"}, {"author": "Bea"}, {"lang": "de"}):
        other = write(tmp_path, {"01-one": ONE}, **change)
        lines = said(other, "html")
        assert [line.split(" in _book/")[0] for line in lines] == [
            "the PDF", "the EPUB and the notebooks"]
        assert lines[0].endswith("; 'make pdf' makes them anew")
        assert said(other, *build.ALL) == []


@pytest.mark.parametrize("formats", [("html",), ("pdf",)])
def test_what_was_made_of_a_chapter_that_is_gone_goes_too(tmp_path, formats):
    built(write(tmp_path, {"01-one": ONE, "02-two": TWO}), "html")
    site = tmp_path / "_book"
    (site / "notebooks").mkdir()
    kept = ["notebooks/01-one.ipynb", "book/01-one.html", "index.html"]
    gone = ["notebooks/02-two.ipynb", "book/02-two.html",
            "code/scratch/two.py.html"]
    for name in (kept[0], gone[0]):
        (site / name).write_text(json.dumps({}), encoding="utf-8")
    assert all((site / name).exists() for name in kept + gone)
    built(write(tmp_path, {"01-one": ONE}), *formats)
    assert [n for n in kept if not (site / n).exists()] == []
    assert [n for n in gone if (site / n).exists()] == []


# ------------------------------------------------------------- the commit


def git(root, *words):
    subprocess.run(
        ["git", "-C", str(root), "-c", "user.name=a", "-c",
         "user.email=a@b", *words], check=True, capture_output=True)


def test_the_imprint_names_a_commit_of_the_book_and_what_changed(tmp_path):
    outer, root = tmp_path, tmp_path / "a book"
    root.mkdir()
    assert state_of_sources(root) == "not under version control"
    (outer / "x").touch()
    for repository in (outer, root):
        (repository / "y").touch()
        git(repository, "init")
        assert state_of_sources(root) == "not under version control"
        git(repository, "add", "y")
        git(repository, "commit", "-m", "one")
        if repository == outer:   # which says nothing of the book
            assert state_of_sources(root) == "not under version control"
    commit = state_of_sources(root)
    assert len(commit) == 10 and " " not in commit
    (root / "new.qmd").touch()
    assert state_of_sources(root) == f"{commit}, and changes to it"
    (root / "new.qmd").unlink()
    (root / "y").write_text("1", encoding="utf-8")
    assert state_of_sources(root) == f"{commit}, and changes to it"
