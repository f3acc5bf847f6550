"""Run the cells of a chapter in a Jupyter kernel of its own."""

import ast
import atexit
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from press.errors import BookError
from press.files import laid_out
from press.read.book import Book
from press.read.cells import Cell, Inline
from press.read.chapters import Chapter
from press.run.children import check_children
from press.run.environment import watched
from press.run.locate import Frame, ask_frames, locate
from press.run.names import name_steps
from press.run.screen import left_on_screen
from press.run.seen import Seen, read_seen
from press.run.steps import code_of, name_of, steps

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelManager
    from nbclient.exceptions import CellExecutionError

TIME_LIMIT = 600  # seconds a single cell may take
START_LIMIT = 60  # seconds a kernel may take to answer
SETUP = """\
import matplotlib_inline.backend_inline as _backend
_backend.set_matplotlib_formats("svg")
del _backend
"""
Progress = Callable[[Chapter, str, int, int], None]


def as_notebook(chapter: Chapter) -> nbformat.NotebookNode:
    """One notebook cell for each step, after a setup cell of our own."""
    notebook = nbformat.v4.new_notebook()
    setup = nbformat.v4.new_code_cell(SETUP, id="setup")
    setup.metadata.tags = ["setup"]
    notebook.cells.append(setup)
    for key, step in steps(chapter):
        node = nbformat.v4.new_code_cell(code_of(step), id=name_of(key))
        if isinstance(step, Inline):
            node.metadata.tags = ["inline"]
        elif step.options.get("error"):
            node.metadata.tags = ["raises-exception"]
        notebook.cells.append(node)
    return notebook


def sockets_in(folder: Path) -> dict[str, str]:
    """How to reach a kernel: through files of its own. A port that was free
    when it was chosen may be another kernel's when it is opened."""
    if os.name == "nt":
        return {}  # has no such sockets
    return {"transport": "ipc", "connection_file": str(folder / "kernel.json")}


async def execute(
    book: Book, chapter: Chapter, progress: Progress | None
) -> tuple[nbformat.NotebookNode, Seen]:
    """Run every step in one kernel; the first that raises ends it. Also
    what the kernel read."""
    with laid_out({}) as folder:
        return await execute_in(folder, book, chapter, progress)


async def execute_in(
    folder: Path, book: Book, chapter: Chapter, progress: Progress | None,
) -> tuple[nbformat.NotebookNode, Seen]:
    from jupyter_client import AsyncKernelClient, AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    from press.run.spec import OneKernel

    notebook = as_notebook(chapter)
    listed = [None, *(step for _, step in steps(chapter))]
    for _, written in steps(chapter):
        check_step(chapter, written)
    sources = [node.source for node in notebook.cells]
    current = read = 0
    group = None
    frames: list[Frame] = []

    def starting(cell: object, cell_index: int) -> None:
        nonlocal current, group
        current, group = cell_index, group_of(manager)
        step = listed[cell_index]
        if progress and isinstance(step, Cell):
            progress(chapter, step.name, cell_index, len(listed))

    def ended(
        cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict,
    ) -> None:
        nonlocal read
        seen, read = read_seen(told, read)
        check_children(book, chapter, listed[:cell_index + 1], seen)

    async def raised(
        cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict,
    ) -> None:
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if isinstance(client.kc, AsyncKernelClient) and not expected:
            frames.extend(await ask_frames(
                client.kc, sources, execute_reply["content"]["ename"]
            ))

    told = folder / "seen"
    environ = watched(book, told)
    manager = AsyncKernelManager(
        kernel_spec_manager=OneKernel(), **sockets_in(folder))
    client = NotebookClient(
        notebook, timeout=TIME_LIMIT, km=manager,
        resources={"metadata": {"path": str(book.root)}},
        on_cell_start=starting, on_cell_executed=ended,
        on_cell_error=raised, record_timing=False,
        shutdown_kernel="immediate", extra_arguments=["--log-level=ERROR"],
        startup_timeout=START_LIMIT,
    )
    try:
        with open(folder / "stderr", "wb") as stderr:
            await client.async_execute(
                env=environ, cleanup_kc=True, stderr=stderr)
    except CellExecutionError as error:
        raise failure(book, chapter, listed[:current + 1], frames, error)
    except CellTimeoutError:
        step = listed[current]
        name = getattr(step, "name", step.source if step else "setup")
        raise BookError(
            chapter.path, step.line if step else 1,
            f"the cell '{name}' ran longer than {TIME_LIMIT} s; make its "
            "work smaller",
        )
    except DeadKernelError:
        step = listed[current]
        raise BookError(
            chapter.path, step.line if step else 1,
            "the kernel died here (out of memory, or a crash in native "
            "code); run this chapter's cells by hand to see which line",
        )
    except RuntimeError as error:
        if current or not str(error).startswith("Kernel "):
            raise
        raise BookError(chapter.path, 1, start_failure(folder / "stderr"))
    finally:
        # nbclient ends no kernel whose start was broken off, and at the
        # exit trips over one that it has ended.
        atexit.unregister(client._cleanup_kernel)
        group = group or group_of(manager)
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
        end_group(group)
    made = nbformat.from_dict(notebook)
    name_steps(book, made, listed)
    return made, read_seen(told)[0]


def group_of(manager: "AsyncKernelManager") -> int | None:
    """The group of processes that a kernel and all it starts belong to."""
    return getattr(manager.provisioner, "pgid", None)


def end_group(group: int | None) -> None:
    """End what a kernel has left behind."""
    if group and sys.platform != "win32" and group != os.getpgid(0):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def start_failure(stderr: Path) -> str:
    """What is wrong with a kernel that never answered."""
    said = stderr.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(said) if line.strip()), "")
    return (
        f"the kernel of this chapter does not start within {START_LIMIT} s"
        + (f", and says: {last}" if last else "")
        + "; 'python -m ipykernel_launcher' in .venv shows more"
    )


def check_step(chapter: Chapter, step: Cell | Inline) -> None:
    """Find a syntax error before any cell has run."""
    if isinstance(step, Cell) and re.search(r"^[%!?]", step.source, re.M):
        return  # IPython's own syntax
    mode = "eval" if isinstance(step, Inline) else "exec"
    try:
        compile(
            step.source, "<cell>", mode,
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        )
    except SyntaxError as error:
        first = step.line
        if isinstance(step, Cell):
            first = step.source_line + (error.lineno or 1) - 1
        raise BookError(
            chapter.path, first,
            f"syntax error: {error.msg}: {(error.text or '').strip()}",
        )


def failure(
    book: Book, chapter: Chapter, ran: list[Cell | Inline | None],
    frames: list[Frame], error: "CellExecutionError",
) -> BookError:
    """The BookError for the last step, which raised: with its line, what
    raised where that is not in this cell, and the traceback."""
    trace = left_on_screen(str(error.traceback))
    line, origin = locate(book, chapter, ran, frames)
    name = "the start of its kernel"
    if isinstance(ran[-1], Inline):
        name = "this expression"
    elif ran[-1]:
        name = f"cell '{ran[-1].name}'"
    came = f"\nIt comes from {origin}." if origin else ""
    return BookError(
        chapter.path, line,
        f"{name} raised {error.ename}: {error.evalue}{came}\n{trace}",
    )
