"""What a text leaves on a terminal: the last state of what it overwrites.

Progress bars go back to the start of their line, or up to that of another;
colors and titles are for terminals alone. No page and no EPUB can hold the
characters that say so.
"""

import re

# An order to the terminal: of a cursor or a color, of a window, or a short
# one; or else a single character that no page shows.
ORDER = re.compile(
    r"\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"
    r"|\x1b[ -/]*[0-~]?"
    r"|([\r\n\x08\x0b\x0c])"
    r"|[\x00-\x07\x0e-\x1f\x7f-\x9f\ufffe\uffff]",
    re.DOTALL,
)
MOVES = re.compile(r"\r(?!\n)|\x08|\x1b\[[0-9;]*[A-HJKfsu]")
# What of an output goes on where another one of its stream has stopped.
GOES_ON = re.compile(r"\r(?!\n)|\x08|\x1b\[[0-9;]*[AFHJK]")


def left_on_screen(text: str) -> str:
    """A text as a terminal shows it in the end, without its colors."""
    if not ORDER.search(text.replace("\n", "")):
        return text
    if not MOVES.search(text):
        return ORDER.sub(plainly, text.replace("\r\n", "\n"))
    screen = Screen()
    at = 0
    for order in ORDER.finditer(text):
        screen.write(text[at:order.start()])
        screen.obey(order)
        at = order.end()
    screen.write(text[at:])
    return screen.shown()


def plainly(order: re.Match) -> str:
    """A line's end stays; what gives a color is nothing."""
    return "\n" if order[3] in ("\n", "\x0b", "\x0c") else ""


class Screen:
    """The lines of a terminal that is as long and wide as it need be."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = self.column = 0
        self.saved = (0, 0)

    def write(self, words: str) -> None:
        line = self.lines[self.row]
        line += " " * (self.column - len(line))
        line[self.column:self.column + len(words)] = words
        self.column += len(words)

    def go_to(self, row: int, column: int) -> None:
        self.row, self.column = max(0, row), max(0, column)
        while self.row >= len(self.lines):
            self.lines.append([])

    def obey(self, order: re.Match) -> None:
        match order[3]:
            case "\r":
                self.column = 0
            case "\x08":
                self.column = max(0, self.column - 1)
            case "\n" | "\x0b" | "\x0c":
                self.go_to(self.row + 1, 0)
            case None if order[2]:
                numbers = [int(n) for n in re.findall(r"\d+", order[1])]
                self.move(order[2], numbers)

    def move(self, letter: str, numbers: list[int]) -> None:
        """An order with numbers: where the cursor goes, what is wiped."""
        first = numbers[0] if numbers else 0
        steps = min(max(1, first), 10_000)
        match letter:
            case "A" | "F":
                self.go_to(
                    self.row - steps, 0 if letter == "F" else self.column)
            case "B" | "E":
                self.go_to(
                    self.row + steps, 0 if letter == "E" else self.column)
            case "C" | "D":
                self.go_to(self.row, self.column + (
                    steps if letter == "C" else -steps))
            case "G":
                self.go_to(self.row, steps - 1)
            case "H" | "f":
                column = numbers[1] if len(numbers) > 1 else 1
                self.go_to(steps - 1, min(column, 10_000) - 1)
            case "J":
                self.wipe_screen(first)
            case "K":
                self.wipe_line(first)
            case "s":
                self.saved = (self.row, self.column)
            case "u":
                self.go_to(*self.saved)

    def wipe_line(self, part: int) -> None:
        """What is right of the cursor, left of it, or the whole line."""
        line = self.lines[self.row]
        if part in (0, 2):
            del line[self.column:]
        if part in (1, 2):
            line[:self.column + 1] = " " * min(
                self.column + 1, len(line))

    def wipe_screen(self, part: int) -> None:
        """What is below the cursor, above it, or all."""
        self.wipe_line(part)
        if part != 1:
            del self.lines[self.row + 1:]
        if part:
            self.lines[:self.row] = [[] for _ in range(self.row)]

    def shown(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self.lines)
