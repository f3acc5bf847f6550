"""A cell that fails is named, with its line and what it called."""

import asyncio
import re

import nbclient
import psutil
import pytest

from press.errors import BookError
from press.read.book import read_book
from press.run import kernel, run
from press.tangle import tangle
from tiny import HANGS, cell, write_book
from tiny_runs import failure, program

pytestmark = pytest.mark.usefixtures("quick_kernels")
FAILING = {
    "raises": cell("x = 1") + "\n" + cell(
        "def f():\n    return 1 / 0\n\n\nf()", label="divides", echo="false"
    ),
    "inline": cell("x = 1") + "\na\n`{python} x` `{python} y`\n",
    "none": cell("1") + "\n`{python} None`\n",
    "dies": cell("x = 1") + cell("import os\nos._exit(1)", label="dies"),
    "called": cell(
        "def f(x):\n    return 1 / x\n\n\ndef g(call):\n    return call()",
        label="defines",
    ) + cell("f(1)\n\nf(\n    0)", label="calls"),
    "called-inline": cell("def f(x):\n    return 1 / x", label="defines")
    + "\na\n`{python} f(1)` `{python} f(0)`\n",
    "back": cell("def g(call):\n    return call()", label="defines")
    + cell("g(lambda: 1)\n\ng(\n    lambda: 1 / 0\n)", label="calls"),
    "through": cell("def f(x):\n    return 1 / x", label="defines")
    + cell("def h():\n    return f(0)\n\nh()", label="calls"),
    "evaluated": cell("x = 1") + cell("y = 2\neval('y = = 2')", label="e"),
    "executed": cell("exec('z = 1\\n\\n1 / 0')", label="e"),
    "printed": cell("y = 1\nprint('Cell In[2], line 40')\n\n"
                    "raise ValueError('Cell In[2], line 50, in f(x)')"),
    "shown": cell("def f():\n    1 / 0")
    + cell("\n\nf()", error="true") + cell("x = 1\ny", label="e"),
    "caused": cell("def f():\n    1 / 0")
    + cell("try:\n    f()\nexcept ZeroDivisionError as error:\n"
           "    raise ValueError('no') from error", label="e"),
    "equal": cell("def f(x):\n    1 / x\n\n\nf(1)\nn = 2")
    + cell("n -= 1\nf(n)", label="a") + cell("n -= 1\nf(n)", label="b"),
    "magic": cell("x = 1\n%pwd\ny = = 2", label="e"),
    "library": cell("import json\nx = 1\njson.loads(\n    '{')", label="e"),
    "module": program("a = 1\n\n\ndef f(x):\n    return 1 / x", "one")
    + cell("from scratch.one import f as g\n\ng(0)", label="e"),
    "slow": cell("import time\ntime.sleep(3600)", label="slow"),
}


def stopped(book, slow):
    """What the chapter that never ends is told, with the shortest limit in
    which this machine gets as far as its cell."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in (2, 8, 32, 128, 512):
            patch.setattr(kernel, "TIME_LIMIT", limit)
            with pytest.raises(BookError) as error:
                asyncio.run(run.run(book, slow))
            if "the cell 'slow'" in str(error.value):
                break
    return error.value


@pytest.fixture(scope="module")
def failed(tmp_path_factory, quick_kernels):
    """What each failing chapter is told, all run at the same time."""
    root = write_book(
        tmp_path_factory.mktemp("failing"),
        {name: "# T\n\n" + text for name, text in FAILING.items()},
    )
    book = read_book(root)
    tangle.tangle(book)

    *quick, slow = book.chapters[1:]

    async def all_of_them():
        return await asyncio.gather(
            *(run.run(book, c) for c in quick), return_exceptions=True,
        )

    errors = [*asyncio.run(all_of_them()), stopped(book, slow)]
    assert {type(error) for error in errors} == {BookError}
    kept = {f.name.split("-")[0] for f in root.glob(".cache/run/*")}
    assert kept <= {"none"}  # it ran to its end
    return dict(zip(FAILING, map(str, errors), strict=True))


def test_a_set_up_that_hangs_is_named_too(book_of, monkeypatch):
    book = book_of("# T\n\n" + cell("1"))
    monkeypatch.setattr(kernel, "TIME_LIMIT", 1)
    monkeypatch.setattr(kernel, "SETUP", "import time\ntime.sleep(600)")
    with pytest.raises(BookError, match="'setup' ran longer than 1 s"):
        run.run_all(book)


def test_a_cell_that_raises_is_named_with_its_line_and_traceback(failed):
    first, trace = failed["raises"].split("\n", 1)
    assert first == (
        "book/raises.qmd:11: cell 'divides' raised ZeroDivisionError: "
        "division by zero"
    )
    assert "return 1 / 0" in trace and "\x1b" not in trace


@pytest.mark.parametrize("name, line, step, origin", [
    ("called", 16, "cell 'calls'", "book/called.qmd:6, cell 'defines'"),
    ("called-inline", 10, "this expression",
     "book/called-inline.qmd:6, cell 'defines'"),
    ("back", 13, "cell 'calls'", None),
    ("through", 13, "cell 'calls'", "book/through.qmd:6, cell 'defines'"),
    ("evaluated", 9, "cell 'e'", None),
    ("executed", 5, "cell 'e'", None),
    ("printed", 7, "cell 'line 3'", None),
    ("shown", 14, "cell 'e'", None),
    ("caused", 12, "cell 'e'", None),
    ("equal", 19, "cell 'b'", "book/equal.qmd:5, cell 'line 3'"),
    ("magic", 7, "cell 'e'", None),
    ("library", 7, "cell 'e'", None),
    ("module", 15, "cell 'e'", "book/module.qmd:9, code/scratch/one.py"),
])
def test_what_raises_is_led_to_from_the_cell_that_called_it(
    failed, name, line, step, origin
):
    message = failed[name]
    assert message.startswith(f"book/{name}.qmd:{line}: {step} raised ")
    second = message.split("\n")[1]
    assert second == f"It comes from {origin}." if origin else (
        "It comes from" not in message)


def test_an_expression_that_raises_is_named_with_its_line(failed):
    assert failed["inline"].startswith(
        "book/inline.qmd:8: this expression raised NameError: name 'y'"
    )


def test_an_expression_without_value_is_an_error(failed):
    assert failed["none"] == (
        "book/none.qmd:7: `{python} None` has no value to print"
    )


def test_a_kernel_that_dies_is_named_where_it_died(failed):
    assert failed["dies"].startswith("book/dies.qmd:6: the kernel died here")


def test_a_cell_that_takes_too_long_is_stopped_and_named(failed):
    assert re.match(
        r"book/slow\.qmd:3: the cell 'slow' ran longer than \d+ s",
        failed["slow"],
    )


@pytest.mark.parametrize("text, said", [
    (cell("x = 1\ny = = 2", label="a"),
     "book/01-one.qmd:6: syntax error: invalid syntax: y = = 2"),
    (cell("1") + "\n`{python} x = 1`\n",
     "book/01-one.qmd:7: syntax error: invalid syntax"),
])
def test_a_syntax_error_is_found_before_anything_runs(
    book_of, monkeypatch, text, said
):
    monkeypatch.setattr("nbclient.NotebookClient.async_execute", None)
    assert failure(book_of("# T\n\n" + text)).startswith(said)


@pytest.mark.parametrize("source", [
    "%time x", "!ls", "await f()", "x = 1\n%who", "async with f():\n    pass",
])
def test_ipythons_own_syntax_and_await_are_no_syntax_errors(book_of, source):
    chapter = book_of("# T\n\n" + cell(source)).chapters[1]
    kernel.check_step(chapter, chapter.cells[0])


@pytest.mark.parametrize("stop", [asyncio.CancelledError, KeyboardInterrupt])
def test_a_kernel_whose_start_is_broken_off_is_ended(
    book_of, monkeypatch, stop
):
    started = []

    async def broken_off(self):
        started.extend(p for p in psutil.Process().children()
                       if p not in before)
        raise stop

    before = psutil.Process().children()
    monkeypatch.setattr(
        nbclient.NotebookClient, "async_start_new_kernel_client", broken_off)
    book = book_of("# One\n\n" + cell("1"))
    with pytest.raises(stop):
        asyncio.run(kernel.execute(book, book.chapters[1], None))
    assert started
    _, alive = psutil.wait_procs(started, timeout=HANGS)
    assert not alive
