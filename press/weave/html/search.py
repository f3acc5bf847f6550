"""Make the index of the whole book that the pages search in."""

import io
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from press.cache import own_files, remembered
from press.errors import BookError
from press.weave.archive import zipped

INDEX_FOLDER = "pagefind"
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
    pages = {
        page.relative_to(site).as_posix(): page.read_bytes()
        for page in sorted(site.rglob("*.html"))
    }
    packed = remembered(cache, "index", {
        **pages, "press": own_files(__name__),
        "pagefind": version("pagefind"),
    }, lambda: make_index(site))
    shutil.rmtree(site / INDEX_FOLDER, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(site / INDEX_FOLDER)


def make_index(site: Path) -> bytes:
    """A zip file of what the pages need of pagefind's index."""
    made = site / f".{INDEX_FOLDER}"
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
    files = {
        file.relative_to(made).as_posix(): file.read_bytes()
        for pattern in NEEDED for found in made.glob(pattern)
        for file in (found.rglob("*") if found.is_dir() else [found])
        if file.is_file()
    }
    shutil.rmtree(made)
    return zipped(files)
