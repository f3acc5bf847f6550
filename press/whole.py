"""Is every file of every installed package there?

What an installer was stopped at looks installed: the folder that names a
package may be there, and half of its files. Each package lists its files in
its RECORD. To compare them all takes a third of a second; so the dates of the
folders that they stand in are kept, which change when a file goes, and only
where one differs are the files looked at again.
"""

import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from press.files import write


def records(site: Path) -> list[Path]:
    """The folders that name the packages in a folder of packages."""
    return sorted(site.glob("*.dist-info"))


def rows_of(info: Path) -> list[list[str]]:
    """Path, hash and size of each file of a package, as its RECORD has
    them; compiled files aside, which Python makes anew."""
    text = (info / "RECORD").read_text(encoding="utf-8")
    return [row for row in csv.reader(text.splitlines())
            if row and not row[0].endswith(".pyc")]


def is_whole(info: Path) -> bool:
    try:
        return all(is_there(info.parent, *row) for row in rows_of(info))
    except (OSError, ValueError, TypeError, csv.Error):
        return False


def is_there(site: Path, path: str, _: str, size: str) -> bool:
    """Whether a file is there and as large as its RECORD says; raises
    where there is none."""
    found = os.stat(os.path.join(site, path)).st_size
    return not size or int(size) == found


def broken_in(site: Path) -> list[Path]:
    return [info for info in records(site) if not is_whole(info)]


def take_out(info: Path) -> None:
    """Remove what is there of a package, so that it is installed anew."""
    try:
        listed = [info.parent / row[0] for row in rows_of(info)]
    except (OSError, csv.Error):
        listed = []
    inside = Path(os.path.abspath(info.parent))
    for file in listed:
        if Path(os.path.abspath(file)).is_relative_to(inside):
            file.unlink(missing_ok=True)
    shutil.rmtree(info)


# ------------------------------------------------------------------ dates


def folders_of(site: Path, *others: Path) -> Iterator[Path]:
    """The folders in which the files of the packages stand."""
    found = {
        site / os.path.dirname(row[0])
        for info in records(site) for row in rows_of(info)
    }
    yield from sorted({Path(os.path.normpath(f)) for f in found} | {
        site, *others})


def keep_dates(file: Path, site: Path, *others: Path) -> None:
    """Write down when each folder was changed last."""
    lines = [f"{os.stat(folder).st_mtime_ns} {folder.relative_to(file.parent)}"
             for folder in folders_of(site, *others)]
    write(file, "\n".join(lines).encode())


def dates_are_kept(file: Path) -> bool:
    """Whether no folder was changed since its date was written down."""
    place = str(file.parent)
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
        for line in lines:
            date, folder = line.split(" ", 1)
            if os.stat(os.path.join(place, folder)).st_mtime_ns != int(date):
                return False
    except (OSError, ValueError):
        return False
    return True


def is_all_there(file: Path, site: Path) -> bool:
    """Whether every package that was installed when the dates were written
    down is still there, and whole."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except OSError:
        lines = []
    named = [
        file.parent / line.split(" ", 1)[1] for line in lines
        if line.endswith(".dist-info")
    ]
    return all(info.is_dir() for info in named) and bool(
        records(site)) and not broken_in(site)
