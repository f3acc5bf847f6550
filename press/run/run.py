"""Run every chapter, and remember what each gave."""

import asyncio
import os
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from press.cache import Made, contents, keep, recall
from press.errors import BookErrors
from press.read.book import Book
from press.read.chapters import Chapter
from press.run.inputs import data_of, inputs_of
from press.run.kernel import Progress, environment, execute
from press.run.outputs import output_faults
from press.run.results import Result, collect
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
    return asyncio.run(_run_all(book, progress, cache))


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
    inputs = inputs_of(book, chapter)
    kept = recall(folder, chapter.name, inputs, partial(contents, book.root))
    if kept is not None:
        notebook = nbformat.v4.reads(kept.decode())
        return collect(chapter, notebook, False)
    notebook = await execute(book, chapter, progress)
    result = collect(chapter, notebook, True)
    # Where code was edited meanwhile it is true once, and not kept; nor is
    # what cannot be shown.
    if inputs_of(book, chapter) == inputs and not any(output_faults(result)):
        keep(folder, chapter.name, inputs, Made(
            nbformat.writes(notebook).encode(), data_of(book, chapter)
        ), ENTRIES_KEPT)
    return result
