"""What a kernel has to run for a chapter, in order."""

from collections.abc import Iterator

from press.read.cells import ANNOTATION, Cell, Inline
from press.read.chapters import Chapter


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


def name_of(key: tuple) -> str:
    return "step-" + "-".join(map(str, key))
