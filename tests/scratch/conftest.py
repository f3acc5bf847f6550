"""What tests of the program share."""

import pytest

from four_files import SMALL_MD5
from parts import put
from scratch import mnist


@pytest.fixture
def sources(monkeypatch):
    """A table of sources to fill, and small files instead of MNIST's."""
    table = {}
    put(monkeypatch, mnist, "MD5", SMALL_MD5)
    put(monkeypatch, mnist, "SOURCES", table)
    return table
