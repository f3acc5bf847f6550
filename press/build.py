"""Build the book: tangle, run, weave; then put it in its place at once."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock

from press import left_over
from press.check import proof
from press.imprint import imprint
from press.progress import Reporter
from press.read.book import Book
from press.run import data
from press.run.results import Result
from press.run.run import run_all
from press.tangle.tangle import tangle
from press.weave.epub import epub
from press.weave.html import modules, pages, search
from press.weave.notebook import takeaways
from press.weave.typst import pdf
from press.weave.weave import WovenBook, weave_book

PDF = "pytorch-from-scratch.pdf"
ALL = ("html", "pdf", "takeaways")


def results(book: Book, report: Reporter) -> list[Result]:
    """Every chapter proofed, tangled and executed."""
    proof.check_sources(book)
    for file in tangle(book):
        report.say(f"tangled {file.relative_to(book.root)}")
    data.fetch(book)
    with report.running(book) as progress:
        executed = run_all(book, progress=progress)
    proof.check_outputs(executed)
    return executed


def build(
    book: Book, report: Reporter, *, formats: tuple[str, ...],
    paper: str = "a4",
) -> Path:
    """Make `_book/`. Until all of it is made the old one stays."""
    with one_at_a_time(book.root):
        recover(book.root)
    executed = results(book, report)
    woven = weave_book(book, executed)
    with one_at_a_time(book.root):
        return set_aside_and_swap(
            woven, report, formats, paper
        )


def set_aside_and_swap(
    woven: WovenBook, report: Reporter, formats: tuple[str, ...], paper: str,
) -> Path:
    """Set the formats in a folder aside, then put it in its place."""
    root = woven.book.root
    cache = root / ".cache" / "weave"
    site, aside = root / "_book", root / f"_book.{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        if "html" in formats:
            keep_takeaways(site, aside)
            report.say("setting the pages")
            pages.set_pages(woven, aside, cache / "html")
            modules.set_modules(woven, aside, cache / "html")
        elif site.exists():
            shutil.copytree(
                site, aside, dirs_exist_ok=True,
                ignore=shutil.ignore_patterns(PDF),
            )
        if "pdf" in formats:
            report.say("setting the PDF")
            pdf.set_pdf(
                woven, aside / PDF, cache / "pdf",
                imprint=imprint(woven.book), paper=paper,
            )
        elif (site / PDF).exists():
            shutil.copyfile(site / PDF, aside / PDF)
        if "takeaways" in formats:
            report.say("packing what readers take along")
            takeaways.set_takeaways(woven, aside, cache / "notebooks")
            epub.set_epub(woven, aside / epub.EPUB, cache / "epub")
            search.set_index(aside, cache / "search")
        left_over.drop_removed(woven.book, aside)
        left_over.say_older(woven.book, aside, formats, report)
        swap(aside, site)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return site


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Builds that run side by side set and swap one after the other.

    The lock is the system's: it goes with the process that holds it.
    """
    (root / ".cache").mkdir(exist_ok=True)
    with FileLock(root / ".cache" / "build.lock"):
        yield


def keep_takeaways(site: Path, aside: Path) -> None:
    """Copy what only `make book` makes from the book that is there."""
    for name in (epub.EPUB, takeaways.CODE):
        if (site / name).exists():
            shutil.copyfile(site / name, aside / name)
    for name in ("notebooks", search.INDEX_FOLDER):
        if (site / name).exists():
            shutil.copytree(site / name, aside / name)


def swap(new: Path, place: Path) -> None:
    """Put a finished folder where the old one was."""
    old = place.with_name(f"{new.name}.old")
    try:
        if place.exists():
            os.rename(place, old)
        os.rename(new, place)
    except BaseException:
        if old.exists() and not place.exists():
            os.rename(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def recover(root: Path) -> None:
    """Undo what a killed build left: its half, or the old book aside."""
    for folder in sorted(root.glob("_book.*")):
        match = re.fullmatch(r"_book\.(\d+)(\.old)?", folder.name)
        if not match or psutil.pid_exists(int(match[1])):
            continue
        if match[2] and not (root / "_book").exists():
            os.rename(folder, root / "_book")
        else:
            shutil.rmtree(folder, ignore_errors=True)
