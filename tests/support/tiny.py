"""Tiny books, for the tests of the press."""

import base64
import textwrap
from pathlib import Path

REPO = Path(__file__).parents[2]
# The smallest picture there is.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg==")
HANGS = 600  # seconds: whoever has not ended by then never will
OPENING = "# Start {.unnumbered}\n\nHello.\n"
# A verb on a tiny book in the working directory, in a process of its own.
PROGRAM = """\
import sys
from pathlib import Path
from press import verbs
from press.run import kernel
kernel.SETUP = ""
verbs.ROOT = Path.cwd()
sys.exit(verbs.perform(sys.argv[1], sys.argv[2:]))
"""


def cell(source, /, **options):
    """A code cell as it stands in a chapter."""
    lines = [f"#| {name.replace('_', '-')}: {value}"
             for name, value in options.items()]
    return "\n".join(["```{python}", *lines, source.strip("\n"), "```", ""])


def write_book(root, chapters, *, appendices=None, config=""):
    """A book of `{"01-one": text}` below `root`, ready to be read."""
    (root / "book").mkdir(parents=True, exist_ok=True)
    chapters = dict(chapters)
    appendices = dict(appendices or {})
    (root / "index.qmd").write_text(
        chapters.pop("index", OPENING), encoding="utf-8")
    for name, text in {**chapters, **appendices}.items():
        (root / "book" / f"{name}.qmd").write_bytes(
            text if isinstance(text, bytes) else text.encode()
        )
    listed = textwrap.indent(
        "".join(f"- book/{name}.qmd\n" for name in chapters), " " * 8
    )
    (root / "_quarto.yml").write_text(
        "book:\n  title: Tiny\n  chapters:\n    - index.qmd\n"
        + (f"    - part: One\n      chapters:\n{listed}" if listed else "")
        + "".join(
            ["  appendices:\n" if appendices else ""]
            + [f"    - book/{name}.qmd\n" for name in appendices]
        )
        + config, encoding="utf-8",
    )
    (root / "_environment").write_text("PYTHONPATH=code\n", encoding="utf-8")
    return root


def contents(folder):
    """The bytes of every file below a folder, by its path there."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*")) if file.is_file()
    }
