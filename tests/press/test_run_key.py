"""What makes the outputs of a chapter stale, and what does not."""

import dataclasses

import pytest

from press import cache
from press.read.book import read_book
from press.run import inputs, kernel
from tiny import cell, write_book
from tiny_runs import replace

pytestmark = pytest.mark.usefixtures("quick_kernels")


def fingerprint(book, chapter):
    return cache.digest_of(
        inputs.inputs_of(book, chapter) | inputs.data_of(book, chapter))


def keys(root):
    book = read_book(root)
    return [fingerprint(book, chapter) for chapter in book.chapters[1:]]


def changed(root, edit):
    """The numbers of the chapters whose key an edit changes."""
    before = keys(root)
    edit()
    assert len(before) == 4
    return [number for number, (a, b) in
            enumerate(zip(before, keys(root), strict=True), 1) if a != b]


@pytest.mark.parametrize("file, old, new, stale", [
    ("book/02-two.qmd", "Prose.", "Other prose, and more of it.\n", []),
    ("book/02-two.qmd", "# Two", "# Two\n\n\nMore above", []),
    ("book/02-two.qmd", "label: uses", "label: use\n#| echo: false", []),
    ("book/02-two.qmd", "label: uses", "error: true", [2]),
    ("book/02-two.qmd", "from scratch import", "1\nfrom scratch import", [2]),
    ("book/03-three.qmd", "{python} two.b", "{python} two.b + 1", [3]),
    ("book/04-four.qmd", "false\n2", "false\n3", []),
    ("book/04-four.qmd", "false\n2", "true\n2", [4]),
    ("code/scratch/one.py", "a = 1", "a = 2", [1, 2, 3]),
    ("code/scratch/two.py", "a + 1", "a + 2", [2, 3]),
    ("code/scratch/three.py", "import two", "import one", [3]),
    ("code/scratch/free.py", "free = 1", "free = 2", []),
    ("figures/draw.py", "d = 1", "d = 2", [2]),
    ("figures/pen.py", "p = 1", "p = 2", [2]),
    ("figures/other.py", "o = 1", "o = 2", []),
    ("figures/palette.json", "{}", "{ }", [2]),
    ("figures/book.mplstyle", "\n", "\n\n", [2]),
    ("requirements.lock", "torch==1", "torch==2", [1, 2, 3, 4]),
    ("_environment", "code", "code\nOMP_NUM_THREADS=2", [1, 2, 3, 4]),
    ("code/scratch/one.py", "a = 1", "a = 1  # <1>", [1, 2, 3]),
])
def test_an_edit_makes_stale_what_depends_on_it(four, file, old, new, stale):
    assert changed(four, lambda: replace(four / file, old, new)) == stale


@pytest.mark.parametrize("imports", [
    "import scratch.deep", "from scratch.deep import one",
    "from scratch import deep", "import scratch.deep.one",
    "from scratch.deep.inner import (\n    two,\n)",
])
@pytest.mark.parametrize("file", [
    "deep/__init__.py", "deep/one.py", "deep/inner/__init__.py",
    "deep/inner/two.py",
])
def test_an_edit_inside_a_package_makes_stale_what_imports_it(
    tmp_path, imports, file
):
    root = write_book(tmp_path, {"01-one": "# One\n\n" + cell(imports)})
    for name, text in {
        "deep/__init__.py": "from scratch.deep.one import a\n",
        "deep/one.py": "from .inner.two import b\na = b\n",
        "deep/inner/__init__.py": "from . import two\n",
        "deep/inner/two.py": "from ..one import a as b\n",
        "deep/other.py": "c = 1\n",
    }.items():
        path = root / "code" / "scratch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    scratch = root / "code" / "scratch"
    before = fingerprint(book := read_book(root), book.chapters[1])
    (scratch / "deep" / "other.py").write_text("c = 2\n", encoding="utf-8")
    assert fingerprint(book, book.chapters[1]) == before
    with (scratch / file).open("a", encoding="utf-8") as opened:
        opened.write("d = 1\n")
    assert fingerprint(book, book.chapters[1]) != before


@pytest.mark.parametrize("module, name, value", [
    (inputs, "device", lambda: "cuda"),
    (inputs, "installed", lambda package: "9" if package == "torch" else "1"),
    (kernel, "SETUP", "import this"),
])
def test_another_machine_makes_everything_stale(
    four, monkeypatch, module, name, value
):
    assert changed(
        four, lambda: monkeypatch.setattr(module, name, value)
    ) == [1, 2, 3, 4]


def test_marks_of_annotated_lines_make_nothing_stale_and_are_not_run(book_of):
    text = "# One\n\n" + cell(
        "a = 1 ONE\nprint(a, '#')TWO\n'# <3> stays'")
    plain = book_of(text.replace(" ONE", "").replace("TWO", ""))
    marked = book_of(text.replace("ONE", " # <1>").replace("TWO", "# <12>"))
    assert fingerprint(plain, plain.chapters[1]) == fingerprint(
        marked, marked.chapters[1])
    sources = [
        kernel.as_notebook(book.chapters[1]).cells[1].source
        for book in (plain, marked)
    ]
    assert sources[0] == sources[1]
    assert sources[0] == "a = 1\nprint(a, '#')\n'# <3> stays'"


READS = "# Made {#sec-made}\n\nProse.\n\n" + cell(
    "from press.read.book import read_book\n"
    "list(Path().glob('tests/t*.py'))"
)


@pytest.fixture
def reads(four):
    """The key of a chapter that reads the book, after an edit."""
    for folder in ("press/read", "press/weave/html"):
        (four / folder).mkdir(parents=True)
    (four / "tests").mkdir()
    for name in ("press/read/__init__.py", "press/read/pandoc.py",
                 "press/read/other.py", "press/weave/f.lua",
                 "press/weave/html/p.html",
                 "tests/t1.py", "tests/u1.py"):
        (four / name).write_text("x = 1\n", encoding="utf-8")
    (four / "press" / "read" / "book.py").write_text(
        "from press.read import pandoc\n", encoding="utf-8"
    )
    (four / "pyproject.toml").write_text(
        '[project]\nversion = "1"\n', encoding="utf-8")
    (four / "book" / "made.qmd").write_text(READS, encoding="utf-8")
    with open(four / "_quarto.yml", "a", encoding="utf-8") as config:
        config.write("  appendices: [book/made.qmd]\n")

    def key():
        book = read_book(four)
        return fingerprint(book, book.chapters[-1])
    return four, key


@pytest.mark.parametrize("file, old, new, stale", [
    ("book/made.qmd", "Prose.", "Other prose.", False),
    ("book/made.qmd", "#sec-made", "#sec-other", False),
    ("book/02-two.qmd", "Prose.", "Other prose.", False),
    ("book/02-two.qmd", "label: uses", "label: use", True),
    ("book/02-two.qmd", "from scratch import", "1\nfrom scratch import", True),
    ("book/02-two.qmd", "# Two", "# Two {#sec-two}", True),
    ("book/02-two.qmd", "Prose.", '::: {.sim data-sim="a"}\n:::\n', True),
    ("book/03-three.qmd", "{python} two.b", "{python} two.b + 1", True),
    ("press/read/book.py", "import pandoc", "import pandoc as p", True),
    ("press/read/__init__.py", "x = 1", "x = 2", True),
    ("press/read/pandoc.py", "x = 1", "x = 2", True),
    ("press/read/other.py", "x = 1", "x = 2", False),
    ("press/weave/f.lua", "x = 1", "x = 2", True),
    ("press/weave/html/p.html", "x = 1", "x = 2", True),
    ("tests/t1.py", "x = 1", "x = 2", True),
    ("tests/u1.py", "x = 1", "x = 2", False),
    ("_quarto.yml", "Tiny", "Small", True),
    ("pyproject.toml", '"1"', '"2"', True),
    ("pyproject.toml", "version", 'name = "a"\nversion', False),
])
def test_a_chapter_that_reads_the_book_depends_on_all_but_its_prose(
    reads, file, old, new, stale
):
    root, key = reads
    before = key()
    replace(root / file, old, new)
    assert (key() != before) is stale


def test_a_new_file_of_a_pattern_in_quotes_makes_stale(reads):
    root, key = reads
    before = key()
    (root / "tests" / "t2.py").write_text("", encoding="utf-8")
    assert key() != before


def test_another_python_makes_everything_stale(four, monkeypatch):
    assert changed(four, lambda: monkeypatch.setattr(
        inputs.platform, "python_version", lambda: "3.99"
    )) == [1, 2, 3, 4]


def load_digits(four):
    """A file of digits, which the first module now loads."""
    replace(four / "code/scratch/one.py", "a = 1", "import scratch.data")
    (four / "code/scratch/data.py").write_text("", encoding="utf-8")
    raw = four / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = raw / "t10k-labels-idx1-ubyte"
    digits.write_bytes(b"5041")
    return digits


def test_the_data_is_part_of_the_key_of_what_loads_it(four):
    digits = load_digits(four)
    assert changed(four, lambda: digits.write_bytes(b"5042")) == [1, 2, 3]


def test_a_large_file_is_part_of_the_key_too_and_read_once(
    four, monkeypatch
):
    monkeypatch.setattr(cache, "LARGE", 2)
    digits = load_digits(four)
    cache.content_once.cache_clear()
    keys(four)
    assert cache.content_once.cache_info().hits >= 2
    assert changed(four, lambda: digits.write_bytes(b"50419")) == [1, 2, 3]


def test_what_lies_in_a_recorded_folder_is_part_of_the_key(four):
    replace(four / "book/04-four.qmd", "1 + 1", "'book/recorded/gpu'")
    folder = four / "book" / "recorded" / "gpu"
    folder.mkdir(parents=True)
    assert changed(four, lambda: (folder / "a.txt").touch()) == []
    record = folder / "a.json"
    assert changed(four, lambda: record.write_bytes(b"{}")) == [4]
    assert changed(four, lambda: record.write_bytes(b"{ }")) == [4]


def test_two_cells_are_not_one(four, book_of):
    first = fingerprint(*both(book_of(cells_of("a = 1\nb = 2"))))
    second = fingerprint(*both(book_of(cells_of("a = 1", "b = 2"))))
    third = fingerprint(*both(book_of(cells_of("b = 2", "a = 1"))))
    assert len({first, second, third}) == 3


def cells_of(*sources):
    return "# T\n\n" + "\n".join(map(cell, sources))


def both(book):
    return book, book.chapters[1]


def test_the_settings_of_a_book_are_part_of_the_key(four):
    book = read_book(four)
    other = dataclasses.replace(book, settings={"A": "1"})
    assert kernel.environment(other)["A"] == "1"
    for chapter in book.chapters[1:]:
        assert fingerprint(book, chapter) != fingerprint(
            other, chapter)
