"""Words without markup: for attributes, titles, bookmarks and metadata."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from press.read.pandoc import READER, pandoc_warned

# A line with none of these is what it says.
MARKUP = re.compile(r"[^\w\s,;:?!()/+=%-]|--|_|https?:|www\.")
UNSET = re.compile(r"Could not convert TeX math (.*?), rendering as TeX")
MARK = "\ue000"

_said: dict[str, str] = {}
_asking = Lock()


def plain(text: str) -> str:
    """What a line of Markdown says."""
    return plain_each([text])[0]


def plain_each(lines: Iterable[str]) -> list[str]:
    """What each of these lines of Markdown says, all asked in one go."""
    lines = list(lines)
    with _asking:
        asked = [
            line for line in dict.fromkeys(lines)
            if line not in _said and MARKUP.search(line)
        ]
        if asked:
            _said.update(zip(asked, read_lines(asked), strict=True))
    return [_said.get(line, line) for line in lines]


def read_lines(lines: list[str]) -> list[str]:
    """What pandoc reads; marks keep a line from being a list or the like."""
    text = "\n\n".join(
        f"{MARK}{number} {' '.join(line.split())}"
        for number, line in enumerate(lines)
    )
    return said(len(lines), text, READER)


def plain_inlines(version: list[int], lists: list[list]) -> list[str]:
    """What each of these lists of pandoc's inlines says."""
    blocks = [
        {"t": "Para", "c": [{"t": "Str", "c": f"{MARK}{number}"},
                            {"t": "Space"}, *inlines]}
        for number, inlines in enumerate(lists)
    ]
    return said(len(lists), json.dumps({
        "pandoc-api-version": version, "meta": {}, "blocks": blocks,
    }), "json") if lists else []


def unset_formulas(version: list[int], formulas: list) -> list[int]:
    """The positions of those of pandoc's formulas that it cannot set, and
    would print as TeX."""
    if not formulas:
        return []
    _, warnings = pandoc_warned("a formula", json.dumps({
        "pandoc-api-version": version, "meta": {}, "blocks": [
            {"t": "Para", "c": [one]} for one in formulas],
    }), "--from", "json", "--to", "html5", "--mathml")
    unset = [found[1].strip() for warning in warnings
             if (found := UNSET.match(warning))]
    return [
        position for position, one in enumerate(formulas)
        if " ".join(one["c"][1].split()) in unset
    ]


def said(count: int, text: str, reader: str) -> list[str]:
    """The words of so many marked paragraphs."""
    told, _ = pandoc_warned(   # a formula that it cannot set is words too
        "a title", text, "--from", reader,
        "--to", str(Path(__file__).with_name("plain.lua")),
    )
    words = json.loads(told)
    return [" ".join(words[str(number)].split()) for number in range(count)]
