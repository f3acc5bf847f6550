"""Call pandoc, from the package that carries it."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from press.errors import BookError

READER = "markdown-implicit_header_references"
RUNTIME = ["+RTS", "-A64m", "-RTS"]  # more memory, less collecting of garbage
# A warning runs on in lines that are indented.
WARNING = re.compile(r"^\[WARNING\] (.*(?:\n[ \t]+.*)*)", re.MULTILINE)
LINES = "--eol=lf"  # on Windows too


@cache
def pandoc_path() -> str:
    import pypandoc
    return pypandoc.get_pandoc_path()


def pandoc(
    name: Path | str, text: str, *arguments: str,
    environment: dict[str, str] | None = None,
) -> str:
    """What pandoc makes of a text; `name` is whose, if it complains. What
    it only warns of, a picture that it lacks, would come out wrong."""
    made, warnings = pandoc_warned(
        name, text, *arguments, environment=environment)
    if warnings:
        raise BookError(name, None, (
            f"pandoc cannot set all of this: {warnings[0][:300]}; write it "
            "in another way"))
    return made


def pandoc_warned(
    name: Path | str, text: str, *arguments: str,
    environment: dict[str, str] | None = None,
) -> tuple[str, list[str]]:
    """What pandoc makes of a text, and what it warns of."""
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
    warnings = WARNING.findall(done.stderr.decode())
    return done.stdout.decode(), [" ".join(one.split()) for one in warnings]


@cache
def program_version() -> str:
    import pypandoc
    return str(pypandoc.get_pandoc_version())
