"""Run every chapter, and remember what each gave."""

import asyncio
import os
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from press.cache import Made, keep, recall
from press.errors import BookErrors
from press.read.book import Book
from press.read.chapters import Chapter
from press.run.environment import environment
from press.run.inputs import inputs_of
from press.run.kernel import Progress, execute
from press.run.outputs import output_faults
from press.run.results import Result, collect
from press.run.seen import changed_meanwhile, found_by, look_at
from press.run.steps import steps

ENTRIES_KEPT = 4  # cached runs of one chapter


def run_all(
    book: Book, *, progress: Progress | None = None,
    cache: Path | None = None,
) -> list[Result]:
    """Every chapter executed, from the cache where that is still true.

    Chapters run side by side on the cores at hand, except those that
    time something: these run alone, after the others.
    """
    with asyncio.Runner(loop_factory=loop_without_signals) as runner:
        return runner.run(_run_all(book, progress, cache))


def loop_without_signals() -> asyncio.AbstractEventLoop:
    """A loop in which nbclient takes no signal for itself: it would end one
    kernel, and the others would go on."""
    def refuse(*_: object) -> None:
        raise RuntimeError("signals are seen to by the press")

    loop = asyncio.new_event_loop()
    # What tasks that were broken off say of it helps nobody.
    loop.set_exception_handler(lambda *_: None)
    loop.add_signal_handler = refuse  # type: ignore
    loop.remove_signal_handler = refuse  # type: ignore
    return loop


async def _run_all(
    book: Book, progress: Progress | None, cache: Path | None
) -> list[Result]:
    # Threads that wait for each other must not wait for a core.
    said = environment(book).get("OMP_NUM_THREADS", "1")
    threads = max(1, int(said)) if said.isdigit() else 1
    free = asyncio.Semaphore(max(1, (os.cpu_count() or 1) // threads))

    async def bounded(chapter: Chapter) -> Result:
        async with free:
            return await run(book, chapter, progress=progress, cache=cache)

    # Later chapters compute more: started first, they end with the rest.
    # Appendices compute little.
    untimed = sorted(
        (c for c in reversed(book.chapters) if not times_something(c)),
        key=lambda c: c.appendix,
    )
    done = dict(zip(
        (c.path for c in untimed),
        await gather(*(bounded(chapter) for chapter in untimed)),
        strict=True,
    ))
    for chapter in book.chapters:
        if chapter.path not in done:
            done[chapter.path] = await bounded(chapter)
    results = [done[c.path] for c in book.chapters]
    if faults := [f for result in results for f in output_faults(result)]:
        raise BookErrors(faults)
    return results


async def gather(*coroutines: Coroutine[Any, Any, Result]) -> list[Result]:
    """The results in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(c) for c in coroutines]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def times_something(chapter: Chapter) -> bool:
    return any(c.options.get("alone") for c in chapter.cells)


async def run(
    book: Book, chapter: Chapter, *, progress: Progress | None = None,
    cache: Path | None = None,
) -> Result:
    """One chapter executed, from the cache where that is still true."""
    if not any(True for _ in steps(chapter)):
        return Result(chapter, {}, {}, nbformat.v4.new_notebook(), False)
    folder = cache or book.root / ".cache" / "run"
    kept = kept_run(book, chapter, folder)
    if kept is not None:
        return collect(chapter, kept, False)
    before = known(book, chapter)
    notebook, seen = await execute(book, chapter, progress)
    result = collect(chapter, notebook, True)
    # Where a file was edited meanwhile it is true once, and not kept; nor is
    # what cannot be shown.
    if not any(output_faults(result)) and not changed_meanwhile(
        book, seen
    ) and known(book, chapter) == before:
        found = found_by(book, chapter, seen, declared(chapter))
        keep(folder, chapter.name, before[0], Made(
            nbformat.writes(notebook).encode(), found), ENTRIES_KEPT)
    return result


def kept_run(
    book: Book, chapter: Chapter, folder: Path
) -> nbformat.NotebookNode | None:
    """The run of a chapter that all it depends on still gives."""
    kept = recall(
        folder, chapter.name, inputs_of(book, chapter),
        partial(look_at, book, chapter),
    )
    return None if kept is None else nbformat.v4.reads(kept.decode())


def known(book: Book, chapter: Chapter) -> tuple[dict, list[str]]:
    """What is known, before a run, that its outputs depend on."""
    return inputs_of(book, chapter), [
        look_at(book, chapter, f"reads {pattern}")
        for pattern in declared(chapter)
    ]


def declared(chapter: Chapter) -> list[str]:
    """The files that the cells of a chapter say they read."""
    found: list[str] = []
    for cell in chapter.cells:
        listed = cell.options.get("reads") or []
        found += [listed] if isinstance(listed, str) else listed
    return found
