"""Cells run as a reader would run them, and again only when they must."""

import asyncio
import dataclasses
import json
import os
import re
import time
from pathlib import Path

import nbformat
import pytest

from press import cache
from press.errors import BookError
from press.read.book import read_book
from press.run import inputs, kernel, run
from press.run.results import merged, unquoted
from press.tangle import tangle
from tiny import HANGS, cell, write_book

SETUP = kernel.SETUP
pytestmark = pytest.mark.usefixtures("quick_kernels")


def program(source, module):
    return cell(source, filename=f"scratch/{module}.py")


def executed(book, index=1, **options):
    return asyncio.run(run.run(book, book.chapters[index], **options))


def failure(book):
    with pytest.raises(BookError) as caught:
        run.run_all(book)
    return str(caught.value)


# ---------------------------------------------------------------- the key

THREE = {
    "01-one": "# One\n\nProse.\n\n" + program("a = 1", "one")
    + cell("import scratch.one"),
    "02-two": "# Two\n\nProse.\n\n"
    + program("from .one import a\n\nb = a + 1", "two")
    + cell("from scratch import (\n    two,\n)\nfrom figures.draw import d",
           label="uses"),
    "03-three": "# Three\n\nProse. `{python} two.b`\n\n"
    + program("from scratch import two as two\n", "three")
    + program("free = 1", "free") + cell("import scratch.three"),
    "04-four": "# Four\n\n" + cell("1 + 1") + cell("2", eval="false"),
}


@pytest.fixture
def three(tmp_path):
    root = write_book(tmp_path, THREE)
    (root / "figures").mkdir()
    (root / "figures" / "draw.py").write_text(
        "from figures import pen\nd = 1", encoding="utf-8"
    )
    (root / "figures" / "pen.py").write_text("p = 1\n", encoding="utf-8")
    (root / "figures" / "other.py").write_text("o = 1\n", encoding="utf-8")
    (root / "figures" / "palette.json").write_text("{}", encoding="utf-8")
    (root / "figures" / "book.mplstyle").write_text("\n", encoding="utf-8")
    (root / "requirements.lock").write_text("torch==1\n", encoding="utf-8")
    for path, module in tangle.modules(read_book(root).chapters).items():
        file = root / "code" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(module.text, encoding="utf-8")
    return root


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


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


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
def test_an_edit_makes_stale_what_depends_on_it(three, file, old, new, stale):
    assert changed(three, lambda: replace(three / file, old, new)) == stale


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
    three, monkeypatch, module, name, value
):
    assert changed(
        three, lambda: monkeypatch.setattr(module, name, value)
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
def reads(three):
    """The key of a chapter that reads the book, after an edit."""
    for folder in ("press/read", "press/weave/html"):
        (three / folder).mkdir(parents=True)
    (three / "tests").mkdir()
    for name in ("press/read/__init__.py", "press/read/pandoc.py",
                 "press/read/other.py", "press/weave/f.lua",
                 "press/weave/html/p.html",
                 "tests/t1.py", "tests/u1.py"):
        (three / name).write_text("x = 1\n", encoding="utf-8")
    (three / "press" / "read" / "book.py").write_text(
        "from press.read import pandoc\n", encoding="utf-8"
    )
    (three / "pyproject.toml").write_text(
        '[project]\nversion = "1"\n', encoding="utf-8")
    (three / "book" / "made.qmd").write_text(READS, encoding="utf-8")
    with open(three / "_quarto.yml", "a", encoding="utf-8") as config:
        config.write("  appendices: [book/made.qmd]\n")

    def key():
        book = read_book(three)
        return fingerprint(book, book.chapters[-1])
    return three, key


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


def test_another_python_makes_everything_stale(three, monkeypatch):
    assert changed(three, lambda: monkeypatch.setattr(
        inputs.platform, "python_version", lambda: "3.99"
    )) == [1, 2, 3, 4]


def test_the_data_is_part_of_the_key_of_what_loads_it(three):
    replace(three / "code/scratch/one.py", "a = 1", "import scratch.data")
    (three / "code/scratch/data.py").write_text("", encoding="utf-8")
    raw = three / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = raw / "t10k-labels-idx1-ubyte"
    digits.write_bytes(b"5041")
    assert changed(three, lambda: digits.write_bytes(b"5042")) == [1, 2, 3]


def test_a_large_file_is_part_of_the_key_too_and_read_once(
    three, monkeypatch
):
    monkeypatch.setattr(cache, "LARGE", 2)
    replace(three / "code/scratch/one.py", "a = 1", "import scratch.data")
    (three / "code/scratch/data.py").write_text("", encoding="utf-8")
    raw = three / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    digits = raw / "t10k-labels-idx1-ubyte"
    digits.write_bytes(b"5041")
    cache.content_once.cache_clear()
    keys(three)
    assert cache.content_once.cache_info().hits >= 2
    assert changed(three, lambda: digits.write_bytes(b"50419")) == [1, 2, 3]


def test_what_lies_in_a_recorded_folder_is_part_of_the_key(three):
    replace(three / "book/04-four.qmd", "1 + 1", "'book/recorded/gpu'")
    folder = three / "book" / "recorded" / "gpu"
    folder.mkdir(parents=True)
    assert changed(three, lambda: (folder / "a.txt").touch()) == []
    record = folder / "a.json"
    assert changed(three, lambda: record.write_bytes(b"{}")) == [4]
    assert changed(three, lambda: record.write_bytes(b"{ }")) == [4]


def test_two_cells_are_not_one(three, book_of):
    first = fingerprint(*both(book_of(cells_of("a = 1\nb = 2"))))
    second = fingerprint(*both(book_of(cells_of("a = 1", "b = 2"))))
    third = fingerprint(*both(book_of(cells_of("b = 2", "a = 1"))))
    assert len({first, second, third}) == 3


def cells_of(*sources):
    return "# T\n\n" + "\n".join(map(cell, sources))


def both(book):
    return book, book.chapters[1]


# -------------------------------------------------------------- the cache


@pytest.fixture
def runs(monkeypatch):
    """The chapters that ran, in a kernel that only pretends."""
    names = []

    async def execute(book, chapter, progress):
        names.append(chapter.name)
        await asyncio.sleep(0)
        notebook = kernel.as_notebook(chapter)
        for node in notebook.cells:
            node.outputs = [nbformat.v4.new_output(
                "execute_result", {"text/plain": f"'run {len(names)}'"}
            )]
        return notebook

    monkeypatch.setattr(run, "execute", execute)
    return names


def entry_of(root, name="01-one"):
    (entry,) = (root / ".cache" / "run").glob(f"{name}-*")
    return entry


def test_only_what_is_stale_runs_again(three, runs):
    fresh = [r.fresh for r in run.run_all(read_book(three))]
    assert fresh == [False, True, True, True, True]
    replace(three / "book/02-two.qmd", "Prose.", "Another word.")
    assert not any(r.fresh for r in run.run_all(read_book(three)))
    assert sorted(runs) == ["01-one", "02-two", "03-three", "04-four"]
    runs.clear()
    replace(three / "code/scratch/two.py", "a + 1", "a + 2")
    run.run_all(read_book(three))
    assert sorted(runs) == ["02-two", "03-three"]
    runs.clear()
    replace(three / "code/scratch/two.py", "a + 2", "a + 1")
    run.run_all(read_book(three))
    assert runs == []


def half(text):
    return text[:len(text) // 2]


def other_key(text):
    head, _, body = text.partition("\n")
    return json.dumps(json.loads(head) | {"key": "0" * 64}) + f"\n{body}"


def other_output(text):
    return text.replace("run 1", "run 9")


@pytest.mark.parametrize("damage", [
    half, other_key, other_output, lambda text: "", lambda text: "[]",
    lambda text: "null", lambda text: "{}",
])
def test_a_damaged_entry_is_made_again(book_of, runs, damage):
    book = book_of("# T\n\n" + cell("1"))
    executed(book)
    entry = entry_of(book.root)
    good = entry.read_text(encoding="utf-8")
    entry.write_text(damage(good), encoding="utf-8")
    assert executed(book).fresh
    assert len(runs) == 2
    again = entry.read_text(encoding="utf-8")
    (_, _, before), (_, _, after) = good.partition("\n"), again.partition("\n")
    assert after == before.replace("run 1", "run 2")
    assert not executed(book).fresh


def test_an_entry_that_is_not_text_is_made_again(book_of, runs):
    book = book_of("# T\n\n" + cell("1"))
    executed(book)
    entry_of(book.root).write_bytes(b"\xff\xfe")
    assert executed(book).fresh and not executed(book).fresh


def test_code_edited_during_its_run_is_not_remembered(
    three, runs, monkeypatch
):
    pretend = run.execute

    async def execute(book, chapter, progress):
        notebook = await pretend(book, chapter, progress)
        if runs == ["01-one"]:
            replace(three / "code/scratch/one.py", "a = 1", "a = 2")
        return notebook

    monkeypatch.setattr(run, "execute", execute)
    book = read_book(three)
    assert executed(book).fresh and executed(book).fresh
    assert not executed(book).fresh


def test_data_that_a_run_fetches_does_not_make_it_stale(
    three, runs, monkeypatch
):
    replace(three / "code/scratch/one.py", "a = 1", "import scratch.data")
    (three / "code/scratch/data.py").write_text("", encoding="utf-8")
    raw = three / "data" / "MNIST" / "raw"
    pretend = run.execute

    async def execute(book, chapter, progress):
        raw.mkdir(parents=True, exist_ok=True)
        (raw / "x-ubyte").write_bytes(b"5041")
        return await pretend(book, chapter, progress)

    monkeypatch.setattr(run, "execute", execute)
    assert executed(read_book(three)).fresh
    assert not executed(read_book(three)).fresh


def test_the_newest_entries_are_kept_and_no_more(book_of, runs):
    for number in range(run.ENTRIES_KEPT + 2):
        book = book_of("# T\n\n" + cell(f"{number}"))
        executed(book)
        entry = max((book.root / ".cache/run").iterdir(),
                    key=lambda f: f.stat().st_mtime_ns)
        os.utime(entry, (number, number))
    (book.root / ".cache/run" / "01-one-too-abc").touch()
    assert not executed(book).fresh
    kept = list((book.root / ".cache/run").glob("01-one-[0-9a-f]*"))
    assert len(kept) == run.ENTRIES_KEPT
    assert (book.root / ".cache/run" / "01-one-too-abc").exists()


def test_a_chapter_without_cells_starts_no_kernel(book_of, runs):
    book = book_of("# T\n\nOnly prose, and `code`.\n")
    assert [r.fresh for r in run.run_all(book)] == [False, False]
    assert runs == []


def test_chapters_that_time_something_run_alone_and_last(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(run.os, "cpu_count", lambda: 4)
    timed = cell("1", reproduce="machine", alone="true")
    book = read_book(write_book(tmp_path, {
        "01-timed": "# T\n\n" + timed, "02-plain": "# T\n\n" + cell("1"),
        "03-timed": "# T\n\n" + timed, "04-plain": "# T\n\n" + cell("1"),
    }))
    active, seen = set(), []

    async def execute(book, chapter, progress):
        active.add(chapter.name)
        await asyncio.sleep(0.01)
        seen.append((chapter.name, len(active)))
        await asyncio.sleep(0.01)
        active.remove(chapter.name)
        return kernel.as_notebook(chapter)

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(run, "collect", lambda chapter, *_: chapter.name)
    ordered = run.run_all(book)
    assert sorted(seen[:2]) == [("02-plain", 2), ("04-plain", 2)]
    assert seen[2:] == [("01-timed", 1), ("03-timed", 1)]
    assert ordered[1:] == ["01-timed", "02-plain", "03-timed", "04-plain"]


@pytest.mark.parametrize("threads, together", [
    ("", 4), ("1", 4), ("2", 2), ("4", 1), ("9", 1), ("x", 4),
])
def test_kernels_of_several_threads_share_the_cores(
    tmp_path, monkeypatch, threads, together
):
    monkeypatch.setattr(run.os, "cpu_count", lambda: 4)
    root = write_book(tmp_path, {
        f"{i:02}-c": f"# C{i}\n\n" + cell("1") for i in range(1, 7)
    })
    book = dataclasses.replace(
        read_book(root), settings={"OMP_NUM_THREADS": threads}
    )
    active, most = set(), []

    async def execute(book, chapter, progress):
        active.add(chapter.name)
        await asyncio.sleep(0.01)
        most.append(len(active))
        active.remove(chapter.name)
        return kernel.as_notebook(chapter)

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(run, "collect", lambda chapter, *_: chapter.name)
    run.run_all(book)
    assert max(most) == together


def test_the_settings_of_a_book_are_part_of_the_key(three):
    book = read_book(three)
    other = dataclasses.replace(book, settings={"A": "1"})
    assert kernel.environment(other)["A"] == "1"
    for chapter in book.chapters[1:]:
        assert fingerprint(book, chapter) != fingerprint(
            other, chapter)


def test_the_first_failure_stops_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(run.os, "cpu_count", lambda: 2)
    book = read_book(write_book(tmp_path, {
        "01-bad": "# T\n\n" + cell("1"), "02-slow": "# T\n\n" + cell("1"),
    }))
    ended = []

    async def execute(book, chapter, progress):
        if chapter.name == "01-bad":
            await asyncio.sleep(0.01)
            raise BookError(chapter.path, 3, "bad")
        try:
            await asyncio.Event().wait()  # for ever
        finally:
            ended.append(chapter.name)

    monkeypatch.setattr(run, "execute", execute)
    assert failure(book) == "book/01-bad.qmd:3: bad"
    assert ended == ["02-slow"]


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
