"""Files written at once, and folders that go again."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def write(file: Path, body: bytes) -> None:
    """Write a file at once: whoever reads it sees all of it or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_bytes(body)
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)  # where the disk was full


@contextmanager
def laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
    """A temporary folder that holds these files, by their paths in it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        for name, body in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        yield folder
