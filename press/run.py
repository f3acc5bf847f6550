"""Run the cells of each chapter in a Jupyter kernel, and remember them."""

import ast
import asyncio
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from press.chapters import Book, Cell, Chapter, Inline
from press.errors import BookError
from press.labels import labels
from press.locate import Frame, ask_frames, locate
from press.simulations import simulations
from press.tangle import ANNOTATION

if TYPE_CHECKING:
    from nbclient.exceptions import CellExecutionError

TIME_LIMIT = 600  # seconds a single cell may take
ENTRIES_KEPT = 4  # cached runs of one chapter
LARGE = 1 << 20   # bytes of a file that is not read for every chapter
# What gives a terminal colors, and would be printed as [31m.
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
SETUP = """\
import matplotlib_inline.backend_inline as _backend
_backend.set_matplotlib_formats("svg")
del _backend
"""


@dataclass(frozen=True)
class Result:
    """An executed chapter: the outputs of its cells and expressions."""

    chapter: Chapter
    outputs: dict[int, list[dict]]     # by the index of the piece
    values: dict[tuple[int, int], str]  # by piece and expression
    notebook: nbformat.NotebookNode
    fresh: bool                        # ran now, not from the cache


Progress = Callable[[Chapter, str, int, int], None]


def code_of(step: Cell | Inline) -> str:
    """What the kernel is given: marks such as `# <1>` are the page's."""
    return ANNOTATION.sub("", step.source)


def steps(chapter: Chapter) -> Iterator[tuple[tuple, Cell | Inline]]:
    """What a kernel has to run for a chapter, in order, each with a key."""
    for index, piece in enumerate(chapter.pieces):
        if isinstance(piece, Cell):
            if piece.options.get("eval", True):
                yield (index,), piece
        elif chapter.cells:
            for position, inline in enumerate(piece.inlines()):
                yield (index, position), inline


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


# ---------------------------------------------------------------- the key


def fingerprint(book: Book, chapter: Chapter, *, data: bool = True) -> str:
    """A digest of everything that the outputs of a chapter depend on."""
    digest = hashlib.sha256()

    def add(*items: str | bytes) -> None:
        for item in items:
            data = item.encode() if isinstance(item, str) else item
            digest.update(len(data).to_bytes(8, "big") + data)

    add("press-run-2", SETUP, platform.machine(), sys.platform)
    add(platform.python_version(), version("torch"), device())
    for name in ("requirements.lock", "_environment"):
        file = book.root / name
        add(name, file.read_bytes() if file.exists() else b"")
    add(*(f"{k}={v}" for k, v in sorted(book.settings.items())))
    for _, step in steps(chapter):
        options = ""
        if isinstance(step, Cell):
            options = json.dumps(
                {k: step.options.get(k) for k in ("error", "warning")}
            )
        add(type(step).__name__, options, code_of(step))
    files = dependencies(book, chapter)
    for file in files:
        if not data and file.is_relative_to(book.root / "data"):
            continue
        add(file.relative_to(book.root).as_posix(), content(file))
    if book.root / "press" / "chapters.py" in files:
        add(*outline(book, chapter))
    return digest.hexdigest()


def outline(book: Book, reader: Chapter) -> Iterator[str]:
    """The book as a chapter sees it that reads the book with the press:
    the cells, numbers and simulations of all others, not their prose."""
    yield f"version {book.version}"
    for chapter in book.chapters:
        if chapter.path == reader.path:
            continue
        yield f"{chapter.path} {chapter.number} {chapter.part}"
        for piece in chapter.pieces:
            if isinstance(piece, Cell):
                yield json.dumps(piece.options, sort_keys=True, default=str)
                yield piece.source
            else:
                yield from (inline.source for inline in piece.inlines())
    for label in labels(book):
        if label.path != reader.path:
            yield f"{label.id} {label.number} {label.title}"
    for simulation in simulations(book):
        yield f"{simulation.name} {simulation.shows} {simulation.figures}"


def content(file: Path) -> str:
    """A digest of what is in a file; a large one is read but once."""
    state = file.stat()
    if state.st_size < LARGE:
        return digest_of.__wrapped__(file)
    return digest_of(
        file, state.st_ino, state.st_size, state.st_mtime_ns,
        state.st_ctime_ns,
    )


@lru_cache(maxsize=4096)
def digest_of(file: Path, *state: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def dependencies(book: Book, chapter: Chapter) -> list[Path]:
    """The files that a chapter's cells may read, found by their names.

    Every module of `scratch`, `figures` and `press` that the cells
    mention, those that these mention in turn, the data once anything
    loads it, and what of the book's files, patterns of files and recorded
    folders stands in quotes.
    """
    text = "\n".join(step.source for _, step in steps(chapter))
    found: set[Path] = set()
    waiting = [text]
    while waiting:
        for file in mentioned(book.root, waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.append(absolute(file))
    for name in re.findall(r"[\"']([\w./-]+\.\w+)[\"']", text):
        file = (book.root / name).resolve()
        if file.is_file() and file.is_relative_to(book.root.resolve()):
            found.add(book.root / name)
    for pattern in re.findall(r"[\"'](\w[^\"'\s]*\*[^\"'\s]*)[\"']", text):
        found.update(f for f in book.root.glob(pattern) if f.is_file())
    for name in re.findall(r"[\"'](book/recorded/[\w/-]+)[\"']", text):
        found.update((book.root / name).glob("*.json"))
    if any(file.parent.name == "figures" for file in found):
        for pattern in ("*.json", "*.mplstyle"):
            found.update((book.root / "figures").glob(pattern))
    press = book.root / "press"
    if press / "chapters.py" in found:
        found.add(book.root / "_quarto.yml")
    if press / "pandoc.py" in found:
        found.update(press.glob("filters/*.lua"))
        found.update(press.glob("templates/*.html"))
    scratch = book.root / "code" / "scratch"
    if found & {scratch / "data.py", scratch / "mnist.py"}:
        raw = book.root / "data" / "MNIST" / "raw"
        found.update(raw.glob("*-ubyte"))
    return sorted(found)


def absolute(file: Path) -> str:
    """The source of a module, its relative imports written in full."""
    source = file.read_text(encoding="utf-8")
    return re.sub(
        r"^(\s*from\s+)\.(\w*)",
        lambda m: f"{m[1]}{file.parent.name}{'.' if m[2] else ''}{m[2]}",
        source, flags=re.MULTILINE,
    )


def mentioned(root: Path, text: str) -> Iterator[Path]:
    """Modules of ours whose names occur in a piece of Python."""
    for name in names_in(text):
        if (root / name).exists():
            yield root / name


@lru_cache(maxsize=256)
def names_in(text: str) -> tuple[str, ...]:
    """The files that modules of ours named in a piece of Python would be."""
    found = []
    for package, folder in (
        ("scratch", "code/scratch"), ("figures",) * 2, ("press",) * 2
    ):
        names = set(re.findall(rf"\b{package}\.(\w+)", text))
        for listed in re.findall(
            rf"from\s+{package}\s+import\s+(\([^)]*\)|[^\n]*)", text
        ):
            names.update(re.findall(r"\w+", listed))
        found += [f"{folder}/{name}.py" for name in sorted(names)]
    return tuple(found)


def device() -> str:
    """The accelerator a kernel would find, without importing torch."""
    if shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        return "cuda"
    return "mps" if sys.platform == "darwin" else "cpu"


# -------------------------------------------------------------- the cache


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


# ------------------------------------------------------------- the kernel


def environment(book: Book) -> dict[str, str]:
    """What `_environment` sets, over the environment we were given, and
    over both the book's own settings."""
    result = dict(os.environ)
    file = book.root / "_environment"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            result[name.strip()] = value.strip()
    result.update(book.settings)
    state = book.root / ".cache" / "home"
    state.mkdir(parents=True, exist_ok=True)
    result.update(
        IPYTHONDIR=str(state / "ipython"),
        JUPYTER_CONFIG_DIR=str(state / "jupyter"),
        JUPYTER_PREFER_ENV_PATH="1",
        MPLCONFIGDIR=str(state / "matplotlib"),
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )
    return result


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


def name_of(key: tuple) -> str:
    return "step-" + "-".join(map(str, key))


async def execute(
    book: Book, chapter: Chapter, progress: Progress | None
) -> nbformat.NotebookNode:
    """Run every step in one kernel; the first that raises ends it."""
    from jupyter_client import AsyncKernelClient, AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    notebook = as_notebook(chapter)
    listed = [None, *(step for _, step in steps(chapter))]
    for _, written in steps(chapter):
        check_syntax(chapter, written)
    sources = [node.source for node in notebook.cells]
    current = 0
    frames: list[Frame] = []

    def starting(cell: object, cell_index: int) -> None:
        nonlocal current
        current = cell_index
        step = listed[cell_index]
        if progress and isinstance(step, Cell):
            progress(chapter, step.name, cell_index, len(listed))

    async def raised(
        cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict,
    ) -> None:
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if isinstance(client.kc, AsyncKernelClient) and not expected:
            frames.extend(await ask_frames(
                client.kc, sources, execute_reply["content"]["ename"]
            ))

    environ = environment(book)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    client = NotebookClient(
        notebook, timeout=TIME_LIMIT, km=AsyncKernelManager(),
        resources={"metadata": {"path": str(book.root)}},
        on_cell_start=starting, on_cell_error=raised, record_timing=False,
        shutdown_kernel="immediate", extra_arguments=["--log-level=ERROR"],
    )
    try:
        await client.async_execute(env=environ, cleanup_kc=True)
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
    return nbformat.from_dict(notebook)


def check_syntax(chapter: Chapter, step: Cell | Inline) -> None:
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
    trace = uncolored(str(error.traceback))
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


# ------------------------------------------------------------ the results


def collect(
    chapter: Chapter, notebook: nbformat.NotebookNode, fresh: bool
) -> Result:
    outputs: dict[int, list[dict]] = {}
    values: dict[tuple[int, int], str] = {}
    cells = {node.id: node for node in notebook.cells}
    for key, step in steps(chapter):
        node = cells[name_of(key)]
        if isinstance(step, Inline):
            values[key] = inline_value(chapter, step, node.outputs)
        else:
            outputs[key[0]] = merged(node.outputs)
    return Result(chapter, outputs, values, notebook, fresh)


def merged(outputs: list) -> list[dict]:
    """Outputs with neighbouring pieces of one stream joined."""
    result: list[dict] = []
    for output in outputs:
        last = result[-1] if result else None
        if (
            last and output.output_type == "stream" == last["output_type"]
            and output.name == last["name"]
        ):
            last["text"] += output.text
        else:
            result.append(dict(output))
    return result


def inline_value(chapter: Chapter, inline: Inline, outputs: list) -> str:
    """An expression's value as markdown, as Quarto prints it."""
    for output in outputs:
        if output.output_type == "execute_result":
            data = output.data
            if "text/markdown" in data:
                return data["text/markdown"].strip()
            return escaped(unquoted(data["text/plain"]))
    raise BookError(
        chapter.path, inline.line,
        f"`{{python}} {inline.source}` has no value to print",
    )


def uncolored(text: str) -> str:
    """A text without what gives a terminal colors."""
    return TERMINAL.sub("", text)


def unquoted(text: str) -> str:
    """The repr of a string as the string; anything else as it is."""
    if text[:1] in "'\"":
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            pass
    return text


def escaped(text: str) -> str:
    """A value as plain text: none of its characters is markdown."""
    return re.sub(
        r"([\\`*_{}\[\]<>#$~^|@&'\"]|-(?=-)|\.(?=\.))", r"\\\1", text
    )
