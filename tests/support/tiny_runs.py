"""Tiny books that are run, or only seem to be."""

import asyncio

import pytest

from press.errors import BookError
from press.imports import reached
from press.read.book import read_book
from press.run import kernel, run
from press.run.seen import Seen, state_now
from press.run.steps import steps
from press.tangle import tangle
from tiny import cell, write_book


def program(source, module):
    return cell(source, filename=f"scratch/{module}.py")


def executed(book, index=1, **options):
    return asyncio.run(run.run(book, book.chapters[index], **options))


def failure(book):
    with pytest.raises(BookError) as caught:
        run.run_all(book)
    return str(caught.value)


def pretend(book, chapter):
    """What a kernel would give that makes nothing, and has seen the modules
    that the cells name."""
    named = reached(book.root, [step.source for _, step in steps(chapter)])
    return kernel.as_notebook(chapter), Seen(files={
        file.relative_to(book.root).as_posix(): {state_now(file)}
        for file in named
    })


FOUR = {
    "01-one": "# One\n\nProse.\n\n" + program("a = 1", "one")
    + cell("import scratch.one"),
    "02-two": "# Two\n\nProse.\n\n"
    + program("from scratch.one import a\n\nb = a + 1", "two")
    + cell("from scratch import (\n    two,\n)\nfrom figures.draw import d",
           label="uses"),
    "03-three": "# Three\n\n"
    + program("from scratch import two as two\n", "three")
    + program("free = 1", "free") + cell("import scratch.three")
    + "\nProse. `{python} two.b`\n",
    "04-four": "# Four\n\n" + cell("1 + 1") + cell("2", eval="false"),
}


def four_chapters(root):
    """A tiny book whose chapters import from one another, tangled."""
    write_book(root, FOUR)
    (root / "figures").mkdir()
    (root / "figures" / "draw.py").write_text(
        "from figures import pen\nd = 1", encoding="utf-8"
    )
    (root / "figures" / "pen.py").write_text("p = 1\n", encoding="utf-8")
    (root / "figures" / "other.py").write_text("o = 1\n", encoding="utf-8")
    (root / "figures" / "palette.json").write_text("{}", encoding="utf-8")
    (root / "figures" / "book.mplstyle").write_text("\n", encoding="utf-8")
    (root / "requirements.lock").write_text("torch==1\n", encoding="utf-8")
    for path, module in tangle.modules(read_book(root).chapters).items():
        file = root / "code" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(module.text, encoding="utf-8")
    return root


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
