"""What several languages know is said once, in the form written down."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from built import BOOK
from press.check import options
from press.errors import BookError
from press.weave import shared
from tiny import REPO

WEAVE = REPO / "press" / "weave"
SCHEMA = json.loads((WEAVE / "shared.schema.json").read_text("utf-8"))
SHARED = shared.shared(BOOK)


def test_it_has_the_form_that_is_written_down():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(SHARED, SCHEMA)
    assert all(said.get("description") for said in (
        SCHEMA["properties"].values()))


@pytest.mark.parametrize("name", sorted(SHARED))
def test_nothing_of_it_may_be_missing_or_of_another_kind(name):
    for wrong in ({k: v for k, v in SHARED.items() if k != name},
                  SHARED | {name: 1}, SHARED | {"more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


def test_quarto_reads_what_the_chapters_say():
    assert json.loads((REPO / shared.FILE).read_text("utf-8")) == SHARED
    shared.check_shared(BOOK)


def test_what_quarto_reads_is_written_anew_when_the_chapters_change(book_of):
    book = book_of("# One\n\n[a word]{.term}\n")
    with pytest.raises(BookError, match="run 'make tangle'"):
        shared.check_shared(book)
    shared.write_shared(book)
    shared.check_shared(book)
    assert json.loads((book.root / shared.FILE).read_text("utf-8"))[
        "terms"] == {"a word": "a-word"}
    with pytest.raises(BookError, match="run 'make tangle'"):
        shared.check_shared(book_of("# One\n\n[two words]{.term}\n"))


def test_there_is_a_sign_for_every_mark_that_proof_lets_through():
    assert options.MOST_NOTES == len(shared.CIRCLED)


FILES = [file for pattern in ("*.lua", "*.typ", "*.js", "*.css", "*.html")
         for file in sorted(WEAVE.rglob(pattern))]
SAID_ELSEWHERE = re.compile(
    "[" + shared.CIRCLED + "".join(
        mark["sign"] for mark in SHARED["marks"].values()
        if mark["sign"] != "=") + "]"
    "|same characters on any machine|glossary\\.qmd|sec-exact|own source"
)


@pytest.mark.parametrize(
    "file", FILES, ids=lambda file: file.relative_to(WEAVE).as_posix())
def test_no_other_language_says_it_again(file):
    text = file.read_text(encoding="utf-8")
    assert not SAID_ELSEWHERE.findall(text)
    colors = {color.lower() for theme in SHARED["palette"].values()
              for color in theme.values()}
    assert not colors & set(re.findall(r"#[0-9a-f]{6}\b", text.lower()))


def test_python_reads_the_words_of_a_mark_as_the_filter_does():
    """What the filter finds no key for is an error, so the book is built."""
    words = {mark.text for mark in BOOK.marks
             if "entry" not in mark.span.attributes}
    assert words == set(SHARED["terms"])
    assert Path(BOOK.root, shared.FILE).exists()
