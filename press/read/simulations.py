"""The simulations of the book: where each stands and what it shows."""

import re
from dataclasses import dataclass

from press.read.chapters import Book, Chapter, Div

ATTRIBUTE = r'\b{}="([^"]*)"'


@dataclass(frozen=True)
class Simulation:
    """One simulation; it may stand in several places."""

    name: str                  # "cross-entropy", as its script is called
    shows: str                 # a sentence, or "" where none is given
    figures: tuple[str, ...]   # the labels of its stills, in reading order


def simulations(book: Book) -> list[Simulation]:
    """Every simulation once, in the order in which they are met."""
    found: dict[str, Simulation] = {}
    for chapter in book.chapters:
        for div in placed(chapter):
            name = attribute(div, "data-sim")
            known = found.get(name, Simulation(name, "", ()))
            found[name] = Simulation(
                name, known.shows or attribute(div, "data-shows"),
                (*known.figures, still(chapter, div)),
            )
    return list(found.values())


def placed(chapter: Chapter) -> list[Div]:
    """The `.sim` divs of a chapter."""
    divs = {
        div.line: div for line in chapter.lines() for div in line.divs
        if "sim" in div.classes
    }
    return [divs[line] for line in sorted(divs)]


def attribute(div: Div, name: str) -> str:
    match = re.search(ATTRIBUTE.format(name), div.attributes)
    return match[1] if match else ""


def still(chapter: Chapter, div: Div) -> str:
    """The label of the figure that the div holds, or "" without one."""
    for cell in chapter.cells:
        if cell.line > div.line:
            return str(cell.label or "")
    return ""
