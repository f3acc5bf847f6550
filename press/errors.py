"""The one kind of error that the press shows to an author."""

from pathlib import Path


class BookError(Exception):
    """Something in the book is wrong, and its author can mend it.

    It knows the file and the line, says what is wrong, and what to write
    instead.
    """

    def __init__(self, path: Path | str, line: int | None, message: str):
        self.path = path.as_posix() if isinstance(path, Path) else path
        self.line, self.message = line, message
        place = f"{self.path}:{line}" if line else self.path
        super().__init__(f"{place}: {message}")


class BookErrors(Exception):
    """Several of them, found in one go."""

    def __init__(self, errors: list[BookError]):
        self.errors = sorted(errors, key=lambda e: (e.path, e.line or 0))
        super().__init__("\n".join(map(str, self.errors)))


def raise_found(faults: list[BookError]) -> None:
    """Raise the fault that was found, or all of them; none, where none
    was."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise BookErrors(faults)
