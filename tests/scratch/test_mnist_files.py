"""The digits are the right ones."""

import hashlib
from pathlib import Path

from four_files import KNOWN
from scratch import mnist

REPO = Path(__file__).parents[2]


def test_the_table_holds_the_known_checksums():
    assert mnist.files.MD5 == KNOWN


def test_real_files_have_the_known_checksums():
    raw = mnist.fetch_mnist(REPO / "data")
    assert raw == REPO / "data" / "MNIST" / "raw"
    for name, md5 in KNOWN.items():
        assert hashlib.md5((raw / name).read_bytes()).hexdigest() == md5


def test_torchvision_opens_the_same_files():
    from torchvision.datasets import MNIST

    root = mnist.fetch_mnist(REPO / "data").parents[1]
    train = MNIST(root, train=True, download=False)
    test = MNIST(root, train=False, download=False)
    assert train.data.shape == (60000, 28, 28)
    assert test.data.shape == (10000, 28, 28)
    assert train.targets[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.targets[:5].tolist() == [7, 2, 1, 0, 4]


def test_a_missing_file_is_not_intact(tmp_path):
    assert mnist.files.intact(tmp_path / "train-labels-idx1-ubyte") is False
