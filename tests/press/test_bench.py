"""What bench changes is what its rows say."""

from pathlib import Path

from press.check import bench, proof
from press.read.book import read_book
from press.run import inputs
from tiny import cell, write_book

BOOK = {
    "01-one": "# One\n\n" + cell("1"),
    "02-two": "# Two\n\n" + cell("a = 1", filename="scratch/two.py")
    + cell("2", eval="false") + "\n- x\n\n  ```{python}\n  3\n  ```\n",
    "03-three": "# Three\n\n" + cell("4")
    + "\nWords of a sentence that is long enough to be changed here.\n",
}


def keys(root):
    book = read_book(root)
    return [inputs.inputs_of(book, chapter) for chapter in book.chapters[1:]]


def test_a_changed_cell_makes_its_chapter_stale_and_no_other(tmp_path):
    root = write_book(tmp_path, BOOK)
    before = keys(root)
    bench.change_cell(root, 2)
    after = keys(root)
    assert [a == b for a, b in zip(before, after, strict=True)] == [
        True, False, True,
    ]
    assert read_book(root).chapters[2].cells[-1].source == "one_more = 1\n3"


def test_a_changed_word_makes_nothing_stale(tmp_path):
    root = write_book(tmp_path, BOOK)
    before = keys(root)
    text = read_book(root).chapters[3].text
    bench.change_word(root)
    assert keys(root) == before
    assert read_book(root).chapters[3].text == text.replace(
        "\nWords", "\nIndeed Words"
    )


def test_the_first_chapters_alone_are_a_book_without_faults(tmp_path):
    root = Path(__file__).parents[2]
    copy = bench.copied(root, tmp_path / "short")
    bench.keep_first(copy, 3)
    short = read_book(copy)
    assert [c.number for c in short.chapters if c.number and not c.appendix
            ] == ["1", "2", "3"]
    proof.check_sources(short)
