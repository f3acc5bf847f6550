"""Make the index of the whole book that the pages search in."""

import shutil
import subprocess
import sys
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


def set_index(site: Path) -> None:
    """Write the index below `site`, for the pages that are there."""
    made = site / f".{FOLDER}"
    exclude = [word for name in EXCLUDED
               for word in ("--exclude-selectors", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pagefind", "--site", str(site),
         "--output-path", str(made), "--root-selector", "main",
         "--keep-index-url", "--include-characters", "_.", "--silent",
         *exclude], capture_output=True, text=True,
    )
    if done.returncode:
        raise BookError(
            "the search index", None,
            f"pagefind cannot make it: {done.stderr.strip()}",
        )
    shutil.rmtree(site / FOLDER, ignore_errors=True)
    (site / FOLDER).mkdir()
    for pattern in NEEDED:
        for found in sorted(made.glob(pattern)):
            found.rename(site / FOLDER / found.name)
    shutil.rmtree(made)
