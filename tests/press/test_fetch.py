"""The build sees to the digits before any cell asks for them."""

import pytest

from press.errors import BookError
from press.read.book import read_book
from press.run import data
from tiny import write_book

MODULE = """\
from pathlib import Path
def fetch_mnist(root):
    with open("calls", "a") as file:
        file.write("x")
    raw = Path(root) / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name in ("a-ubyte", "b-ubyte"):
        if not (raw / name).exists():
            (raw / name).write_bytes(b"digits")
"""


@pytest.fixture
def book(tmp_path):
    root = write_book(tmp_path, {"01-one": "# One\n"})
    module = root / "code" / "scratch" / "mnist" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.write_text(MODULE, encoding="utf-8")
    return read_book(root)


def calls(book):
    file = book.root / "calls"
    return len(file.read_text(encoding="utf-8")) if file.exists() else 0


def test_what_was_verified_and_not_touched_is_not_read_again(book):
    data.fetch(book)
    data.fetch(book)
    assert calls(book) == 1


@pytest.mark.parametrize("touch", [
    lambda root: (root / "data/MNIST/raw/a-ubyte").unlink(),
    lambda root: (root / "data/MNIST/raw/a-ubyte").write_bytes(b"damage"),
    lambda root: (root / "data/MNIST/raw/c-ubyte").write_bytes(b""),
    lambda root: (root / "code/scratch/mnist/__init__.py").write_text(
        MODULE + "\n", encoding="utf-8"),
], ids=["gone", "written to", "more", "other code"])
def test_what_was_touched_is_verified(book, touch):
    data.fetch(book)
    touch(book.root)
    data.fetch(book)
    assert calls(book) == 2


def test_a_failure_is_said_and_not_remembered(book):
    module = book.root / "code" / "scratch" / "mnist" / "__init__.py"
    module.write_text(
        "def fetch_mnist(root):\n    raise RuntimeError('no source')\n",
        encoding="utf-8")
    for _ in range(2):
        with pytest.raises(BookError, match="no source"):
            data.fetch(book)


def test_without_the_code_that_fetches_nothing_is_fetched(tmp_path):
    data.fetch(read_book(write_book(tmp_path, {"01-one": "# One\n"})))
    assert not list((tmp_path / ".cache").glob("data-*"))
