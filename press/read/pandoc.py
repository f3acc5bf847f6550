"""Call pandoc, from the package that carries it."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from press.errors import BookError

READER = "markdown-implicit_header_references"
RUNTIME = ["+RTS", "-A64m", "-RTS"]  # more memory, less collecting of garbage
LINES = "--eol=lf"  # on Windows too


@cache
def pandoc_path() -> str:
    import pypandoc
    return pypandoc.get_pandoc_path()


def pandoc(
    name: Path | str, text: str, *arguments: str,
    environment: dict[str, str] | None = None,
) -> str:
    """What pandoc makes of a text; `name` is whose, if it complains."""
    words = [pandoc_path(), *RUNTIME, LINES, *arguments]
    command: list[str] | list[bytes] = words
    environ = {**os.environ, **(environment or {})}
    if sys.getfilesystemencoding() != "utf-8" and os.name != "nt":
        # A locale of ASCII alone: titles and paths are not.
        command = [word.encode("utf-8", "surrogateescape") for word in words]
        environ["LC_ALL"] = "C.UTF-8"
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, env=environ,
    )
    if done.returncode:
        raise BookError(
            name, None,
            f"pandoc cannot set this: {done.stderr.decode().strip()}",
        )
    return done.stdout.decode()


@cache
def program_version() -> str:
    import pypandoc
    return str(pypandoc.get_pandoc_version())
