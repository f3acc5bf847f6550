"""The book that `make book` made, as its readers open it."""

from pathlib import Path

from press.read.book import read_book
from press.tangle.tangle import modules

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_book"
PDF = SITE / "pytorch-from-scratch.pdf"
BOOK = read_book(ROOT)
PAGES = [chapter.page for chapter in BOOK.chapters]
MODULES = [  # each has a page
    f"code/{path}.html" for path in sorted(modules(BOOK.chapters))
]
