"""Cells run as a reader would run them."""

import json
import os
import shutil
import time
from pathlib import Path

import nbformat
import pytest

from press.read.book import read_book
from press.run import kernel, run
from press.run.results import merged, unquoted
from press.tangle import tangle
from tiny import HANGS, cell, write_book
from tiny_runs import executed, program

pytestmark = pytest.mark.usefixtures("quick_kernels")
SETUP = kernel.SETUP

# ------------------------------------------------------------- the kernel

RICH = "# T\n\n" + "\n".join([
    cell("print('a')\nprint('b')\nimport sys\nprint('c', file=sys.stderr)",
         label="streams"),
    cell("'a\\nb'"),
    cell("from IPython.display import Markdown, display\n"
         "display(Markdown('**x**'))\nMarkdown('|a|')"),
    cell("1 / 0", error="true"),
    cell("raise SystemError", eval="false"),
    cell("import os, scratch.one\nos.getcwd(), scratch.one.a"),
    "Inline `{python} 'a*b'`, `{python} 2 ** 0.5`,\n"
    "`{python} Markdown('*c*')` and `{python} scratch.one.a`.\n",
    program("a = 1", "one"),
])


@pytest.fixture(scope="module")
def rich(tmp_path_factory, quick_kernels):
    root = write_book(tmp_path_factory.mktemp("rich"), {"01-one": RICH})
    book = read_book(root)
    tangle.tangle(book)
    seen = []
    result = executed(book, progress=lambda *step: seen.append(step[1:]))
    return book, result, seen


def outputs_of(result):
    return list(result.outputs.values())


def test_streams_come_back_joined_and_apart(rich):
    assert [(o["name"], o["text"]) for o in outputs_of(rich[1])[0]] == [
        ("stdout", "a\nb\n"), ("stderr", "c\n"),
    ]


def test_values_displays_and_errors_come_back(rich):
    value, displays, error = outputs_of(rich[1])[1:4]
    assert value[0]["data"]["text/plain"] == "'a\\nb'"
    assert [d["data"]["text/markdown"] for d in displays] == ["**x**", "|a|"]
    assert (error[0]["ename"], error[0]["evalue"]) == (
        "ZeroDivisionError", "division by zero"
    )


def test_a_cell_not_to_be_evaluated_is_not(rich):
    book, result, _ = rich
    index = next(i for i, p in enumerate(book.chapters[1].pieces)
                 if getattr(p, "source", "") == "raise SystemError")
    assert index not in result.outputs


def test_cells_run_in_the_root_and_import_the_package(rich):
    book, result, _ = rich
    (output,) = outputs_of(result)[4]
    assert output["data"]["text/plain"] == f"({str(book.root)!r}, 1)"


def test_inline_values_are_text_or_markdown(rich):
    assert list(rich[1].values.values()) == [
        r"a\*b", "1.4142135623730951", "*c*", "1",
    ]


def test_a_warning_names_its_cell_and_no_process(tmp_path):
    chapters = {"01-one": "# T\n\n" + "\n".join([
        cell("x = 1"),
        cell("import warnings\nwarnings.warn('careful')\nprint(1)"),
        cell("import sys\ndef f():\n    pass\nprint(f.__code__.co_filename)",
             label="own"),
        cell("eval('1 +')", error="true"), cell("f.__code__.co_filename"),
        cell("import scratch.one\nscratch.one.warn()"),
    ]) + "\n`{python} f.__code__.co_filename`\n"}
    root = write_book(tmp_path / "a book", chapters)
    (root / "code" / "scratch").mkdir(parents=True)
    (root / "code" / "scratch" / "one.py").write_text(
        "import warnings\ndef warn():\n    warnings.warn('here')\n",
        encoding="utf-8")
    texts = []
    for _ in range(2):
        result = executed(read_book(root), cache=tmp_path / "nothing kept")
        shutil.rmtree(tmp_path / "nothing kept")
        texts.append(sorted(   # the streams come in any order
            json.dumps(o) for n in result.notebook.cells for o in n.outputs))
        assert "ipykernel_" not in "".join(texts[-1])
    assert texts[0] == texts[1]
    ours = [sorted(outputs, key=lambda o: o.get("name") or "")[::-1]
            for outputs in outputs_of(result) if outputs]
    assert ours[0][1]["text"] == (
        "<cell 2>:2: UserWarning: careful\n  warnings.warn('careful')\n")
    assert ours[1][0]["text"] == "<own>\n"
    assert ours[3][0]["data"]["text/plain"] == "'<own>'"
    assert ours[4][0]["text"].startswith("code/scratch/one.py:3: UserWarning")
    assert list(result.values.values()) == ["\\<own\\>"]


def test_progress_names_each_cell_in_turn(rich):
    assert rich[2] == [
        ("streams", 1, 11), ("line 11", 2, 11), ("line 15", 3, 11),
        ("line 21", 4, 11), ("line 31", 5, 11), ("scratch/one.py", 10, 11),
    ]


def test_what_was_run_is_served_from_the_cache_the_same(rich):
    book, result, seen = rich
    count = len(seen)
    again = executed(book, progress=lambda *step: seen.append(step))
    assert (again.fresh, len(seen)) == (False, count)
    assert (again.outputs, again.values) == (result.outputs, result.values)


def test_no_kernel_outlives_its_chapter(rich):
    children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    if not os.path.exists(children):
        pytest.skip("needs Linux")

    def kernels():
        found = []
        for child in Path(children).read_bytes().decode().split():
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue  # it has just gone
            found += [child] if b"ipykernel" in command else []
        return found

    end = time.monotonic() + HANGS  # a killed one may take a while to go
    while kernels():
        assert time.monotonic() < end, kernels()
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="has no such sockets")
def test_kernels_share_no_ports_and_leave_no_sockets(tmp_path):
    """Two that start at once chose one port now and then, and one died."""
    ask = cell("from ipykernel import get_connection_info\n"
               "print(get_connection_info())")
    book = read_book(write_book(
        tmp_path, {name: f"# T\n\n{ask}" for name in ("01-a", "02-b")}))
    told = [json.loads(r.outputs[1][0]["text"]) for r in run.run_all(book)[1:]]
    assert {one["transport"] for one in told} == {"ipc"}
    assert told[0]["ip"] != told[1]["ip"]
    assert not any(Path(one["ip"]).parent.exists() for one in told)


def test_matplotlib_draws_svg(book_of, monkeypatch):
    monkeypatch.setattr(kernel, "SETUP", SETUP)
    result = executed(book_of("# T\n\n" + cell(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    )))
    (output,) = outputs_of(result)[0]
    assert output["data"]["image/svg+xml"].startswith("<?xml")
    assert "image/png" not in output["data"]


# ------------------------------------------------------------- the values


def test_pieces_of_one_stream_are_joined_and_others_kept_apart():
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    pieces = [stream("stdout", "a"), stream("stdout", "b"),
              stream("stderr", "c"), stream("stdout", "d")]
    assert [(o["name"], o["text"]) for o in merged(pieces)] == [
        ("stdout", "ab"), ("stderr", "c"), ("stdout", "d"),
    ]
    assert pieces[0].text == "a"


@pytest.mark.parametrize("text, plain", [
    ("'a'", "a"), ('"it\'s"', "it's"), (r"'a\nb'", "a\nb"), ("3.5", "3.5"),
    ("[1, 'a']", "[1, 'a']"), ("'broken", "'broken"),
    ("'a' is not 'b'", "'a' is not 'b'"),
])
def test_the_repr_of_a_string_is_printed_as_the_string(text, plain):
    assert unquoted(text) == plain
