"""Locate in the chapters where a step raised, by the kernel's own frames.

The text of a traceback is the author's as much as Python's: any cell may
print one. So the kernel is asked, before it ends, for the frames of what
it raised last, and for the names that it compiled the steps under.
"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from press.read.book import Book
from press.read.cells import Cell, Inline
from press.read.chapters import Chapter
from press.tangle.tangle import modules

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelClient

PATIENCE = 60  # seconds that a kernel may take to answer
ATTEMPTS = 50  # after an error it drops what it is asked, for a moment
PROBE = """\
def _frames_of_the_error(sources):
    import json, sys, traceback
    from IPython import get_ipython
    error = sys.last_value
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(sys.last_traceback)
    ]
    if isinstance(error, SyntaxError):
        frames.append((error.filename, error.lineno))
    name_of = get_ipython().compile.get_code_name
    names = [name_of(source, source, 0) for source in sources]
    return json.dumps([type(error).__name__, frames, names])
"""
Step = Cell | Inline | None


@dataclass(frozen=True)
class Frame:
    """A call that was under way when a step raised."""

    steps: tuple[int, ...]  # those of this source, in the order of the run
    file: str
    line: int


@dataclass(frozen=True)
class Place:
    """A line of a chapter, and whose it is."""

    path: Path
    line: int
    step: int | None   # None in a module of the program
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" + (self.name and f", {self.name}")


async def ask_frames(
    client: "AsyncKernelClient", sources: list[str], kind: str
) -> list[Frame]:
    """The frames of what the kernel raised last, where it is of this kind;
    none where the kernel cannot tell."""
    question = f"_frames_of_the_error({sources!r})"
    for _ in range(ATTEMPTS):
        try:
            reply = await client.execute(
                PROBE, silent=True, reply=True, timeout=PATIENCE,
                user_expressions={"frames": question},
            )
        except TimeoutError:
            return []
        if reply["content"]["status"] != "aborted":
            break
    try:
        told = reply["content"]["user_expressions"]["frames"]["data"]
        raised, frames, names = json.loads(
            ast.literal_eval(told["text/plain"])
        )
    except (KeyError, ValueError, SyntaxError):
        return []
    return [
        Frame(
            tuple(n for n, name in enumerate(names) if name == file),
            file, line,
        )
        for file, line in frames if raised == kind and file and line
    ]


def locate(
    book: Book, chapter: Chapter, ran: list[Step], frames: list[Frame],
) -> tuple[int, Place | None]:
    """The line of the last step that raised, or that led to what did; and
    what did, where that is in another cell."""
    here = len(ran) - 1
    places = [
        place for frame in frames
        if (place := place_of(book, chapter, ran, frame))
    ]
    own = [place for place in places if place.step == here]
    if not own:
        step = ran[here]
        return step.line if step else 1, None
    if places[-1].step == here:
        return places[-1].line, None
    return own[0].line, places[-1]


def place_of(
    book: Book, chapter: Chapter, ran: list[Step], frame: Frame
) -> Place | None:
    """Where in the chapters a frame is; None where in none of them."""
    known = [number for number in frame.steps if number < len(ran)]
    if known:  # of two equal cells the later defined what was called
        step = ran[known[-1]]
        if isinstance(step, Cell):
            return Place(
                chapter.path, step.source_line + frame.line - 1, known[-1],
                f"cell '{step.name}'",
            )
        if step is None:
            return None
        return Place(chapter.path, step.line, known[-1], "")
    code = (book.root / "code").resolve()
    file = Path(frame.file)
    if not file.is_relative_to(code):
        return None
    name = PurePosixPath(file.relative_to(code).as_posix())
    module = modules(book.chapters).get(name)
    if module is None:
        return None
    return Place(*module.locate(frame.line), None, f"code/{name}")
