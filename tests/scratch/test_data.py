"""IDX files byte by byte, and MNIST as the book uses it."""

import math
import struct
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch import data
from scratch.data import header_number, load_mnist, read_idx

REPO = Path(__file__).parents[2]
IMAGES, LABELS = 0x803, 0x801


def idx(magic, shape, content):
    return struct.pack(f">{1 + len(shape)}I", magic, *shape) + content


def written(folder, content):
    path = folder / "some-idx-ubyte"
    path.write_bytes(content)
    return path


# ----------------------------------------------------------- header_number


@pytest.mark.parametrize("start", [0, 4, 7])
def test_a_header_number_is_four_bytes_most_significant_first(start):
    raw = bytes(start) + b"\x01\x02\x03\xf4" + b"\xff"
    assert header_number(raw, start) == 0x010203F4


# ---------------------------------------------------------------- read_idx


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6), min_size=3, max_size=3), st.randoms())
def test_images_come_back_byte_for_byte(tmp_path_factory, shape, random):
    content = random.randbytes(math.prod(shape))
    path = written(
        tmp_path_factory.mktemp("idx"), idx(IMAGES, shape, content)
    )
    images = read_idx(path)
    assert images.dtype == torch.uint8 and list(images.shape) == shape
    assert bytes(images.flatten().tolist()) == content


def test_rows_and_columns_are_not_exchanged(tmp_path):
    images = read_idx(written(
        tmp_path, idx(IMAGES, [2, 2, 3], bytes(range(12)))
    ))
    assert images.tolist() == [
        [[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]
    ]


@pytest.mark.parametrize("n", [0, 1, 255, 256, 70_000])
def test_labels_come_back_whatever_their_number(tmp_path, n):
    content = bytes(i % 10 for i in range(n))
    labels = read_idx(written(tmp_path, idx(LABELS, [n], content)))
    assert labels.dtype == torch.uint8 and labels.shape == (n,)
    assert bytes(labels.tolist()) == content


def test_a_path_may_be_a_string(tmp_path):
    path = written(tmp_path, idx(LABELS, [3], b"\5\0\4"))
    assert read_idx(str(path)).tolist() == [5, 0, 4]


def test_what_is_read_can_be_changed_and_leaves_the_file_alone(tmp_path):
    path = written(tmp_path, idx(LABELS, [3], b"\5\0\4"))
    often = torch.is_warn_always_enabled()
    torch.set_warn_always(True)         # not only once in a process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # torch's, of read-only memory
            labels = read_idx(path)
    finally:
        torch.set_warn_always(often)
    labels += 1
    assert labels.tolist() == [6, 1, 5]
    assert read_idx(path).tolist() == [5, 0, 4]


@pytest.mark.parametrize("content", [
    b"",
    b"\0\0",
    b"no IDX file at all",
    idx(0x802, [2, 2], bytes(4)),               # two dimensions
    idx(0x804, [1, 1, 1, 1], bytes(1)),         # four
    idx(0xD01, [1], bytes(4)),                  # floats
    idx(0x01000801, [3], bytes(3)),
    struct.pack("<2I", LABELS, 3) + bytes(3),   # least significant first
])
def test_a_file_that_is_neither_images_nor_labels_is_refused(
    tmp_path, content
):
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match="some-idx-ubyte: not IDX"):
        read_idx(path)


def test_the_message_shows_the_number_that_was_found(tmp_path):
    path = written(tmp_path, idx(0xD01, [1], bytes(4)))
    with pytest.raises(ValueError, match="0x00000d01"):
        read_idx(path)


@pytest.mark.parametrize("magic, shape", [(IMAGES, [2, 3, 4]),
                                          (LABELS, [24])])
def test_a_file_cut_anywhere_after_its_first_number_is_refused(
    tmp_path, magic, shape
):
    whole = idx(magic, shape, bytes(24))
    for length in range(4, len(whole)):
        path = written(tmp_path, whole[:length])
        with pytest.raises(ValueError, match=f" {length} bytes, not "):
            read_idx(path)
    assert read_idx(written(tmp_path, whole)).tolist()


@pytest.mark.parametrize("magic, shape", [(IMAGES, [2, 3, 4]),
                                          (LABELS, [24]), (LABELS, [0])])
def test_a_file_with_bytes_to_spare_is_refused(tmp_path, magic, shape):
    whole = idx(magic, shape, bytes(math.prod(shape)))
    path = written(tmp_path, whole + b"\0")
    message = f"some-idx-ubyte: {len(whole) + 1} bytes, not {len(whole)}"
    with pytest.raises(ValueError, match=message):
        read_idx(path)


def test_a_header_that_promises_more_than_memory_holds_is_refused(tmp_path):
    path = written(tmp_path, idx(IMAGES, [2**32 - 1] * 3, bytes(8)))
    with pytest.raises(ValueError, match=f"not {16 + (2**32 - 1) ** 3}"):
        read_idx(path)


def test_sizes_that_agree_only_modulo_two_to_the_64_are_refused(tmp_path):
    path = written(tmp_path, idx(IMAGES, [2**31, 2**31, 4], b""))
    with pytest.raises(ValueError, match="bytes, not"):
        read_idx(path)


def test_a_missing_file_is_called_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nowhere")


# -------------------------------------------------- load_mnist, small files


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Two training images and one test image; the roots asked for."""
    for name, magic, shape, content in [
        ("train-images-idx3-ubyte", IMAGES, [2, 2, 3], bytes(range(12))),
        ("train-labels-idx1-ubyte", LABELS, [2], b"\7\2"),
        ("t10k-images-idx3-ubyte", IMAGES, [1, 2, 3], b"\xff" * 6),
        ("t10k-labels-idx1-ubyte", LABELS, [1], b"\x09"),
    ]:
        (tmp_path / name).write_bytes(idx(magic, shape, content))
    roots = []

    def fetch(root="never asked"):
        roots.append(root)
        return tmp_path

    monkeypatch.setattr(data, "fetch_mnist", fetch)
    return roots


def test_images_become_rows_between_zero_and_one(small):
    X, y = load_mnist("here", "train")
    assert torch.equal(X, torch.arange(12).reshape(2, 6) / 255)
    assert X.dtype == torch.float32 and X.is_contiguous()
    assert y.tolist() == [7, 2] and y.dtype == torch.int64
    assert small == ["here"]


def test_the_test_split_comes_from_the_test_files(small):
    X, y = load_mnist(Path("there"), split="test")
    assert torch.equal(X, torch.ones(1, 6))
    assert y.tolist() == [9]
    assert small == [Path("there")]


def test_the_training_split_in_the_folder_data_is_the_default(small):
    assert load_mnist()[1].tolist() == [7, 2]
    assert small == ["data"]


def test_pixels_are_float32_whatever_the_default_dtype(small):
    torch.set_default_dtype(torch.float64)
    try:
        X, _ = load_mnist()
    finally:
        torch.set_default_dtype(torch.float32)
    assert X.dtype == torch.float32


@pytest.mark.parametrize("split", ["t10k", "Train", "valid", "", None])
def test_another_split_is_refused_before_anything_is_fetched(small, split):
    with pytest.raises(ValueError, match=f"split {split!r}.*train.*test"):
        load_mnist(split=split)
    assert small == []


# --------------------------------------------------- load_mnist, the digits

COUNTS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


@pytest.fixture(scope="module")
def digits():
    return {s: load_mnist(REPO / "data", s) for s in COUNTS}


@pytest.mark.parametrize("split", COUNTS)
def test_mnist_has_the_shapes_types_and_range_that_the_book_states(
    digits, split
):
    X, y = digits[split]
    N = sum(COUNTS[split])
    assert X.shape == (N, 784) and X.dtype == torch.float32
    assert y.shape == (N,) and y.dtype == torch.int64
    assert X.min() == 0 and X.max() == 1


@pytest.mark.parametrize("split", COUNTS)
def test_mnist_has_the_known_number_of_each_digit(digits, split):
    _, y = digits[split]
    assert y.bincount().tolist() == COUNTS[split]


def test_mnist_begins_with_the_known_digits(digits):
    assert digits["train"][1][:5].tolist() == [5, 0, 4, 1, 9]
    assert digits["test"][1][:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize("split", COUNTS)
def test_mnist_equals_torchvision_s_bit_for_bit(digits, split):
    from torchvision.datasets import MNIST

    theirs = MNIST(REPO / "data", train=split == "train")
    X, y = digits[split]
    assert torch.equal(X, theirs.data.reshape(len(X), 784) / 255)
    assert torch.equal(y, theirs.targets)
