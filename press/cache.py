"""The one cache: what was made, kept with all that it depends on.

A result stands in a file of its own, `NAME-KEY`. The key is a digest of the
inputs that its maker names. What making it found that it depends on besides
stands in the file's first line and is looked at again before each use.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from press.files import write
from press.imports import reached

HOME = Path(__file__).parents[1]   # of the press
KEY = 16    # digits of a file's name that say of which inputs it is
SKEW = 60   # seconds by which the clocks of two machines may differ
LARGE = 1 << 20   # bytes of a file that is not read each time
Look = Callable[[str], str]


@dataclass(frozen=True)
class Made:
    """A result, and a digest of each thing that making it found it to
    depend on; `Look` gives these anew."""

    body: bytes
    found: Mapping[str, str] = field(default_factory=dict)


def remembered(
    folder: Path, name: str, inputs: Mapping[str, str | bytes],
    make: Callable[[], bytes],
) -> bytes:
    """What `make` makes of the inputs; kept below `folder` as `name`, of
    which the newest alone stays."""
    body = recall(folder, name, inputs)
    if body is None:
        body = make()
        keep(folder, name, inputs, Made(body))
    return body


def recall(
    folder: Path, name: str, inputs: Mapping[str, str | bytes],
    look: Look | None = None,
) -> bytes | None:
    """What is kept for these inputs, or None where it is missing, damaged
    or older than something that making it found."""
    key = digest_of(inputs)
    entries = [entry_of(folder, name, key, {})]
    if look:
        entries += entries_of(folder, name, key[:KEY])
    for entry in entries:
        body = read_entry(entry, key, look or str)
        if body is not None:
            return body
    return None


def read_entry(entry: Path, key: str, look: Look) -> bytes | None:
    try:
        head, _, body = entry.read_bytes().partition(b"\n")
        said = json.loads(head)
        if (said["key"], said["sha256"]) != (key, sha256(body)) or any(
            look(thing) != digest for thing, digest in said["found"].items()
        ):
            return None
        os.utime(entry)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return body


def keep(
    folder: Path, name: str, inputs: Mapping[str, str | bytes], made: Made,
    entries: int = 1,
) -> None:
    """Keep a result, and of those of its name only the newest few."""
    key = digest_of(inputs)
    head = json.dumps({
        "key": key, "sha256": sha256(made.body), "found": dict(made.found),
    })
    entry = entry_of(folder, name, key, made.found)
    write(entry, head.encode() + b"\n" + made.body)
    for file in entries_of(folder, name, but=entry)[entries - 1:]:
        file.unlink(missing_ok=True)


def entries_of(
    folder: Path, name: str, start: str = "", but: Path | None = None,
) -> list[Path]:
    """What is kept under a name, the newest first; of a date that is still
    to come nobody knows how old it is."""
    pattern = re.compile(
        rf"{re.escape(file_name(name))}-(?={start})[0-9a-f]{{24}}")
    now = time.time() + SKEW
    dated = []
    for file in folder.iterdir() if folder.is_dir() else ():
        if pattern.fullmatch(file.name) and file != but:
            with suppress(FileNotFoundError):
                date = file.stat().st_mtime
                dated.append((date if date <= now else 0.0, file))
    return [file for _, file in sorted(dated, reverse=True)]


def entry_of(
    folder: Path, name: str, key: str, found: Mapping[str, str]
) -> Path:
    """Where a result is kept: under its inputs, and what making it found."""
    rest = digest_of(found)[:24 - KEY]
    return folder / f"{file_name(name)}-{key[:KEY]}{rest}"


def file_name(name: str) -> str:
    return name.replace("/", "-")


def digest_of(inputs: Mapping[str, str | bytes]) -> str:
    """A digest of names and what they stand for, in any order."""
    digest = hashlib.sha256()
    for name in sorted(inputs):
        value = inputs[name]
        body = value.encode() if isinstance(value, str) else value
        for part in (name.encode(), body):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


# ------------------------------------------------------------------ files


def content(file: Path) -> str:
    """A digest of what is in a file; a large one is read but once."""
    state = file.stat()
    if state.st_size < LARGE:
        return sha256(file.read_bytes())
    return content_once(
        file, state.st_ino, state.st_size, state.st_mtime_ns,
        state.st_ctime_ns,
    )


@lru_cache(maxsize=4096)
def content_once(file: Path, *state: int) -> str:
    return sha256(file.read_bytes())


def contents(root: Path, pattern: str) -> str:
    """A digest of the files below `root` that a pattern finds."""
    return digest_of({
        file.relative_to(root).as_posix(): content(file)
        for file in root.glob(pattern) if file.is_file()
    })


def own_files(
    module: str, *suffixes: str, but: tuple[str, ...] = ()
) -> str:
    """A digest of a module of the press, of those that it imports, and of
    the files with these suffixes beside them; not of what is below `but`."""
    modules = reached(HOME, [module], but)
    beside = {
        file for folder in {m.parent for m in modules}
        for file in folder.iterdir() if file.suffix in suffixes
    }
    return digest_of({
        file.relative_to(HOME).as_posix(): content(file)
        for file in modules | beside
    })
