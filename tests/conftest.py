"""What all rooms of the tests share.

    scratch/   the program beside torch, and its chapters; no build
    press/     what turns the chapters into a book, on tiny books; no build
    site/      the pages and the simulations, in a real browser
    paper/     the PDF, the EPUB and what else readers take along
    support/   helpers that tests import
"""

import os

import pytest
from hypothesis import settings

from press.read.book import read_book
from press.run import kernel
from tiny import write_book

# Workers share the cores: threads that wait for each other would wait long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a make above says to those below it; in a test a make starts afresh.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARGS"):
    os.environ.pop(name, None)

# CI draws the same examples each time; elsewhere each run draws others.
settings.register_profile(
    "book", deadline=None, print_blob=True,
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("book")


def pytest_configure(config):
    """The slow tier draws twice as many calls of each name."""
    if "not slow" not in config.option.markexpr:
        os.environ.setdefault("EXAMPLES", "100")


def pytest_collection_modifyitems(items):
    """A test that asks for the browser belongs to the process that has one:
    synchronous Playwright leaves no room for another event loop."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture
def book_of(tmp_path):
    """Write a tiny book into `tmp_path` and read it."""
    def make(chapters, **options):
        if isinstance(chapters, str):
            chapters = {"01-one": chapters}
        return read_book(write_book(tmp_path, chapters, **options))
    return make


@pytest.fixture(scope="module")
def quick_kernels():
    """Kernels that do not import matplotlib at their start."""
    patch = pytest.MonkeyPatch()
    patch.setattr(kernel, "SETUP", "")
    yield
    patch.undo()
