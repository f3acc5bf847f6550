"""The simulations are listed once, each with what it shows."""

import re
from pathlib import Path

import pytest

from press.read.book import read_book
from press.read.simulations import Simulation
from tiny import cell

ROOT = Path(__file__).parents[2]
BOOK = read_book(ROOT)
SCRIPTS = {
    re.search(r'stage\("([\w-]+)"', text)[1]
    for file in (ROOT / "figures" / "sims").glob("*.js")
    if file.name != "stage.js"
    and 'stage("' in (text := file.read_text(encoding="utf-8"))
}


def still(name):
    return cell("1", label=f"fig-{name}", fig_cap="C", fig_alt="A")


def placed(name, shows, label):
    told = f' data-shows="{shows}"' if shows else ""
    return (f'::: {{.sim data-sim="{name}"{told}}}\n{still(label)}:::\n\n')


def test_a_simulation_in_two_places_is_listed_once(book_of):
    book = book_of({
        "01-one": "# One\n\n" + cell("0") + placed("b", "It shows b.", "x")
        + placed("a", "", "y") + still("elsewhere"),
        "02-two": "# Two\n\n" + placed("a", "It shows a.", "z"),
    })
    assert book.simulations == [
        Simulation("b", "It shows b.", ("fig-x",)),
        Simulation("a", "It shows a.", ("fig-y", "fig-z")),
    ]


def test_a_simulation_without_a_still_has_no_figure(book_of):
    book = book_of('# One\n\n::: {.sim data-sim="a"}\nText.\n:::\n')
    assert book.simulations == [Simulation("a", "", ("",))]


def test_the_book_lists_every_script_and_no_other():
    assert {s.name for s in BOOK.simulations} == SCRIPTS
    assert len(SCRIPTS) == 11


@pytest.mark.parametrize(
    "simulation", BOOK.simulations, ids=lambda s: s.name
)
def test_every_simulation_says_what_it_shows(simulation):
    assert re.fullmatch(r"[A-Z][^.]{30,110}\.", simulation.shows)
    assert all(f.startswith("fig-") for f in simulation.figures)
