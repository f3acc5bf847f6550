"""Whatever goes wrong around a build, the book comes out the same."""

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from press import build, cache
from press.errors import BookError
from press.progress import Reporter
from press.read.book import read_book
from press.run import data
from press.weave.html import pages
from tiny import HANGS, PROGRAM, REPO, cell, contents, write_book

pytestmark = [
    pytest.mark.daily,
    pytest.mark.usefixtures("quick_kernels"),
    pytest.mark.skipif(os.name == "nt", reason="needs POSIX"),
]
CHAPTERS = {
    "01-one": "# Ünö {#sec-one}\n\nSee @fig-a.\n\n"
    + cell("a = 'éß'\nprint(a, hash('a'), {'x', 'y', 'z'})",
           reproduce="exact")
    + "\nIt is `{python} 2 * a`.\n\n" + cell(
        "from IPython.display import SVG\n"
        "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" '\n"
        "    'width=\"9\" height=\"9\"><path d=\"M0 0h9\" '\n"
        "    'style=\"stroke: red\"/></svg>')",
        label="fig-a", fig_cap="A", fig_alt="A",
    ),
    "02-two": "# Two\n\n" + cell(
        "import scratch.two\nprint(scratch.two.f(2))", reproduce="exact"
    ) + "\n" + cell("def f(x):\n    return x + 1",
                    filename="scratch/two.py"),
}
ENVIRONMENT = "PYTHONPATH=code\nPYTHONHASHSEED=0\nSOURCE_DATE_EPOCH=0\n"


def tiny(root):
    root.mkdir(parents=True, exist_ok=True)
    write_book(root, CHAPTERS)
    (root / "_environment").write_text(ENVIRONMENT, encoding="utf-8")
    return root


def started(root, *verb, **environment):
    environ = {**os.environ, "PYTHONPATH": str(REPO), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *verb], cwd=root,
        env={k: v for k, v in environ.items() if v is not None},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def made(root, *verb, **environment):
    """What a book is after a verb in a process of its own."""
    process = started(root, *verb, **environment)
    _, err = process.communicate(timeout=HANGS)
    assert process.returncode == 0, err.decode(errors="replace")
    return contents(root / "_book") | {
        f"../code/{name}": data
        for name, data in contents(root / "code").items()
        if name.endswith(".py") and "__pycache__" not in name
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return made(tiny(tmp_path_factory.mktemp("plain") / "book"), "book")


def test_a_path_with_spaces_an_unset_locale_and_no_home_change_no_byte(
    tmp_path, undisturbed
):
    """Also a hash seed, a time zone and a program name of another place."""
    root = tiny(tmp_path / "Bücher und 数 (1)")
    found = made(
        root, "book", HOME="/dev/null/home", LANG=None, LC_ALL=None,
        LC_CTYPE=None, PYTHONUTF8=None, XDG_CACHE_HOME=None,
        XDG_CONFIG_HOME=None, XDG_DATA_HOME=None, TZ="Asia/Tokyo",
        PYTHONHASHSEED="7",
    )
    assert found.keys() == undisturbed.keys()
    assert [n for n in found if found[n] != undisturbed[n]] == []


def test_a_locale_of_ascii_alone_changes_no_byte(tmp_path, undisturbed):
    root = tiny(tmp_path / "book")
    found = made(root, "book", LC_ALL="POSIX", LANG="POSIX",
                 PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert [n for n in undisturbed if found[n] != undisturbed[n]] == []


def test_two_builds_at_once_make_the_book_of_one(tmp_path, undisturbed):
    root = tiny(tmp_path / "book")
    both = [started(root, "book") for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=HANGS)
        assert process.returncode == 0, err.decode()
    assert contents(root / "_book") == {
        k: v for k, v in undisturbed.items() if not k.startswith("../code/")
    }
    assert [f.name for f in root.glob("_book*")] == ["_book"]


def test_the_lock_makes_the_second_build_wait(tmp_path):
    import fcntl
    with build.one_at_a_time(tmp_path):
        with open(tmp_path / ".cache" / "build.lock", "rb") as other:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open(tmp_path / ".cache" / "build.lock", "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


# ------------------------------------------------------------- the killed

# A build that ends as if it were killed once it has changed so many files,
# and says how many it has changed when it is not.
KILLED = """\
import os, sys
from pathlib import Path
from press import verbs
from press.run import kernel
kernel.SETUP = ""
verbs.ROOT = Path.cwd()
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
last, count = int(sys.argv[1]), 0

def changing(event, arguments):
    global count
    if event in CHANGES or event == "open" and arguments[2] & WRITES:
        count += 1
        if count == last:
            os._exit(9)

sys.addaudithook(changing)
code = verbs.perform("html", [])
print(count, flush=True)
sys.exit(code)
"""


def killed_at(root, change):
    """Build until so many files have changed: the exit code, and how many
    changes a build that came to its end has made."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(change)], cwd=root,
        env=dict(os.environ, PYTHONPATH=str(REPO)), capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode in (0, 9), done.stderr
    return done.returncode, int(done.stdout or 0)


def kill_builds(root, moments):
    """Kill a build at each of these moments, shares of a whole one; after
    each there is a whole old book, or the next build puts it back."""
    chapter = root / "book" / "02-two.qmd"
    text = chapter.read_text(encoding="utf-8")
    edits = iter(range(3, 10_000))

    def edit():
        chapter.write_text(text.replace("f(2)", f"f({next(edits)})"),
                           encoding="utf-8")

    assert killed_at(root, 0)[0] == 0
    edit()
    _, changes = killed_at(root, 0)  # of a build that has a cache
    assert changes > 20
    count = len(list((root / "_book").rglob("*.html")))
    for moment in moments:
        edit()
        code, _ = killed_at(root, 1 + int(moment * changes))
        assert code == 9, moment
        left = list((root / "_book").rglob("*.html")) or list(
            root.glob("_book.*.old/**/*.html"))
        assert len(left) == count, moment
        for page in left:
            assert page.read_text(encoding="utf-8").endswith("</html>\n")
    chapter.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("count", [
    4, pytest.param(40, marks=pytest.mark.slow),
])
def test_builds_killed_at_any_moment_leave_nothing(
    tmp_path, undisturbed, count
):
    root = tiny(tmp_path / "book")
    moments = random.Random(count)
    kill_builds(root, [moments.random() for _ in range(count)])
    assert made(root, "book") == undisturbed
    assert [f.name for f in root.glob("_book*")] == ["_book"]


# --------------------------------------------------------------- the disk


@pytest.mark.parametrize("full", [
    ".cache/run/", ".cache/weave/html/", "_book.", "code/scratch/",
])
def test_a_full_disk_is_told_and_the_old_book_stays(
    tmp_path, monkeypatch, perform, full
):
    """Each place the press writes to takes half a file, then no more."""
    write_book(tmp_path, {"01-one": "# One\n\nOld.\n"})
    build.build(read_book(tmp_path), Reporter(quiet=True), formats=("html",))
    before = contents(tmp_path / "_book")
    tiny(tmp_path)

    def halved(write):
        def half(path, body, *arguments, **options):
            name = path.as_posix().removeprefix(f"{tmp_path.as_posix()}/")
            if name.startswith(full):
                write(path, body[:len(body) // 2], *arguments, **options)
                raise OSError(
                    errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, body, *arguments, **options)
        return half

    with monkeypatch.context() as patch:
        for name in ("write_text", "write_bytes"):
            patch.setattr(Path, name, halved(getattr(Path, name)))
        code, said = perform("html")
    assert code == 1
    assert "No space left on device; _book/ is what it was before" in said
    assert contents(tmp_path / "_book") == before
    assert perform("html")[0] == 0
    again = contents(tmp_path / "_book")
    assert again != before
    assert "éß".encode() in again["book/01-one.html"]
    assert [f.name for f in tmp_path.glob("_book*")] == ["_book"]


def test_a_fault_of_the_press_itself_is_not_taken_for_a_full_disk(
    tmp_path, perform, monkeypatch
):
    write_book(tmp_path, {})

    def broken(*_):
        raise FileNotFoundError(errno.ENOENT, "missing")

    monkeypatch.setattr(pages, "set_pages", broken)
    with pytest.raises(FileNotFoundError):
        perform("html")


def test_an_entry_that_cannot_be_written_leaves_nothing_behind(
    tmp_path, monkeypatch
):
    def full(path, body):
        path.touch()
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="full"):
        cache.keep(tmp_path / "run", "01-one", {}, cache.Made(b"body"))
    assert list((tmp_path / "run").iterdir()) == []


def test_data_that_may_not_be_repaired_ends_the_build_in_one_line(tmp_path):
    root = tiny(tmp_path / "book")
    (root / "code" / "scratch" / "mnist").mkdir(parents=True)
    (root / "code" / "scratch" / "mnist" / "__init__.py").write_text(
        "def fetch_mnist(root):\n"
        "    raise PermissionError(13, 'Permission denied', root)\n",
        encoding="utf-8",
    )
    with pytest.raises(BookError) as said:
        data.fetch(read_book(root))
    assert str(said.value) == "data: [Errno 13] Permission denied: 'data'"
