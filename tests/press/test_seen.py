"""What a run has read is seen, and it runs again when that changes."""

import os
import subprocess
import sys

import pytest

from press.check.options import cell_faults
from press.read.book import read_book
from press.run import run, seen
from press.run.environment import watched
from tiny import cell, write_book
from tiny_runs import executed, failure

pytestmark = pytest.mark.usefixtures("quick_kernels")
PATH = "from pathlib import Path\n"
# Each: the cell, the files that are there, and the edits that make it stale.
READS = {
    "a file": ("print(open('book/x.csv').read())", {"book/x.csv": "1"},
               ["book/x.csv"]),
    "a name with a space": (
        "print(open('book/my x.csv').read())", {"book/my x.csv": "1"},
        ["book/my x.csv"]),
    "a joined path": (
        f"{PATH}print((Path('book') / 'x.csv').read_text())",
        {"book/x.csv": "1"}, ["book/x.csv"]),
    "a path from elsewhere": (
        "import os\nhere = os.getcwd()\nos.chdir('/')\n"
        "print(open(os.path.join(here, 'book', '..', 'x.csv')).read())",
        {"x.csv": "1"}, ["x.csv"]),
    "a descriptor": (
        "import os\nprint(os.read(os.open('x.csv', os.O_RDONLY), 9))",
        {"x.csv": "1"}, ["x.csv"]),
    "another script": ("%run book/x.py", {"book/x.py": "print(1)"},
                       ["book/x.py"]),
    "a module": ("import helper\nprint(helper.x)", {"helper.py": "x = 1"},
                 ["helper.py", "helper/__init__.py", "code/helper.py"]),
    "a module that is not there": (
        "try:\n    import helper\nexcept ImportError:\n    print('none')", {},
        ["helper.py", "code/helper/__init__.py"]),
    "a package": ("from scratch import a\nprint(a)",
                  {"code/scratch/__init__.py": "a = 1"},
                  ["code/scratch/__init__.py"]),
    "a module of a module": (
        "from scratch.b import a\nprint(a)",
        {"code/scratch/b.py": "from .c import a  # 1", "code/scratch/c.py":
         "a = 1"}, ["code/scratch/b.py", "code/scratch/c.py"]),
    "a listing": (
        f"{PATH}print(sorted(p.name for p in Path('book').iterdir()))", {},
        ["book/new.csv"]),
    "a pattern": (f"{PATH}print(sorted(Path('data').glob('*/*.csv')))",
                  {"data/a/x.csv": ""}, ["data/a/y.csv"]),
    "a name in each folder": (
        f"{PATH}print(list(Path('data').glob('*/x.csv')))",
        {"data/a/x.csv": "", "data/b/y.csv": ""}, ["data/b/x.csv"]),
    "a name at any depth": (
        f"{PATH}print(list(Path('data').rglob('x.csv')))",
        {"data/a/y.csv": ""}, ["data/a/x.csv"]),
    "a name that glob asks for": (
        "import glob\nprint(glob.glob('data/*/x.csv') + glob.glob('x'))",
        {"data/a/y.csv": ""}, ["data/a/x.csv", "x"]),
    "a file that is not there": (
        "try:\n    open('x.csv')\nexcept OSError:\n    print('none')", {},
        ["x.csv"]),
    "numbers": ("import numpy\nprint(numpy.fromfile('x', 'u1'))",
                {"x": "123"}, ["x"]),
    "a Python of its own": (
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c',"
        "'print(open(\"x.csv\").read())'], capture_output=True).stdout)",
        {"x.csv": "1"}, ["x.csv"]),
    "a process of its own": (
        "import multiprocessing\nwith multiprocessing.get_context('fork')"
        ".Pool(1) as pool:\n    print(pool.map(__import__('os').listdir, "
        "['data']))",
        {"data/x.csv": "1"}, ["data/y.csv"]),
}
IGNORED = "book/other.csv"


@pytest.fixture(scope="module")
def all_run(tmp_path_factory, quick_kernels):
    """A book for each of them, run once."""
    books = {}
    for name, (source, files, _) in READS.items():
        root = tmp_path_factory.mktemp("seen")
        write_book(root, {"01-one": f"# T\n\n{cell(source)}"})
        for file, text in files.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text, encoding="utf-8")
        books[name] = read_book(root)
        executed(books[name])
    return books


def kept(book):
    return run.kept_run(
        book, book.chapters[1], book.root / ".cache" / "run")


@pytest.mark.parametrize("name", READS)
def test_a_cell_runs_again_when_what_it_read_changes(all_run, name):
    book, edits = all_run[name], READS[name][2]
    (book.root / "unread.csv").write_text("1", encoding="utf-8")
    assert kept(book) is not None
    for edit in edits:
        file = book.root / edit
        before = file.read_bytes() if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        # The same length, within a second: only its content tells.
        file.write_bytes((before or b"1").replace(b"1", b"2"))
        assert kept(book) is None, edit
        if before is None:
            file.unlink()
            if file.name == "__init__.py":
                file.parent.rmdir()
        else:
            file.write_bytes(before)
        assert kept(book) is not None, edit


def test_a_module_that_changes_within_a_second_is_read_anew(book_of):
    book = book_of("# T\n\n" + cell("import helper\nhelper.x"))
    for number in range(3):
        (book.root / "helper.py").write_text(
            f"x = {number}\n", encoding="utf-8")
        (output,) = executed(book).outputs[1]
        assert output["data"]["text/plain"] == f"{number}"


def test_what_a_run_writes_is_no_input_but_has_to_be_there(book_of):
    book = book_of("# T\n\n" + cell(
        "from pathlib import Path\nimport os\n"
        "Path('made.txt').write_text('1')\nPath('made.txt').read_text()\n"
        "Path('.aside').write_text('2')\nos.replace('.aside', 'other.txt')"))
    assert executed(book).fresh and kept(book) is not None
    (book.root / "made.txt").write_text("3", encoding="utf-8")
    assert kept(book) is not None
    for name in ("made.txt", "other.txt"):
        (book.root / name).unlink()
        assert kept(book) is None
        assert executed(book).fresh and kept(book) is not None


def test_a_file_that_changes_while_the_cell_runs_is_not_remembered(book_of):
    book = book_of("# T\n\n" + cell(
        "import os\ntext = open('x').read()\n"
        "os.utime('x', ns=(0, 10 ** 18))"))
    (book.root / "x").write_text("1", encoding="utf-8")
    executed(book)
    assert kept(book) is None


# -------------------------------------------------------- other programs


@pytest.mark.skipif(os.name == "nt", reason="needs cat")
@pytest.mark.parametrize("source, program", [
    ("x = 1\n!cat book/x.txt", "cat book/x.txt"),
    ("import subprocess\nsubprocess.run(['cat', 'book/x.txt'])", "cat"),
    ("import os\nos.system('cat book/x.txt')", "cat book/x.txt"),
    ("import sys, subprocess\n"
     "subprocess.run([sys.executable, '-I', '-c', '1'])", "python"),
    ("import sys, subprocess\n"
     "subprocess.run([sys.executable, '-c', '1'], env={})", "python"),
    ("import os, subprocess, sys\nsubprocess.run([sys.executable, '-c',"
     "'import os; os.execvp(\"cat\", [\"cat\", \"x\"])'])", "cat"),
])
def test_a_program_that_nobody_declared_is_refused_with_its_line(
    book_of, source, program
):
    message = failure(book_of("# T\n\n" + cell("y = 1") + cell(source)))
    line = 7 if "execvp" in source else 8   # of it, or of the whole cell
    assert message.startswith(f"book/01-one.qmd:{line}: '{program}")
    assert "#| reads: book/x.csv" in message


@pytest.mark.skipif(os.name == "nt", reason="needs cat")
def test_a_program_is_declared_where_it_is_started_or_called(tmp_path):
    start = "import subprocess\ndef f():\n    subprocess.run(['cat', 'x'])"
    for number, text in enumerate((
        cell("!cat x", reads="x"), cell(start, reads="x") + cell("f()"),
        cell(start) + cell("f()", reads="[x, y/*]"),
        cell(start, reads="x", filename="scratch/a.py")
        + cell("import scratch.a\nscratch.a.f()"),
    )):
        book = read_book(write_book(
            tmp_path / str(number), {"01-one": "# T\n\n" + text}))
        (book.root / "code" / "scratch").mkdir(parents=True)
        (book.root / "code" / "scratch" / "a.py").write_text(
            f"# Tangled\n{start}\n", encoding="utf-8")
        (book.root / "x").write_text("1", encoding="utf-8")
        executed(book)
        assert kept(book) is not None
        (book.root / "x").write_text("2", encoding="utf-8")
        assert kept(book) is None


def test_a_question_whether_a_file_exists_is_declared(book_of):
    book = book_of("# T\n\n" + cell(
        "import os\nos.path.exists('x')", reads="x"))
    executed(book)
    (book.root / "x").touch()
    assert kept(book) is None


@pytest.mark.parametrize("value, said", [
    ("1", "a file, a pattern"), ("[a, 2]", "a file, a pattern"),
    ("/etc/passwd", "below the book"), ("../x", "below the book"),
])
def test_what_cannot_be_declared_is_a_fault(book_of, value, said):
    (cell_,) = book_of("# T\n\n" + cell("1", reads=value)).chapters[1].cells
    (fault,) = cell_faults(cell_)
    assert said in str(fault) and fault.line == 4


def test_what_can_be_declared_is_none(book_of):
    for value in ("[]", "x", "[data/*, 'book/my x.csv']"):
        (one,) = book_of("# T\n\n" + cell("1", reads=value)).chapters[1].cells
        assert list(cell_faults(one)) == []


# ------------------------------------------------------- the environment


def test_the_environment_of_whoever_calls_changes_nothing(
    book_of, monkeypatch, tmp_path_factory
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "helper.py").write_text("x = 'foreign'\n", encoding="utf-8")
    (elsewhere / "start.py").write_text("1 / 0\n", encoding="utf-8")
    kernels = elsewhere / "kernels" / "python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(
        '{"argv": ["false"], "display_name": "x", "language": "python"}',
        encoding="utf-8")
    for name, value in {
        "MPLBACKEND": "Agg", "PYTHONSTARTUP": str(elsewhere / "start.py"),
        "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error",
        "PYTHONPATH": str(elsewhere), "JUPYTER_PATH": str(elsewhere),
        "PYTHONSAFEPATH": "1", "NO_COLOR": "1", "A_SECRET": "x",
    }.items():
        monkeypatch.setenv(name, value)
    book = book_of("# T\n\n" + cell(
        "import os, sys, importlib.util\n"
        "print(os.environ.get('MPLBACKEND'), sys.flags.optimize,\n"
        "      sys.flags.safe_path, sys.warnoptions,\n"
        "      importlib.util.find_spec('helper'), 'A_SECRET' in os.environ)\n"
        "assert True"))
    (output,) = executed(book).outputs[1]
    assert output["text"].split()[1:] == [
        "0", "False", "[]", "None", "False"]
    assert "inline" in output["text"].split()[0]


def test_what_an_output_may_show_is_part_of_its_key(book_of, monkeypatch):
    book = book_of("# T\n\n" + cell("1"))
    monkeypatch.delenv("TZ", raising=False)
    before = run.inputs_of(book, book.chapters[1])
    monkeypatch.setenv("HOME", "/elsewhere")
    assert run.inputs_of(book, book.chapters[1]) == before
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert run.inputs_of(book, book.chapters[1]) != before
    (book.root / "_environment").write_text("TZ=UTC\n", encoding="utf-8")
    before = run.inputs_of(book, book.chapters[1])
    monkeypatch.setenv("TZ", "Asia/Seoul")   # which this replaces
    assert run.inputs_of(book, book.chapters[1]) == before


# ------------------------------------------------------------- the watch


def told_by(book, program, *options):
    """What a Python tells that runs a program in the book's folder."""
    file = book.root.parent / f"{book.root.name}.told"
    subprocess.run(
        [sys.executable, *options, "-c", program], cwd=book.root, check=True,
        env=watched(book, file), capture_output=True)
    return seen.read_seen(file)[0]


def test_the_watch_tells_files_of_the_book_and_no_others(book_of):
    book = book_of("# T\n")
    (book.root / ".cache").mkdir(exist_ok=True)
    told = told_by(book, (
        "import json, os, sqlite3, ctypes\n"
        "open('index.qmd'); open(os.__file__); open('.cache/x', 'w')\n"
        "open(b'_environment'); os.listdir('.'); os.listdir('/')\n"
        "sqlite3.connect(':memory:')\n"))
    assert set(told.files) == {"index.qmd", "_environment"}
    assert (told.folders, told.written, told.children) == ({"."}, set(), [])


def test_a_name_that_is_not_unicode_is_told_too(book_of):
    book = book_of("# T\n")
    told = told_by(book, (
        "import os\ntry:\n    open(b'\\xff\\n\\'')\nexcept OSError: pass"))
    (name,) = told.files
    assert os.fsencode(name) == b"\xff\n'"
    assert seen.look_at(book, book.chapters[1], f"file {name}") == "missing"


def test_what_stands_half_told_is_left_for_later(tmp_path):
    file = tmp_path / "told"
    file.write_text("('list', 'a')\n('list', 'b", encoding="utf-8")
    found, end = seen.read_seen(file)
    assert found.folders == {"a"}
    with file.open("a", encoding="utf-8") as more:
        more.write("')\n")
    assert seen.read_seen(file, end)[0].folders == {"b"}


def test_the_folder_of_the_watch_is_no_part_of_a_book(book_of):
    told = told_by(book_of("# T\n"), "import json")
    assert set(told.modules) <= {".", "code"}
