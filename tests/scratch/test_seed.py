"""All of the lesson that the book grew from is still in the book."""

import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
FILE = Path(__file__).with_name("seed.toml")
TABLE = tomllib.loads(FILE.read_text("utf-8"))
HOLDS = TABLE.pop("holds")
KINDS = ("sections", "tables", "simulations", "quizzes", "claims")
LINES = [
    pytest.param(places, id=f"{chapter}, {kind}: {what}")
    for chapter, kinds in TABLE.items()
    for kind, lines in kinds.items()
    for what, places in lines.items()
]

HEADING = re.compile(r"^(#+) .*?(?:\{#(\S+)[^}]*\})?\s*$")
OWN = re.compile(r"^#\| label: (\S+)")
TABLE_OF_TEXT = re.compile(r"^: .*\{#(tbl-\S+)\}")


def read_places(text: str) -> dict[str, str]:
    """What stands under each label: of sections, cells, divs, tables."""
    lines = text.splitlines()
    places: dict[str, str] = {}
    sections: list[tuple[int, str, int]] = []    # level, label, line
    cell: tuple[int, list[str]] | None = None    # its first line, labels

    def close(level: int, end: int) -> None:
        while sections and sections[-1][0] >= level:
            _, label, begin = sections.pop()
            if label:
                places[label] = "\n".join(lines[begin:end])

    for n, line in enumerate(lines):
        if cell is not None:
            begin, labels = cell
            if line.startswith("```"):
                for label in labels:
                    places[label] = "\n".join(lines[begin:n])
                cell = None
            elif found := OWN.match(line):
                labels.append(found[1])
        elif line.startswith("```"):
            cell = n, []
        elif found := re.match(r"^(:{3,}) \{#(exr-\S+?)[ }]", line):
            end = lines.index(found[1], n + 1)
            places[found[2]] = "\n".join(lines[n:end])
        elif found := TABLE_OF_TEXT.match(line):
            places[found[1]] = line
        elif found := HEADING.match(line):
            inside_div = not found[2] and lines[n - 1].startswith(":::")
            if not inside_div:
                close(len(found[1]), n)
                sections.append((len(found[1]), found[2] or "", n))
    close(1, len(lines))
    return places


def read_book() -> dict[str, str]:
    places: dict[str, str] = {}
    for path in [REPO / "index.qmd", *sorted((REPO / "book").glob("*.qmd"))]:
        places |= read_places(path.read_text(encoding="utf-8"))
    return places


BOOK = read_book()


def flat(text: str) -> str:
    """The text on one line, strings that Python joins in one piece."""
    return " ".join(re.sub(r'"\s*\n\s*f?"', "", text).split())


@pytest.mark.parametrize("places", LINES)
def test_the_book_covers_it_where_the_table_says(
    places: dict[str, str],
) -> None:
    assert places, "the table names no place"
    for label, phrase in places.items():
        assert len(phrase.strip()) > 2, f"{label}: no phrase"
        assert label in BOOK, f"the book has no label {label} any more"
        assert flat(phrase) in flat(BOOK[label]), (
            f"{label} says nothing of {phrase!r} any more; if it stands "
            "elsewhere now, seed.toml has to name that place"
        )


def test_no_chapter_of_the_lesson_is_missing_in_the_table() -> None:
    assert [int(n) for n in TABLE] == [*range(HOLDS["chapters"])]
    for chapter, kinds in TABLE.items():
        assert {*kinds} <= {*KINDS}, chapter
        assert kinds["sections"] and kinds["claims"], chapter


@pytest.mark.parametrize("kind", ["simulations", "quizzes"])
def test_no_simulation_or_quiz_is_missing_in_the_table(kind: str) -> None:
    assert sum(len(k.get(kind, {})) for k in TABLE.values()) == HOLDS[kind]


def test_every_simulation_of_the_lesson_is_one_of_the_book() -> None:
    names = [
        phrase for kinds in TABLE.values()
        for places in kinds.get("simulations", {}).values()
        for phrase in places.values() if phrase.startswith("data-sim=")
    ]
    assert len({*names}) == HOLDS["simulations"]


def test_a_label_holds_what_stands_under_it_and_no_more() -> None:
    places = read_places(
        "# A {#sec-a}\none\n## B {#sec-b}\ntwo\n```{python}\n"
        "#| label: fig-c\n# three {#sec-no}\n```\n## D {#sec-d}\nfour\n"
        "::: {#exr-e}\n## Title\nfive\n:::\nsix\n"
    )
    assert {label: [w for w in "one two three four five six".split()
                    if w in text] for label, text in places.items()} == {
        "sec-a": "one two three four five six".split(),
        "sec-b": ["two", "three"], "fig-c": ["three"],
        "sec-d": ["four", "five", "six"], "exr-e": ["five"],
    }
