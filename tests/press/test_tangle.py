"""`code/` is what the chapters say, and nothing of anyone's is lost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from press.errors import BookError, BookErrors
from press.read.book import read_book
from press.tangle import tangle
from tiny import cell

REPO = Path(__file__).parents[2]


def program(source, module="one", **options):
    return cell(source, filename=f"scratch/{module}.py", **options)


def complaint(action, *arguments):
    with pytest.raises((BookError, BookErrors)) as caught:
        action(*arguments)
    return str(caught.value)


ONE = "# One\n\n" + program("import math\n\n\ndef area(r):\n    "
                            "return math.pi * r * r")
TWO = "# Two\n\n" + program("def twice(r):\n    return 2 * area(r)")


@pytest.fixture
def tangled(book_of):
    """A book of two chapters that make one module, tangled."""
    book = book_of({"01-one": ONE, "02-two": TWO})
    tangle.tangle(book)
    return book


def module_of(book, name="one"):
    return book.root / "code" / "scratch" / f"{name}.py"


# ------------------------------------------------------------ what is made


def test_blocks_stand_in_reading_order_two_blank_lines_apart(tangled):
    text = module_of(tangled).read_text(encoding="utf-8")
    header, _, body = text.partition("\n")
    assert body == (
        "import math\n\n\ndef area(r):\n    return math.pi * r * r\n"
        "\n\ndef twice(r):\n    return 2 * area(r)\n"
    )
    assert header.startswith(
        "# Tangled from book/01-one.qmd and book/02-two.qmd."
    )


def test_reading_order_is_that_of_the_configuration(book_of):
    book = book_of({"09-first": "# A\n\n" + program("a = 1"),
                    "01-second": "# B\n\n" + program("b = 2")})
    tangle.tangle(book)
    assert "a = 1\n\n\nb = 2" in module_of(book).read_text(encoding="utf-8")


def test_options_and_annotations_are_left_out(book_of):
    book = book_of("# One\n\n" + program(
        "a = 1  # <1>\nb = '# <2> stays'\nc = 3  # a note # <12>",
        label="x", echo="false",
    ))
    tangle.tangle(book)
    assert module_of(book).read_text(encoding="utf-8").split("\n", 1)[1] == (
        "a = 1\nb = '# <2> stays'\nc = 3  # a note\n"
    )


def test_other_cells_are_not_tangled(book_of):
    book = book_of("# One\n\n" + program("a = 1") + cell("a + 1"))
    tangle.tangle(book)
    assert "a + 1" not in module_of(book).read_text(encoding="utf-8")


def test_tangling_again_writes_nothing(tangled):
    before = module_of(tangled).stat().st_mtime_ns
    assert tangle.tangle(tangled) == []
    assert module_of(tangled).stat().st_mtime_ns == before


def test_an_edited_chapter_replaces_the_module(tangled, book_of):
    book = book_of({"01-one": ONE.replace("math.pi", "3"), "02-two": TWO})
    assert tangle.tangle(book) == [module_of(book)]
    assert "return 3 * r * r" in module_of(book).read_text(encoding="utf-8")


def test_a_module_no_chapter_makes_any_more_is_removed(book_of):
    book = book_of("# One\n\n" + program("a = 1") + program("b = 1", "two"))
    tangle.tangle(book)
    assert module_of(book, "two").exists()
    tangle.tangle(book_of("# One\n\n" + program("a = 1")))
    assert not module_of(book, "two").exists()
    assert module_of(book).exists()


def test_through_takes_the_chapters_up_to_one_and_the_appendices(book_of):
    book = book_of({"01-one": "# One\n", "02-two": "# Two\n"},
                   appendices={"data": "# Data\n"})
    assert [c.name for c in tangle.through(book, 1)] == [
        "index", "01-one", "data",
    ]


def test_a_line_of_a_module_knows_the_line_it_came_from(tangled):
    (module,) = tangle.modules(tangled.chapters).values()
    sources = {
        c.path: (tangled.root / c.path).read_text(encoding="utf-8").split("\n")
        for c in tangled.chapters
    }
    lines = module.text.split("\n")
    checked = 0
    for number, text in enumerate(lines, 1):
        if number > 1 and text:
            path, line = module.locate(number)
            assert sources[path][line - 1] == text
            checked += 1
    assert checked == 5


# ------------------------------------------------------------- what is not


@pytest.mark.parametrize("name", [
    "one.py", "other/one.py", "scratch/one.txt", "scratch/../one.py",
    "/scratch/one.py", "scratch/deep/../one.py", "scratch", "scratch.py",
    "scratch/de-ep/one.py", "scratch/o.ne.py",
])
def test_program_text_outside_scratch_is_an_error(book_of, name):
    book = book_of("# One\n\n" + cell("a = 1", label="x", filename=name))
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/01-one.qmd:5: ")
    assert "#| filename: scratch/NAME.py" in said
    assert not (book.root / "code").exists()


def test_a_module_may_lie_in_a_folder(book_of):
    book = book_of("# One\n\n" + program("a = 1", "deep/one") + program(
        "from scratch.deep.one import a\nb = a + c", "deep/__init__",
    ) + program("c = 1", "deep/two"))
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/01-one.qmd:10: ") and "`c`" in said
    book = book_of("# One\n\n" + program("a = 1", "deep/one") + program(
        "from scratch.deep.one import a\nb = a / 0", "deep/__init__",
    ))
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/01-one.qmd:10: 'import scratch.deep")
    book = book_of("# One\n\n" + program("a = 1", "deep/one") + program(
        "from scratch.deep.one import a\nb = a", "deep/__init__",
    ))
    assert tangle.tangle(book) == [
        module_of(book, "deep/one"), module_of(book, "deep/__init__"),
    ]


@pytest.mark.parametrize("first, second", [
    ("deep", "deep/one"), ("deep/one", "deep"), ("deep", "deep/__init__"),
    ("deep/er", "deep/er/one"),
])
def test_a_module_beside_a_folder_of_its_name_is_an_error(
    book_of, first, second
):
    book = book_of("# One\n\n" + program("a = 1", first)
                   + program("a = 1", second))
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/01-one.qmd:8: ")
    assert "Python would see the folder" in said


def test_a_module_that_becomes_a_package_leaves_nothing_behind(book_of):
    book = book_of("# One\n\n" + program("a = 1"))
    tangle.tangle(book)
    book = book_of("# One\n\n" + program("a = 1", "one/inner")
                   + program("from scratch.one.inner import a",
                             "one/__init__"))
    tangle.tangle(book)
    tangle.check_tangled(book)
    assert not module_of(book).exists()
    assert module_of(book, "one/inner").exists()


def test_a_syntax_error_is_named_at_its_line_in_the_chapter(book_of):
    book = book_of({
        "01-one": ONE, "02-two": "# Two\n\n" + program("x = 1\ny = = 2"),
    })
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/02-two.qmd:6: the program text does not")
    assert not (book.root / "code").exists()


@pytest.mark.parametrize("again", [
    "def area(r):\n    pass", "class area:\n    pass", "area = 1",
    "async def area():\n    pass",
])
def test_a_name_defined_twice_is_an_error_that_names_both(book_of, again):
    book = book_of({
        "01-one": ONE, "02-two": "# Two\n\n" + program("x = 1\n" + again),
    })
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/02-two.qmd:6: ")
    assert "already defines 'area' at book/01-one.qmd:8" in said


def test_one_name_in_two_modules_is_no_error(book_of):
    book = book_of("# One\n\n" + program("a = 1") + program("a = 1", "two"))
    assert len(tangle.tangle(book)) == 2


def test_a_name_used_and_not_imported_is_an_error_at_its_line(book_of):
    book = book_of({
        "01-one": "# One\n\n" + cell("import math") + program("a = 1"),
        "02-two": "# Two\n\n" + program("def f():\n    return math.pi"),
    })
    for action in (tangle.tangle, tangle.lint_book):
        said = complaint(action, book)
        assert said.startswith("book/02-two.qmd:6: ")
        assert "`math`" in said and "import it in the first block" in said
    assert not (book.root / "code").exists()


def test_a_module_that_does_not_import_is_an_error_at_its_line(book_of):
    book = book_of({
        "01-one": ONE, "02-two": "# Two\n\n" + program("b = 1\nc = b / 0"),
    })
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/02-two.qmd:6: 'import scratch.one' fails: ")
    assert "ZeroDivisionError" in said
    assert not (book.root / "code").exists()


def test_a_module_that_an_edit_elsewhere_breaks_is_an_error(book_of):
    uses = program("from scratch.one import a\nb = a", "two")
    book = book_of("# One\n\n" + program("a = 1") + uses)
    tangle.tangle(book)
    before = module_of(book).read_text(encoding="utf-8")
    book = book_of("# One\n\n" + program("A = 1") + uses)
    said = complaint(tangle.tangle, book)
    assert said.startswith("book/01-one.qmd:9: 'import scratch.two' fails")
    assert module_of(book).read_text(encoding="utf-8") == before


def test_modules_are_imported_without_what_the_notebook_has(book_of):
    book = book_of(
        "# One\n\n" + cell("import sys; sys.modules['ghost'] = sys")
        + program("import ghost")
    )
    assert "No module named 'ghost'" in complaint(tangle.tangle, book)


# --------------------------------------------------- what belongs to others


def test_a_hand_edited_module_is_never_overwritten(tangled, book_of):
    file = module_of(tangled)
    edited = file.read_text(encoding="utf-8").replace("2 * area", "3 * area")
    file.write_text(edited, encoding="utf-8")
    line = edited.split("\n").index("    return 3 * area(r)") + 1
    for action in (tangle.tangle, tangle.check_tangled):
        said = complaint(action, tangled)
        assert said.startswith(f"code/scratch/one.py:{line}: edited by hand")
        assert "make the change at book/02-two.qmd:6 instead" in said
        assert file.read_text(encoding="utf-8") == edited
    newer = book_of({"01-one": ONE.replace("a(r)", "a(s)"), "02-two": TWO})
    said = complaint(tangle.tangle, newer)
    assert said.startswith("code/scratch/one.py:5: edited by hand")
    assert file.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize("text", ["", "x = 1\n", "# Tangled from x.\n"])
def test_a_file_of_the_same_name_is_never_overwritten(book_of, text):
    book = book_of("# One\n\n" + program("a = 1"))
    file = module_of(book)
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert "edited by hand" in complaint(tangle.tangle, book)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["scratch/mine.py", "__init__.py"])
def test_an_orphan_of_someones_hand_is_kept_and_named(tangled, name):
    file = tangled.root / "code" / name
    file.write_text("mine = 1\n", encoding="utf-8")
    for action in (tangle.tangle, tangle.check_tangled):
        said = complaint(action, tangled)
        assert said.startswith(f"code/{name}: no chapter makes this file")
        assert file.read_text(encoding="utf-8") == "mine = 1\n"


def test_nothing_is_written_when_one_module_is_wrong(tangled, book_of):
    before = module_of(tangled).read_text(encoding="utf-8")
    book = book_of({"01-one": ONE + program("e = 1"),
                    "02-two": TWO + program("import nowhere", "bad")})
    complaint(tangle.tangle, book)
    assert module_of(book).read_text(encoding="utf-8") == before
    assert not module_of(book, "bad").exists()


# ------------------------------------------------------------------- check


def test_check_is_content_with_what_tangle_wrote(tangled):
    tangle.check_tangled(tangled)


def test_check_names_what_is_missing_and_what_is_old(tangled, book_of):
    book = book_of({"01-one": ONE + program("e = 1"),
                    "02-two": TWO + program("f = 1", "more")})
    before = module_of(book).read_text(encoding="utf-8")
    assert complaint(tangle.check_tangled, book).split("\n") == [
        "code/scratch/more.py: missing; run 'make tangle'",
        "code/scratch/one.py: older than its chapters; run 'make tangle'",
    ]
    assert module_of(book).read_text(encoding="utf-8") == before


def test_the_repositorys_code_is_what_its_chapters_make():
    tangle.check_tangled(read_book(REPO))


# --------------------------------------------------------------- namespace


@pytest.mark.parametrize("folder", [".", "code"])
def test_code_is_still_the_module_of_the_standard_library(tangled, folder):
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys; sys.path.insert(0, sys.argv[1])\n"
         "import code; code.InteractiveConsole\n"
         "import scratch.one; print(scratch.one.twice(1))",
         str(tangled.root / "code")],
        cwd=tangled.root / folder, capture_output=True, encoding="utf-8",
    )
    assert (done.stderr, done.stdout) == ("", "6.283185307179586\n")


def test_every_module_parses_as_the_oldest_python_we_promise():
    for file in (REPO / "code").rglob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 11))
