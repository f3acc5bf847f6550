"""Chapters run again only when they must, and in which order."""

import asyncio
import dataclasses
import json
import os

import nbformat
import pytest

from press.errors import BookError
from press.read.book import read_book
from press.run import run
from press.run.results import Result
from tiny import cell, write_book
from tiny_runs import executed, failure, pretend, replace

pytestmark = pytest.mark.usefixtures("quick_kernels")


@pytest.fixture
def runs(monkeypatch):
    """The chapters that ran, in a kernel that only pretends."""
    names = []

    async def execute(book, chapter, progress):
        names.append(chapter.name)
        await asyncio.sleep(0)
        notebook, seen = pretend(book, chapter)
        for node in notebook.cells:
            node.outputs = [nbformat.v4.new_output(
                "execute_result", {"text/plain": f"'run {len(names)}'"}
            )]
        return notebook, seen

    monkeypatch.setattr(run, "execute", execute)
    return names


def without_outputs(chapter, notebook, fresh):
    return Result(chapter, {}, {}, notebook, fresh)


def entry_of(root, name="01-one"):
    (entry,) = (root / ".cache" / "run").glob(f"{name}-*")
    return entry


def test_only_what_is_stale_runs_again(four, runs):
    fresh = [r.fresh for r in run.run_all(read_book(four))]
    assert fresh == [False, True, True, True, True]
    replace(four / "book/02-two.qmd", "Prose.", "Another word.")
    assert not any(r.fresh for r in run.run_all(read_book(four)))
    assert sorted(runs) == ["01-one", "02-two", "03-three", "04-four"]
    runs.clear()
    replace(four / "code/scratch/two.py", "a + 1", "a + 2")
    run.run_all(read_book(four))
    assert sorted(runs) == ["02-two", "03-three"]
    runs.clear()
    replace(four / "code/scratch/two.py", "a + 2", "a + 1")
    run.run_all(read_book(four))
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
    four, runs, monkeypatch
):
    usual = run.execute

    async def execute(book, chapter, progress):
        made = await usual(book, chapter, progress)
        if runs == ["01-one"]:
            replace(four / "code/scratch/one.py", "a = 1", "a = 2 + 0")
        return made

    monkeypatch.setattr(run, "execute", execute)
    book = read_book(four)
    assert executed(book).fresh and executed(book).fresh
    assert not executed(book).fresh


@pytest.mark.parametrize("reads", ["data/*", "data/x", "data", "[data/*]"])
def test_what_a_run_fetches_is_not_remembered_until_it_is_there(
    book_of, runs, monkeypatch, reads
):
    book = book_of("# T\n\n" + cell("1", reads=reads))
    usual = run.execute

    async def execute(book, chapter, progress):
        (book.root / "data").mkdir(exist_ok=True)
        (book.root / "data" / "x").write_bytes(b"5041")
        return await usual(book, chapter, progress)

    monkeypatch.setattr(run, "execute", execute)
    assert [executed(book).fresh for _ in range(3)] == [True, True, False]
    (book.root / "data" / "x").write_bytes(b"5042")
    assert executed(book).fresh


def test_a_run_from_the_future_counts_as_old(book_of, runs):
    for number in range(run.ENTRIES_KEPT):
        book = book_of("# T\n\n" + cell(f"{number}"))
        executed(book)
        if not number:
            os.utime(entry_of(book.root), (2 ** 32, 2 ** 32))
    executed(book_of("# T\n\n" + cell("'new'")))
    for number in range(1, run.ENTRIES_KEPT):
        assert not executed(book_of("# T\n\n" + cell(f"{number}"))).fresh
    assert executed(book_of("# T\n\n" + cell("0"))).fresh


def test_a_run_that_lost_its_figure_is_not_remembered(book_of, runs):
    book = book_of("# T\n\n" + cell(
        "1", label="fig-a", fig_cap="A", fig_alt="B"))
    assert executed(book).fresh and executed(book).fresh


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
        return pretend(book, chapter)

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(run, "collect", without_outputs)
    ordered = run.run_all(book)
    assert sorted(seen[:2]) == [("02-plain", 2), ("04-plain", 2)]
    assert seen[2:] == [("01-timed", 1), ("03-timed", 1)]
    assert [one.chapter.name for one in ordered[1:]] == [
        "01-timed", "02-plain", "03-timed", "04-plain"]


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
        return pretend(book, chapter)

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(run, "collect", without_outputs)
    run.run_all(book)
    assert max(most) == together


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
