"""Measure how long a build takes, on a copy of the book."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from rich.table import Table

from press.errors import BookError
from press.progress import Reporter
from press.read.book import read_book
from press.read.labels import REFERENCE

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".cache", "_book", "_book.*", "data", "__pycache__",
)
MARKED = re.compile(r"\[([^\[\]]*)\]\{\.(?:term|index)[^}]*\}")


def measure_builds(root: Path, report: Reporter) -> None:
    """Time the builds that a writer and a reader wait for."""
    with tempfile.TemporaryDirectory() as temporary:
        short = copied(root, Path(temporary) / "short")
        keep_first(short, 3)
        copy = copied(root, Path(temporary) / "book")
        rows = [
            ("book, from nothing", timed(copy, "book")),
            ("Chapters 0 to 3, from nothing", timed(short, "book")),
            ("book, nothing changed", timed(copy, "book")),
        ]
        change_word(copy)
        rows.append(("html, one word changed", timed(copy, "html")))
        rows.append(("pdf, the same word", timed(copy, "pdf")))
        change_cell(copy, 2)
        rows.append(
            ("html, one cell of Chapter 2 changed", timed(copy, "html"))
        )
        shutil.rmtree(copy / ".cache" / "weave")
        rows.append(("html, all pages, cells cached", timed(copy, "html")))
        rows.append(("pdf, all of it, cells cached", timed(copy, "pdf")))
    table = Table("build", "seconds", "of the first")
    for name, seconds in rows:
        table.add_row(
            name, f"{seconds:.1f}", f"{seconds / rows[0][1]:.3f}"
        )
    report.console.print(table)
    report.console.print(training(root))
    report.say(f"{os.cpu_count()} cores")


def training(root: Path) -> Table:
    """Steps a second of the training loops, with one thread and more."""
    table = Table("threads", "loop", "steps/s", "by hand is … times")
    for threads in dict.fromkeys((1, os.cpu_count() or 1)):
        done = subprocess.run(
            [sys.executable, "-m", "press.check.speed"], cwd=root,
            encoding="utf-8", capture_output=True, env=dict(
                os.environ, PYTHONPATH=f"code{os.pathsep}.",
                OMP_NUM_THREADS=str(threads),
            ),
        )
        if done.returncode:
            raise BookError("bench", None, done.stderr)
        rates = json.loads(done.stdout)
        threads = rates.pop("threads")
        for name, rate in rates.items():
            table.add_row(
                str(threads), name, f"{rate:.0f}",
                f"{rates['by hand'] / rate:.2f}",
            )
    return table


def copied(root: Path, place: Path) -> Path:
    """A copy of the book without anything built, with its data."""
    shutil.copytree(root, place, ignore=LEFT_OUT)
    if (root / "data").exists():
        try:
            (place / "data").symlink_to(root / "data", True)
        except OSError:  # Windows lets not everybody make a link
            shutil.copytree(root / "data", place / "data")
    return place


def keep_first(copy: Path, number: int) -> None:
    """Cut the copy down to its first chapters and their answers; what
    refers to the rest loses its mark."""
    file = copy / "_quarto.yml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    book = config["book"]
    book["chapters"] = [
        c.path.as_posix() for c in read_book(copy).chapters
        if not c.appendix and int(c.number or 0) <= number
    ]
    book["appendices"] = ["book/data.qmd", "book/answers.qmd"]
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    short = read_book(copy)
    known = short.names
    for chapter in short.chapters:
        text = REFERENCE.sub(
            lambda m: m[0] if m[2] in known else "elsewhere", chapter.text
        )
        (copy / chapter.path).write_text(
            MARKED.sub(r"\1", text), encoding="utf-8"
        )


def timed(copy: Path, verb: str) -> float:
    """Seconds that one verb takes on the copy, its start-up included."""
    program = (
        "import sys; from pathlib import Path; import press.verbs as v; "
        "v.ROOT = Path.cwd(); sys.exit(v.perform(sys.argv[1], []))"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program, verb], cwd=copy,
        capture_output=True, encoding="utf-8",
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise BookError("bench", None, f"{verb} failed:\n{done.stderr}")
    return seconds


def change_cell(copy: Path, number: int) -> None:
    """Change what the first experiment of a chapter computes."""
    (chapter,) = [
        c for c in read_book(copy).chapters
        if c.number == str(number) and not c.appendix
    ]
    cell = next(
        c for c in chapter.cells
        if not c.filename and c.options.get("eval", True)
    )
    file = copy / chapter.path
    lines = file.read_text(encoding="utf-8").split("\n")
    lines.insert(cell.source_line - 1, cell.indent + "one_more = 1")
    file.write_text("\n".join(lines), encoding="utf-8")


def change_word(copy: Path) -> None:
    """Change one word of prose in the last numbered chapter."""
    chapter = [c for c in read_book(copy).chapters if not c.appendix][-1]
    for number, text in enumerate(chapter.scan.shown):
        words = text.split()
        if len(words) > 8 and words[0].isalpha():
            file = copy / chapter.path
            lines = file.read_text(encoding="utf-8").split("\n")
            lines[number] = "Indeed " + lines[number]
            file.write_text("\n".join(lines), encoding="utf-8")
            return
