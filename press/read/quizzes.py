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
from itertools import pairwise

from press.errors import BookError
from press.read.cells import Text
from press.read.document import BRACKETED, Document, Quiz
from press.read.scan import DIV

OPTION = re.compile(r"^[\s>]*[-*+] \[[ xX]\]\s+")
WHY = re.compile(BRACKETED + r"\{[^{}]*\.why\b[^{}]*\}")


@dataclass(frozen=True)
class Keys:
    """Where a quiz opens, and the keys of it and of its options."""

    line: int
    key: str
    options: tuple[str, ...]


def quiz_keys(document: Document) -> list[Keys]:
    """The keys of a chapter's quizzes, in the order of the page."""
    chapter = document.chapter
    source = re.split(r"\r\n?|\n", chapter.text)
    result, taken = [], Counter[str]()
    for quiz in document.all(Quiz):
        starts = [
            line for line in range(quiz.line + 1, quiz.end)
            if OPTION.match(chapter.scan.shown[line - 1])
        ]
        if len(starts) != len(quiz.options):
            raise BookError(
                chapter.path, quiz.line,
                f"{len(quiz.options)} options are read here and "
                f"{len(starts)} written; begin each with '- [ ] ' or "
                "'- [x] ' and put nothing else in boxes",
            )
        words = ["\n".join(source[start - 1:end - 1])
                 for start, end in pairwise(
                     [quiz.line + 1, *starts, quiz.end])]
        options = Counter[str]()
        result.append(Keys(
            quiz.line, key_of_words(words[0], taken),
            tuple(key_of_words(option, options) for option in words[1:]),
        ))
    return result


def key_of_words(words: str, taken: Counter[str]) -> str:
    """A key of these words; the second of the same words has another."""
    bare = WHY.sub("", OPTION.sub("", words)).replace("**", "")
    digest = hashlib.sha256(" ".join(bare.split()).encode()).hexdigest()[:10]
    taken[digest] += 1
    return digest if taken[digest] == 1 else f"{digest}-{taken[digest]}"


def with_keys(piece: Text, quizzes: Iterable[Keys]) -> Text:
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
