"""The simulations of the book: where each stands and what it shows."""

from dataclasses import dataclass

from press.read.document import Div, Document, Shown


@dataclass(frozen=True)
class Simulation:
    """One simulation; it may stand in several places."""

    name: str                  # "cross-entropy", as its script is called
    shows: str                 # a sentence, or "" where none is given
    figures: tuple[str, ...]   # the labels of its stills, in reading order


def find_simulations(documents: list[Document]) -> list[Simulation]:
    """Every simulation once, in the order in which they are met."""
    found: dict[str, Simulation] = {}
    for document in documents:
        for div in document.all(Div):
            if "sim" not in div.classes:
                continue
            name = div.attributes.get("data-sim", "")
            known = found.get(name, Simulation(name, "", ()))
            found[name] = Simulation(
                name, known.shows or div.attributes.get("data-shows", ""),
                (*known.figures, still(document, div)),
            )
    return list(found.values())


def still(document: Document, div: Div) -> str:
    """The label of the figure that the div holds, or "" without one."""
    return next((
        str(shown.cell.label or "") for shown in document.all(Shown)
        if div in shown.within
    ), "")
