"""Make the index of the whole book that the pages search in."""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from press.errors import BookError

FOLDER = "pagefind"
NEEDED = (
    "pagefind.js", "pagefind-worker.js", "pagefind-entry.json", "*.pf_meta",
    "wasm.*.pagefind", "fragment", "index",
)
EXCLUDED = (
    ".mark", ".copy", ".takeaway", ".prevnext", "math", "svg", ".picture",
)


def set_index(site: Path, cache: Path) -> None:
    """Write the index below `site`, for the pages that are there; from the
    cache where they are the same."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(version("pagefind").encode())
    for page in sorted(site.rglob("*.html")):
        digest.update(page.relative_to(site).as_posix().encode() + b"\0")
        digest.update(page.read_bytes())
    entry = cache / digest.hexdigest()[:24]
    if not entry.exists():
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(parents=True)
        make_index(site, cache / f".{os.getpid()}")
        os.rename(cache / f".{os.getpid()}", entry)
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    shutil.copytree(entry, site / FOLDER)


def make_index(site: Path, folder: Path) -> None:
    """Write what the pages need of pagefind's index into a new folder."""
    made = site / f".{FOLDER}"
    exclude = [word for name in EXCLUDED
               for word in ("--exclude-selectors", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pagefind", "--site", str(site),
         "--output-path", str(made), "--root-selector", "main",
         "--keep-index-url", "--include-characters", "_.", "--silent",
         *exclude], capture_output=True, encoding="utf-8",
    )
    if done.returncode:
        raise BookError(
            "the search index", None,
            f"pagefind cannot make it: {done.stderr.strip()}",
        )
    folder.mkdir()
    for pattern in NEEDED:
        for found in sorted(made.glob(pattern)):
            found.rename(folder / found.name)
    shutil.rmtree(made)
