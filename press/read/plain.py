"""Words without markup: for attributes, titles, bookmarks and metadata."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from press.read.labels import KINDS, Label
from press.read.pandoc import READER, pandoc

# A line with none of these is what it says.
MARKUP = re.compile(r"[^\w\s,;:?!()/+=%-]|--|_|https?:|www\.")
MARK = "\ue000"
REFERENCE = re.compile(rf"(-?)@((?:{'|'.join(KINDS)})-[\w-]*\w)")

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
            _said.update(zip(asked, read(asked), strict=True))
    return [_said.get(line, line) for line in lines]


def read(lines: list[str]) -> list[str]:
    """What pandoc reads; marks keep a line from being a list or the like."""
    text = "\n\n".join(
        f"{MARK}{number} {' '.join(line.split())}"
        for number, line in enumerate(lines)
    )
    said = json.loads(pandoc(
        "a title", text, "--from", READER,
        "--to", str(Path(__file__).with_name("plain.lua")),
    ))
    return [
        " ".join(said[str(number)].split()) for number in range(len(lines))
    ]


def referring(words: str, labels: dict[str, Label]) -> str:
    """The words with their references as they are printed."""
    def printed(match: re.Match) -> str:
        label = labels.get(match[2])
        if label is None:
            return match[0]
        return label.named[1] if match[1] else label.reference

    return REFERENCE.sub(printed, words) if "@" in words else words
