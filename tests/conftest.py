"""Tiny books, for the tests of the press."""

import textwrap

import pytest

from press import run
from press.chapters import read_book

SETUP = run.SETUP
OPENING = "# Start {.unnumbered}\n\nHello.\n"


def cell(source, /, **options):
    """A code cell as it stands in a chapter."""
    lines = [f"#| {name.replace('_', '-')}: {value}"
             for name, value in options.items()]
    return "\n".join(["```{python}", *lines, source.strip("\n"), "```", ""])


def write_book(root, chapters, *, appendices=None, config=""):
    """A book of `{"01-one": text}` below `root`, ready to be read."""
    (root / "book").mkdir(parents=True, exist_ok=True)
    chapters = dict(chapters)
    appendices = dict(appendices or {})
    (root / "index.qmd").write_text(chapters.pop("index", OPENING))
    for name, text in {**chapters, **appendices}.items():
        (root / "book" / f"{name}.qmd").write_bytes(
            text if isinstance(text, bytes) else text.encode()
        )
    listed = textwrap.indent(
        "".join(f"- book/{name}.qmd\n" for name in chapters), " " * 8
    )
    (root / "_quarto.yml").write_text(
        "book:\n  title: Tiny\n  chapters:\n    - index.qmd\n"
        + (f"    - part: One\n      chapters:\n{listed}" if listed else "")
        + "".join(
            ["  appendices:\n" if appendices else ""]
            + [f"    - book/{name}.qmd\n" for name in appendices]
        )
        + config
    )
    (root / "_environment").write_text("PYTHONPATH=code\n")
    return root


@pytest.fixture
def book_of(tmp_path):
    """Write a tiny book into `tmp_path` and read it."""
    def make(chapters, **options):
        if isinstance(chapters, str):
            chapters = {"01-one": chapters}
        return read_book(write_book(tmp_path, chapters, **options))
    return make


@pytest.fixture(scope="session")
def quick_kernels():
    """Kernels that do not import matplotlib at their start."""
    patch = pytest.MonkeyPatch()
    patch.setattr(run, "SETUP", "")
    yield
    patch.undo()
