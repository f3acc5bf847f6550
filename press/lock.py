"""Make `requirements.lock` anew from `pyproject.toml`.

Every package that the project asks for, and all that these ask for in
turn, at one version for each platform, with its hashes and no address.
What is locked stays where it still serves, so that a second run changes
nothing.
"""

import subprocess
import sys
from pathlib import Path

from press import OLDEST
from press.errors import BookError
from press.files import write
from press.progress import Reporter

GROUPS = ("press", "test")


def lock(root: Path, report: Reporter, upgrade: bool = False) -> None:
    """Write both lock files, or neither."""
    made = {
        root / "requirements.lock": compiled(
            root, "requirements.lock", upgrade, "pyproject.toml",
            *(word for group in GROUPS for word in ("--group", group)),
        ),
        root / "press" / "check" / "audit.lock": compiled(
            root, "press/check/audit.lock", upgrade, "--no-annotate",
            "--group", "pyproject.toml:audit",
        ),
    }
    for file, text in made.items():
        name = file.relative_to(root).as_posix()
        if file.exists() and file.read_text(encoding="utf-8") == text:
            report.say(f"{name} was up to date")
            continue
        write(file, text.encode())
        report.say(f"{name} is made")


def compiled(root: Path, name: str, upgrade: bool, *asked: str) -> str:
    """What uv makes of what is asked for; the old lock says what to keep."""
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "lock"
        old = root / name
        if old.exists() and not upgrade:
            out.write_bytes(old.read_bytes())
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *asked,
             "--universal", "--generate-hashes", "--no-emit-index-url",
             "--no-header", "--quiet",
             "--python-version", ".".join(map(str, OLDEST)),
             "--output-file", str(out)],
            cwd=root, capture_output=True, encoding="utf-8",
        )
        if done.returncode:
            raise BookError(
                name, None, "cannot be made: what pyproject.toml asks for "
                "does not go together, or no Python package registry is in "
                f"reach\n{done.stderr.strip()}",
            )
        return out.read_text(encoding="utf-8")
