"""Run every chapter, and remember what each gave."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import nbformat

from press.read.chapters import Book, Chapter
from press.run.inputs import fingerprint
from press.run.kernel import Progress, environment, execute
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
    return [done[c.path] for c in book.chapters]


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
    key = fingerprint(book, chapter)
    entry = folder / f"{chapter.name}-{key[:20]}.json"
    notebook = read_entry(entry, key)
    fresh = notebook is None
    if notebook is None:
        code = fingerprint(book, chapter, data=False)
        notebook = await execute(book, chapter, progress)
        if fingerprint(book, chapter, data=False) != code:
            # Code was edited meanwhile: true once, not to be kept.
            return collect(chapter, notebook, fresh)
        # What the run itself fetched or wrote is part of the key.
        key = fingerprint(book, chapter)
        entry = folder / f"{chapter.name}-{key[:20]}.json"
        write_entry(entry, key, notebook)
    else:
        os.utime(entry)
    prune(folder, chapter.name)
    return collect(chapter, notebook, fresh)


def read_entry(entry: Path, key: str) -> nbformat.NotebookNode | None:
    """A cached notebook, or None where it is missing or damaged."""
    try:
        stored = json.loads(entry.read_text(encoding="utf-8"))
        body = stored["notebook"]
        if stored["key"] == key and stored["sha256"] == sha256(body):
            return nbformat.v4.reads(body)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def write_entry(
    entry: Path, key: str, notebook: nbformat.NotebookNode
) -> None:
    body = nbformat.writes(notebook)
    stored = json.dumps(
        {"key": key, "sha256": sha256(body), "notebook": body}
    )
    entry.parent.mkdir(parents=True, exist_ok=True)
    aside = entry.with_name(f".{entry.name}.{os.getpid()}")
    try:
        aside.write_text(stored, encoding="utf-8")
        os.replace(aside, entry)
    finally:
        aside.unlink(missing_ok=True)  # where the disk was full


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def prune(folder: Path, name: str) -> None:
    """Keep the newest few entries of a chapter."""
    pattern = re.compile(rf"{re.escape(name)}-[0-9a-f]{{20}}\.json")
    entries = [f for f in folder.iterdir() if pattern.fullmatch(f.name)]
    entries.sort(key=lambda f: f.stat().st_mtime, reverse=True)
    for file in entries[ENTRIES_KEPT:]:
        file.unlink(missing_ok=True)
