"""Find what in the chapters a place of the printed book's source is from.

The source says in comments which file each piece of it is made of. Within
a piece no line is known, since pandoc keeps none. So the words of chapter
and piece are laid side by side: the line is that of the same words in the
same order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from press.read.book import Book
from press.read.chapters import Chapter
from press.read.config import CONFIG

FROM = "// press: from "
POSITION = re.compile(
    r"┌─ [^\n]*main\.typ:(\d+):(\d+)\n"
    r"(?: *│ *\n *\d+ │ [^\n]*\n *│ *(\^+))?"
)
QUOTED = re.compile(r'the text `"(.+?)"`')
ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")
WORD = re.compile(r"\w+|[^\x00-\x7f\s]")
SHOWN = 50  # characters of the source before and after what is wrong


@dataclass(frozen=True)
class Passage:
    """A span of one line, counted from 0."""

    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Word:
    text: str
    line: int
    start: int

    def within(self, place: Passage) -> bool:
        return (
            self.line == place.line and self.start < place.end
            and self.start + len(self.text) > place.start
        )


def made_of(file: Chapter | str, text: str) -> str:
    """A piece of the source that names what it is made of: a chapter,
    another file or, in the template, nothing."""
    return f"{FROM}{file if isinstance(file, str) else stem_of(file)}\n{text}"


def stem_of(chapter: Chapter) -> str:
    return chapter.path.with_suffix("").as_posix()


def find_origin(
    book: Book, source: str, diagnostic: str
) -> tuple[str, int | None, str]:
    """The file and line that a diagnostic of Typst's comes from, and the
    piece of the source that it is about."""
    lines = source.split("\n")
    chapters = {stem_of(chapter): chapter for chapter in book.chapters}
    places = list(find_places(lines, diagnostic))
    for place in places:
        excerpt = excerpt_of(lines, place)
        first = next(
            (n for n in range(place.line, -1, -1)
             if lines[n].startswith(FROM)), None,
        )
        name = lines[first][len(FROM):] if first is not None else ""
        if first is None or not name:
            continue  # in the template, called from where the next one says
        chapter = chapters.get(name)
        if chapter is None:
            return name, find_letters(book.root / name, diagnostic), excerpt
        last = next(
            (n for n in range(place.line + 1, len(lines))
             if lines[n].startswith(FROM)), len(lines),
        )
        line = find_line(chapter, lines[first + 1:last], Passage(
            place.line - first - 1, place.start, place.end
        ))
        return chapter.path.as_posix(), line, excerpt
    excerpt = excerpt_of(lines, places[0]) if places else ""
    if named := find_letters(book.root / CONFIG, diagnostic):
        return CONFIG, named, letters_of(diagnostic)   # a title, an author
    return "the printed book", None, excerpt


def letters_of(diagnostic: str) -> str:
    """The characters that a diagnostic quotes."""
    quoted = QUOTED.search(diagnostic)
    return ESCAPE.sub(
        lambda match: chr(int(match[1], 16)), quoted[1]) if quoted else ""


def find_letters(file: Path, diagnostic: str) -> int | None:
    """The line of a file that holds what a diagnostic quotes."""
    letters = letters_of(diagnostic)
    if not letters or not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    return next((
        number for number, line in enumerate(text.split("\n"), 1)
        if letters in line), None)


def excerpt_of(lines: list[str], place: Passage) -> str:
    text = lines[place.line]
    return text[max(0, place.start - SHOWN):place.end + SHOWN].strip()


def find_places(lines: list[str], diagnostic: str) -> Iterator[Passage]:
    """Where a diagnostic says that the fault is: the characters that it
    quotes, in the spans that it names, and then anywhere."""
    letters = letters_of(diagnostic)
    for row, start, carets in POSITION.findall(diagnostic):
        line, first = int(row) - 1, int(start)
        found = lines[line].find(letters, first) if letters else -1
        if found >= 0:
            yield Passage(line, found, found + len(letters))
        else:
            yield Passage(line, first, first + max(1, len(carets)))
    for line, text in enumerate(lines):
        if letters and letters in text:
            start = text.index(letters)
            yield Passage(line, start, start + len(letters))


def find_line(chapter: Chapter, piece: list[str], place: Passage) -> int:
    """The line of a chapter that a place in a piece made of it comes from."""
    ours = list(words(re.split(r"\r\n?|\n", chapter.text)))
    theirs = list(words(piece))
    same: dict[int, Word] = {}  # by the number of a word of the piece
    for block in SequenceMatcher(
        None, [word.text for word in theirs], [word.text for word in ours]
    ).get_matching_blocks():
        for offset in range(block.size):
            same[block.a + offset] = ours[block.b + offset]
    meant = [n for n, word in enumerate(theirs) if word.within(place)]
    for number in meant:
        if number in same:
            return same[number].line + 1
    # It stands between the words around it that are known.
    here = (place.line, place.start)
    before = [n for n in same if (theirs[n].line, theirs[n].start) < here]
    after = [n for n in same if (theirs[n].line, theirs[n].start) > here]
    low = same[max(before)].line if before else 0
    high = same[min(after)].line if after else ours[-1].line if ours else 0
    texts = [theirs[number].text for number in meant]
    alike = [word for text in texts for word in ours if word.text == text]
    for word in alike:
        if low <= word.line <= high:
            return word.line + 1
    beside = [n for n in same if theirs[n].line == place.line]
    if not texts and beside:   # markup alone, in a line with words
        return same[min(beside, key=lambda n: abs(
            theirs[n].start - place.start))].line + 1
    if len(alike) == 1:  # a caption stands elsewhere than it is printed
        return alike[0].line + 1
    start = theirs[max(before)].line if before else 0
    return find_cell(
        chapter, piece[start:place.line + 1], low + 1, high + 1
    ) or (low if before else high) + 1


def find_cell(
    chapter: Chapter, opened: list[str], low: int, high: int
) -> int | None:
    """The line of the cell whose output it is: the last that the piece has
    opened, of those that stand between two lines of the chapter."""
    count = sum(line.startswith("#cell(") for line in opened)
    cells = [c for c in chapter.cells if low < c.line <= high]
    if count and cells:
        return cells[min(count, len(cells)) - 1].source_line
    return next(
        (c.source_line for c in chapter.cells
         if c.line <= low < c.source_line), None,
    )


def words(lines: list[str]) -> Iterator[Word]:
    for number, line in enumerate(lines):
        for match in WORD.finditer(line):
            yield Word(match[0], number, match.start())
