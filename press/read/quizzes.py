"""The quizzes of a chapter, known by their words and not by their place.

A reader's answers are kept under these keys: they stay right where other
quizzes or options come, go or change places. The keys are made of the
sources, so no other number of a figure or of a run changes them.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from press.read.chapters import BRACKETED, DIV, Chapter, Line, Text

OPTION = re.compile(r"^\s*[-*+] \[[ xX]\]\s+")
WHY = re.compile(rf"{BRACKETED}\{{[^{{}}]*\.why\b[^{{}}]*\}}")


@dataclass(frozen=True)
class Quiz:
    """One quiz: where it opens, and the keys of it and of its options."""

    line: int
    key: str
    options: tuple[str, ...]


def read_quizzes(chapter: Chapter) -> list[Quiz]:
    """The quizzes of a chapter, in the order of the page."""
    source = re.split(r"\r\n?|\n", chapter.text)
    found: dict[int, list[Line]] = {}
    for line in chapter.lines():
        for div in line.divs:
            if "quiz" in div.classes:
                found.setdefault(div.line, []).append(line)
    result, taken = [], Counter[str]()
    for opening, lines in found.items():
        starts = [x.number for x in lines if OPTION.match(x.text)]
        ends = [*starts, lines[-1].number + 1]
        words = ["\n".join(source[start - 1:end - 1]) for start, end in zip(
            [opening + 1, *starts], ends, strict=True)]
        options = Counter[str]()
        result.append(Quiz(
            opening, key_of(words[0], taken),
            tuple(key_of(option, options) for option in words[1:]),
        ))
    return result


def key_of(words: str, taken: Counter[str]) -> str:
    """A key of these words; the second of the same words has another."""
    bare = WHY.sub("", OPTION.sub("", words)).replace("**", "")
    digest = hashlib.sha256(" ".join(bare.split()).encode()).hexdigest()[:10]
    taken[digest] += 1
    return digest if taken[digest] == 1 else f"{digest}-{taken[digest]}"


def with_keys(piece: Text, quizzes: Iterable[Quiz]) -> Text:
    """The text with each quiz's keys as attributes of its div."""
    lines = piece.text.split("\n")
    for quiz in quizzes:
        place = quiz.line - piece.line
        if 0 <= place < len(lines) and (div := DIV.match(lines[place])):
            attributes = div[2].strip("{}")
            if not div[2].startswith("{"):
                attributes = " ".join(f".{name}" for name in div[2].split())
            lines[place] = (
                f'{lines[place][:div.start(2)]}{{{attributes} '
                f'quiz="{quiz.key}" options="{" ".join(quiz.options)}"}}'
            )
    return replace(piece, text="\n".join(lines))
