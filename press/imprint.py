"""With what, from what and on what a copy of the book was made."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from press.read import edition
from press.read.book import Book


def imprint(book: Book) -> dict[str, str]:
    """What the printed book says of its making."""
    return {
        "version": book.version,
        "copyright": edition.COPYRIGHT,
        "licenses": edition.LICENSES,
        "commit": state_of_sources(book.root),
        "python": platform.python_version(),
        "torch": version("torch"),
        "machine": f"{platform.system()} on {platform.machine()}",
    }


def state_of_sources(root: Path) -> str:
    """The commit, and whether anything was changed since. A repository that
    the book's folder only lies in says nothing of the book."""
    top = ask_git(root, "rev-parse", "--show-toplevel")
    commit = ask_git(root, "rev-parse", "--short=10", "HEAD")
    if not top or not commit or Path(top).resolve() != root.resolve():
        return "not under version control"
    changed = ask_git(root, "status", "--porcelain")
    return f"{commit}, and changes to it" if changed else commit


def ask_git(root: Path, *words: str) -> str:
    """What git says; nothing where it is not there, or knows nothing."""
    try:
        return subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True, encoding="utf-8", check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
