"""A build either makes the whole book or leaves the old one alone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from press import build
from press.errors import BookError, BookErrors
from press.progress import Reporter
from press.read.book import read_book
from press.run import run
from press.weave.archive import zipped
from press.weave.html import pages, search
from press.weave.typst import pdf
from tiny import HANGS, OPENING, PROGRAM, REPO, cell, contents, write_book

pytestmark = pytest.mark.usefixtures("quick_kernels")
PLAIN = "# One\n\nWords.\n"


def press(root, *arguments):
    """A verb in a process of its own, on a tiny book."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=root,
        env=dict(os.environ, PYTHONPATH=str(REPO)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )


def build_html(root):
    return build.build(
        read_book(root), Reporter(quiet=True), formats=("html",)
    )


# --------------------------------------------------------------- the place


def test_a_book_has_a_page_for_each_chapter_and_what_they_share(book_of):
    site = build_html(book_of({"01-one": PLAIN, "02-two": PLAIN}).root)
    assert set(contents(site)) >= {
        "index.html", "book/01-one.html", "book/02-two.html",
        "site/book.css", "site/book.js", "site/palette.css",
    }
    assert [f.name for f in site.parent.glob("_book*")] == ["_book"]


def test_a_page_of_a_chapter_that_is_gone_goes_too(book_of):
    site = build_html(book_of({"01-one": PLAIN, "02-two": PLAIN}).root)
    assert (site / "book" / "02-two.html").exists()
    build_html(book_of({"01-one": PLAIN}).root)
    assert not (site / "book" / "02-two.html").exists()


def test_each_format_leaves_the_other_as_it_was(book_of, monkeypatch):
    made = []

    def set_pdf(woven, out, cache, **options):
        made.append(options["paper"])
        out.write_bytes(b"%PDF " + options["paper"].encode())

    monkeypatch.setattr(pdf, "set_pdf", set_pdf)
    book = book_of(PLAIN)
    report = Reporter(quiet=True)
    site = build.build(book, report, formats=("html", "pdf"))
    before = contents(site)
    build.build(book, report, formats=("pdf",), paper="letter")
    assert contents(site) == before | {build.PDF: b"%PDF letter"}
    build.build(book_of("# One\n\nMore.\n"), report, formats=("html",))
    after = contents(site)
    assert after[build.PDF] == b"%PDF letter"
    assert b"More." in after["book/01-one.html"]
    assert made == ["a4", "letter"]


FAULTS = {
    "raises": ("# T\n\n" + cell("x = 1\n1 / 0", label="bad"),
               "book/01-one.qmd:6: cell 'bad' raised ZeroDivisionError"),
    "syntax": ("# T\n\n" + cell("x = = 1"),
               "book/01-one.qmd:4: syntax error"),
    "option": ("# T\n\n" + cell("1", lable="x"),
               "book/01-one.qmd:4: unknown option 'lable'; write 'label'"),
    "duplicate": ("# T\n\n$$x$$ {#eq-x}\n\n$$x$$ {#eq-x}\n",
                  "book/01-one.qmd:5: the label 'eq-x' already stands at "
                  "book/01-one.qmd:3"),
    "reference": ("# T\n\nSee @fig-none.\n",
                  "book/01-one.qmd:3: nothing is labelled 'fig-none'"),
    "program": ("# T\n\n" + cell("a = b", filename="scratch/one.py"),
                "book/01-one.qmd:5: Undefined name `b`"),
    "result": ("# T\n\n" + cell("print(1)"),
               "book/01-one.qmd:3: this cell prints a result"),
    "unclosed": ("# T\n\n```{python}\n1\n",
                 "book/01-one.qmd:3: this cell is never closed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_exit_code_1_and_the_old_book_stays(
    tmp_path, perform, fault
):
    text, said = FAULTS[fault]
    write_book(tmp_path, {"01-one": text})
    (tmp_path / "_book").mkdir()
    (tmp_path / "_book" / "index.html").write_text(
        "the old book", encoding="utf-8"
    )
    code, err = perform("html")
    assert code == 1
    assert said in err
    assert contents(tmp_path / "_book") == {"index.html": b"the old book"}
    assert [f.name for f in tmp_path.glob("_book*")] == ["_book"]
    assert not (tmp_path / "code").exists()


def test_a_hand_edited_module_stops_the_build_and_is_kept(
    tmp_path, perform
):
    write_book(tmp_path, {
        "01-one": "# T\n\n" + cell("a = 1", filename="scratch/one.py"),
    })
    assert perform("tangle") == (0, "tangled code/scratch/one.py\n")
    assert perform("tangle") == (0, "code/ was up to date\n")
    assert perform("tangle", "--check")[0] == 0
    file = tmp_path / "code" / "scratch" / "one.py"
    text = file.read_text(encoding="utf-8") + "b = 2\n"
    file.write_text(text, encoding="utf-8")
    for verb in (("html",), ("tangle",), ("tangle", "--check")):
        code, err = perform(*verb)
        assert code == 1 and "code/scratch/one.py:3: edited by hand" in err
    assert file.read_text(encoding="utf-8") == text
    assert not (tmp_path / "_book").exists()


def test_proof_says_that_nothing_is_wrong_or_what(tmp_path, perform):
    write_book(tmp_path, {"01-one": PLAIN})
    assert perform("proof") == (0, "no faults found\n")
    write_book(tmp_path, {"01-one": PLAIN + "\n@fig-a @fig-b\n"})
    code, err = perform("proof")
    assert code == 1 and "'fig-a'" in err and "'fig-b'" in err


def test_ctrl_c_leaves_the_old_book(tmp_path, perform, monkeypatch):
    write_book(tmp_path, {"01-one": PLAIN})
    build_html(tmp_path)
    before = contents(tmp_path / "_book")
    write_book(tmp_path, {"01-one": "# One\n\nOther.\n"})

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pages, "set_pages", interrupted)
    code, err = perform("html")
    assert code == 130 and err.endswith("stopped; nothing was changed\n")
    assert contents(tmp_path / "_book") == before
    assert [f.name for f in tmp_path.glob("_book*")] == ["_book"]


def test_ctrl_c_in_the_very_swap_leaves_the_old_book(tmp_path, monkeypatch):
    for name in ("_book", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name, encoding="utf-8")
    rename = os.rename

    def interrupted(old, new):
        if Path(old).name == "new":
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build.swap(tmp_path / "new", tmp_path / "_book")
    page = tmp_path / "_book" / "index.html"
    assert page.read_text(encoding="utf-8") == "_book"


# -------------------------------------------------------------- the killed


@pytest.fixture
def dead():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_build_left_is_swept(book_of, dead):
    root = book_of(PLAIN).root
    (root / f"_book.{dead}").mkdir()
    (root / f"_book.{os.getppid()}").mkdir()
    (root / "_book.mine").mkdir()
    build_html(root)
    assert sorted(f.name for f in root.glob("_book*")) == sorted(
        ["_book", "_book.mine", f"_book.{os.getppid()}"]
    )


def test_a_book_put_aside_by_a_killed_build_comes_back(book_of, dead):
    root = book_of("# One\n\n@fig-none\n").root
    for name in (f"_book.{dead}", f"_book.{dead}.old"):
        (root / name).mkdir()
        (root / name / "index.html").write_text(name, encoding="utf-8")
    with pytest.raises(BookErrors):
        build_html(root)
    (left,) = root.glob("_book*")
    assert left.name == "_book"
    page = (left / "index.html").read_text(encoding="utf-8")
    assert page == f"_book.{dead}.old"


SLOW = """# Two

""" + cell("""
import os, time
from pathlib import Path
started = Path("started")
if started.exists():
    started.write_text(str(os.getpid()))
    time.sleep(3600)
print("done")
""", reproduce="exact")


def waited(condition):
    end = time.monotonic() + HANGS
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.daily
def test_a_build_killed_half_way_is_as_if_it_had_never_been(tmp_path):
    chapters = {
        "01-one": "# One\n\n" + cell("print(1 + 1)", reproduce="exact"),
        "02-two": SLOW,
    }
    killed, plain = tmp_path / "killed", tmp_path / "plain"
    write_book(killed, {"01-one": PLAIN})
    old = contents(build_html(killed))
    for root in (killed, plain):
        root.mkdir(exist_ok=True)
        write_book(root, chapters)

    started = killed / "started"
    started.write_text("", encoding="utf-8")
    process = press(killed, "html")
    try:
        waited(lambda: started.read_text(encoding="utf-8"))
        kernel = int(started.read_text(encoding="utf-8"))
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert contents(killed / "_book") == old
    waited(lambda: not psutil.pid_exists(kernel))

    started.unlink()
    processes = [press(root, "html") for root in (killed, plain)]
    for process in processes:
        _, err = process.communicate(timeout=HANGS)
        assert process.returncode == 0, err
    assert contents(killed / "_book") == contents(plain / "_book")
    assert [f.name for f in killed.glob("_book*")] == ["_book"]

    def outputs(root):
        return {
            f.name: f.read_bytes().partition(b"\n")[0]
            for f in (root / ".cache" / "run").iterdir()
        }

    assert outputs(killed) == outputs(plain)
    assert len(outputs(killed)) == 2


def test_building_again_changes_no_byte_and_runs_nothing(book_of, monkeypatch):
    root = book_of("# One\n\n" + cell("print(1)", reproduce="exact")).root
    before = contents(build_html(root))
    monkeypatch.setattr(run, "execute", None)
    assert contents(build_html(root)) == before
    shutil.rmtree(root / ".cache" / "weave")
    assert contents(build_html(root)) == before


# --------------------------------------------------------------- the verbs


def test_serve_without_a_book_says_what_to_do(tmp_path, perform):
    write_book(tmp_path, {})
    code, err = perform("serve")
    assert code == 1 and "run 'make book'" in err


def test_an_opening_alone_is_a_book(book_of):
    book = book_of({})
    assert OPENING in (book.root / "index.qmd").read_text(encoding="utf-8")
    assert (build_html(book.root) / "index.html").exists()


def test_errors_of_several_chapters_come_in_reading_order_of_names():
    errors = BookErrors([BookError("b", 2, "y"), BookError("a", None, "x"),
                         BookError("b", 1, "z")])
    assert str(errors) == "a: x\nb:1: z\nb:2: y"


def test_only_a_page_with_a_simulation_loads_the_stage(book_of):
    book = book_of({
        "01-one": '# One\n\n::: {.sim data-sim="x"}\nA still.\n:::\n',
        "02-two": "# Two\n\nWords.\n",
    })
    sims = book.root / "figures" / "sims"
    sims.mkdir(parents=True)
    for name in ("stage.js", "stage.css", ".weights.js.12"):
        (sims / name).write_text("", encoding="utf-8")
    site = build_html(book.root)
    one, two = (
        (site / f"book/{name}.html").read_text(encoding="utf-8")
        for name in ("01-one", "02-two")
    )
    assert '<script src="../figures/sims/stage.js" defer>' in one
    assert 'href="../figures/sims/stage.css"' in one
    assert 'data-sim="x"' in one and "A still." in one
    assert "figures/sims" not in two
    copied = sorted(f.name for f in (site / "figures/sims").iterdir())
    assert copied == ["stage.css", "stage.js"]


def test_the_search_index_is_made_again_only_for_other_pages(
    tmp_path, monkeypatch
):
    site, cache = tmp_path / "site", tmp_path / "cache"
    page = site / "book" / "one.html"
    page.parent.mkdir(parents=True)
    made = []

    def make_index(site):
        made.append(page.read_text(encoding="utf-8"))
        return zipped({"pagefind.js": f"finds in {made[-1]}".encode()})

    monkeypatch.setattr(search, "make_index", make_index)
    for text in ("once", "once", "twice", "once"):
        page.write_text(text, encoding="utf-8")
        search.set_index(site, cache)
        index = site / search.INDEX_FOLDER / "pagefind.js"
        assert index.read_text(encoding="utf-8") == f"finds in {text}"
    assert made == ["once", "twice", "once"]
    assert len(list(cache.iterdir())) == 1
