"""Which modules of ours a piece of Python names, and those in turn."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path


def reached(
    root: Path, texts: Iterable[str], but: tuple[str, ...] = (),
) -> set[Path]:
    """The modules that pieces of Python name, those that these name in
    turn, and the packages that they stand in; not what is below `but`."""
    found: set[Path] = set()
    met: set[str] = set()
    waiting = list(texts)
    while waiting:
        names = set(names_in(waiting.pop())) - met
        met |= names
        for file in modules_of(root, names):
            if file not in found and not any(
                file.is_relative_to(root / folder) for folder in but
            ):
                found.add(file)
                waiting.append(absolute(root, file))
    return found


def absolute(root: Path, file: Path) -> str:
    """The source of a module, its relative imports written in full."""
    folder = file.relative_to(root).parent.parts
    if folder[0] == "code":
        folder = folder[1:]

    def full(match: re.Match[str]) -> str:
        above = len(folder) + 1 - len(match[2])
        parts = [*folder[:max(0, above)], *([match[3]] if match[3] else [])]
        return match[1] + ".".join(parts)

    return re.sub(
        r"^(\s*from\s+)(\.+)([\w.]*)", full,
        file.read_text(encoding="utf-8"), flags=re.MULTILINE,
    )


def modules_of(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """The modules of ours that bear such names, with the packages that they
    stand in."""
    for name in names:
        folder = Path("code") if name.startswith("scratch") else Path()
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            place = root / folder.joinpath(*parts[:end])
            for file in (place / "__init__.py", place.with_suffix(".py")):
                if file.is_file():
                    yield file


@lru_cache(maxsize=256)
def names_in(text: str) -> tuple[str, ...]:
    """The modules of ours that a piece of Python may name: a.b.c is a, or
    in it b, or in that c."""
    found = set(re.findall(r"\b(?:scratch|figures|press)(?:\.\w+)+", text))
    for package, listed in re.findall(
        r"from\s+((?:scratch|figures|press)(?:\.\w+)*)\s+import\s+"
        r"(\([^)]*\)|[^\n]*)", text,
    ):
        found.update(
            f"{package}.{name}" for name in re.findall(r"\w+", listed)
        )
    return tuple(sorted(found))
