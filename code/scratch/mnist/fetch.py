# Tangled from book/data.qmd. Checksum 04c8ffc3.
"""The files fetched, checked, and then moved in."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from scratch.mnist.files import MD5, intact
from scratch.mnist.sources import SOURCES


def move_in(found: Path, raw: Path) -> None:
    """Move the files from `found` to `raw`, if all four are right."""
    for name in MD5:
        if not intact(found / name):
            raise RuntimeError(f"its {name} has the wrong MD5")
    for name in MD5:
        if not intact(raw / name):
            os.replace(found / name, raw / name)


class SourceError(RuntimeError):
    """One source did not give the files; the message says why."""


def fetch_from(name: str, raw: Path) -> None:
    """Fetch the files from one of SOURCES into the folder `raw`."""
    print(f"fetching MNIST: {name} …", file=sys.stderr, flush=True)
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix="fetching-", dir=raw.parent
        ) as aside:
            move_in(SOURCES[name](Path(aside)), raw)
    except Exception as error:
        why = str(error) or type(error).__name__
        line = f"{name}: {why.splitlines()[0]}"
        raise SourceError(line) from error


def remove_damaged(raw: Path) -> None:
    """Remove, and name, each file that is there but is not right."""
    for name in MD5:
        path = raw / name
        with contextlib.suppress(FileNotFoundError):
            judged = path.stat()
            if intact(path):
                continue
            if os.path.samestat(judged, path.stat()):
                path.unlink()
                print(f"removed {path}: its MD5 is wrong",
                      file=sys.stderr, flush=True)


def explain(raw: Path, failures: list[SourceError]) -> str:
    """Why each source failed, and what to put where by hand."""
    return "\n".join([
        f"MNIST is not in {raw}, and no source is in reach.",
        *(f"  {failure}" for failure in failures),
        f"Put these four files, uncompressed, into {raw.resolve()}:",
        *(f"  {name}  MD5 {md5}" for name, md5 in MD5.items()),
    ])


def fetch_mnist(root: str | Path = "data") -> Path:
    """The folder root/MNIST/raw with MNIST's four raw files.

    Fetches what is missing or damaged, from the first of SOURCES in
    reach. RuntimeError if none is; the message names the files.
    """
    raw = Path(root) / "MNIST" / "raw"
    remove_damaged(raw)
    if all((raw / name).exists() for name in MD5):
        return raw
    failures = []
    for name in SOURCES:
        try:
            fetch_from(name, raw)
            return raw
        except SourceError as failure:
            failures.append(failure)
    raise RuntimeError(explain(raw, failures))
