"""What makes the outputs of a chapter stale, and what does not."""

import dataclasses
import itertools
import shutil

import pytest

from press import cache
from press.read.book import read_book
from press.run import inputs, kernel, run
from press.run.environment import environment
from tiny import cell, write_book
from tiny_runs import executed, four_chapters, replace

pytestmark = pytest.mark.usefixtures("quick_kernels")


def stale_in(root):
    """The numbers of the chapters that would run again."""
    book = read_book(root)
    folder = root / ".cache" / "run"
    return [
        number for number, chapter in enumerate(book.chapters)
        if number and run.kept_run(book, chapter, folder) is None
    ]


def stale(book):
    return stale_in(book.root) != []


@pytest.fixture(scope="module")
def four_run(tmp_path_factory, quick_kernels):
    """The tiny book of four chapters, all of them run."""
    root = four_chapters(tmp_path_factory.mktemp("run") / "four")
    read = "Path(__file__).with_name('palette.json').read_text()"
    (root / "figures" / "pen.py").write_text(
        f"from pathlib import Path\np = 1\n{read}\n", encoding="utf-8")
    run.run_all(read_book(root))
    return root


@pytest.fixture
def four(four_run, tmp_path):
    return shutil.copytree(four_run, tmp_path / "four")


def changed(root, edit):
    """The numbers of the chapters that an edit makes stale."""
    assert stale_in(root) == []
    edit()
    return stale_in(root)


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
    ("figures/book.mplstyle", "\n", "\n\n", []),
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
        "deep/inner/two.py": "b = 1\n",
        "deep/other.py": "c = 1\n",
    }.items():
        path = root / "code" / "scratch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    scratch = root / "code" / "scratch"
    executed(read_book(root))
    (scratch / "deep" / "other.py").write_text("c = 2\n", encoding="utf-8")
    assert stale_in(root) == []
    with (scratch / file).open("a", encoding="utf-8") as opened:
        opened.write("d = 1\n")
    assert stale_in(root) == [1]


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
    executed(plain)
    marked = book_of(text.replace("ONE", " # <1>").replace("TWO", "# <12>"))
    assert not stale(marked)
    sources = [
        kernel.as_notebook(book.chapters[1]).cells[1].source
        for book in (plain, marked)
    ]
    assert sources[0] == sources[1]
    assert sources[0] == "a = 1\nprint(a, '#')\n'# <3> stays'"


READS = "# Made {#sec-made}\n\nProse.\n\n" + cell(
    "from pathlib import Path\nfrom press.read.book import read_book\n"
    "read_book()\n"
    "list(Path().glob('tests/t*.py'))"
)
READER = """\
from pathlib import Path
from press.read import pandoc


def read_book():
    pandoc.filters()
    for name in ("pyproject.toml", "_quarto.yml", "book/02-two.qmd"):
        Path(name).read_bytes()
"""
FILTERS = """\
from pathlib import Path
x = 1


def filters():
    Path("press/weave/f.lua").read_bytes()
"""


@pytest.fixture(scope="module")
def reads_run(tmp_path_factory, four_run):
    """A book with an appendix that reads it with a press of its own."""
    root = tmp_path_factory.mktemp("reads") / "book"
    shutil.copytree(four_run, root)
    (root / "tests").mkdir()
    for name, text in {
        "press/read/__init__.py": "x = 1\n", "press/read/pandoc.py": FILTERS,
        "press/read/other.py": "x = 1\n", "press/read/book.py": READER,
        "press/weave/f.lua": "x = 1\n",
        "tests/t1.py": "x = 1\n", "tests/u1.py": "x = 1\n",
        "pyproject.toml": '[project]\nversion = "1"\n',
        "book/made.qmd": READS,
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    with open(root / "_quarto.yml", "a", encoding="utf-8") as config:
        config.write("  appendices: [book/made.qmd]\n")
    executed(read_book(root), 5)
    return root


@pytest.fixture
def reads(reads_run, tmp_path):
    root = shutil.copytree(reads_run, tmp_path / "reads")
    assert 5 not in stale_in(root)
    return root


@pytest.mark.parametrize("file, old, new, stale", [
    ("book/made.qmd", "Prose.", "Other prose.", False),
    ("book/made.qmd", "#sec-made", "#sec-other", False),
    ("book/02-two.qmd", "Prose.", "Other prose.", False),
    ("book/02-two.qmd", "label: uses", "label: use", True),
    ("book/02-two.qmd", "from scratch import", "1\nfrom scratch import", True),
    ("book/02-two.qmd", "# Two", "# Two {#sec-two}", True),
    ("book/02-two.qmd", "Prose.", '::: {.sim data-sim="a"}\n:::\n', True),
    ("book/03-three.qmd", "{python} two.b", "{python} two.b + 1", True),
    ("press/read/book.py", "import pandoc", "import  pandoc", True),
    ("press/read/__init__.py", "x = 1", "x = 2", True),
    ("press/read/pandoc.py", "x = 1", "x = 2", True),
    ("press/read/other.py", "x = 1", "x = 2", False),
    ("press/weave/f.lua", "x = 1", "x = 2", True),
    ("tests/t1.py", "x = 1", "x = 2", False),   # its name alone is read
    ("book/04-four.qmd", "1 + 1", "1 + 2", True),
    ("_quarto.yml", "Tiny", "Small", True),
    ("pyproject.toml", '"1"', '"2"', True),
    ("pyproject.toml", "version", 'name = "a"\nversion', False),
])
def test_a_chapter_that_reads_the_book_depends_on_all_but_its_prose(
    reads, file, old, new, stale
):
    replace(reads / file, old, new)
    assert (5 in stale_in(reads)) is stale


def test_a_new_file_of_a_pattern_makes_stale(reads):
    (reads / "tests" / "t2.py").write_text("", encoding="utf-8")
    assert 5 in stale_in(reads)


def test_another_python_makes_everything_stale(four, monkeypatch):
    assert changed(four, lambda: monkeypatch.setattr(
        inputs.platform, "python_version", lambda: "3.99"
    )) == [1, 2, 3, 4]


def test_a_large_file_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "LARGE", 2)
    file = tmp_path / "digits"
    file.write_bytes(b"5041")
    cache.content_once.cache_clear()
    first = cache.content(file)
    assert cache.content(file) == first
    assert cache.content_once.cache_info().hits == 1
    file.write_bytes(b"50419")
    assert cache.content(file) != first


def test_two_cells_are_not_one(book_of):
    keys = [
        inputs.inputs_of(book, book.chapters[1]) for book in map(book_of, map(
            lambda sources: cells_of(*sources),
            [("a = 1\nb = 2",), ("a = 1", "b = 2"), ("b = 2", "a = 1")]))
    ]
    assert all(a != b for a, b in itertools.combinations(keys, 2))


def cells_of(*sources):
    return "# T\n\n" + "\n".join(map(cell, sources))


def test_the_settings_of_a_book_are_part_of_the_key(four):
    book = read_book(four)
    other = dataclasses.replace(book, settings={"A": "1"})
    assert environment(other)["A"] == "1"
    for chapter in book.chapters[1:]:
        assert inputs.inputs_of(book, chapter) != inputs.inputs_of(
            other, chapter)
