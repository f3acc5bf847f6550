"""What tests of the program share."""

import pytest

import fake_cuda
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


@pytest.fixture
def cuda(monkeypatch):
    """torch.cuda without a GPU: its log, and the state that graphs undo."""
    return fake_cuda.pretend(monkeypatch)
