"""Set up what the press needs, with Python alone.

A virtual environment in `.venv`, filled by uv from `requirements.lock`,
which pins every package and its hashes. Run under that environment, or
make it and run there.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from press import check_python

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "set-up"


def python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    name = "python.exe" if os.name == "nt" else "python"
    return VENV / folder / name


def wanted() -> str:
    """What the stamp holds when `.venv` is what the lock says."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{sys.version_info[0]}.{sys.version_info[1]} {digest}\n"


def ready() -> bool:
    try:
        stamp = STAMP.read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp.split()[1:] == wanted().split()[1:] and python().exists()


def enter(arguments: list[str]) -> None:
    """Go on under `.venv`, making it first where it is not ready."""
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if inside and ready():
        return
    if not ready():
        set_up()
    environment = dict(os.environ)
    environment.pop("PYTHONHOME", None)
    command = [str(python()), "-m", "press", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.run(command, cwd=ROOT).returncode)
    os.chdir(ROOT)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment)


def set_up() -> None:
    check_python(sys.version_info)
    if VENV.is_symlink():
        sys.exit(
            f".venv is a link to {VENV.resolve()}, which is not what this "
            "requirements.lock asks for. Set it up where it belongs, or "
            "remove the link; nothing was changed there."
        )
    print("setting up .venv (once; about 5 GB with torch)", file=sys.stderr)
    with locked():
        if ready():
            return
        STAMP.unlink(missing_ok=True)
        base = getattr(sys, "_base_executable", None) or sys.executable
        call([base, "-m", "venv", *stale(), str(VENV)],
             "cannot make a virtual environment; on Debian and Ubuntu "
             "install python3-venv")
        uv_lock = VENV / "uv.lock.txt"
        uv_lock.write_text(block_of("uv"), encoding="utf-8")
        call([str(python()), "-m", "pip", "install", "--quiet",
              "--disable-pip-version-check", "--require-hashes",
              "-r", str(uv_lock)],
             "cannot fetch uv; is a Python package registry in reach?")
        call([str(python()), "-m", "uv", "pip", "install",
              "--python", str(python()), "--require-hashes",
              "--compile-bytecode", "-r", str(LOCK)],
             "cannot install requirements.lock; is a Python package "
             "registry in reach, and 8 GB of disk free?")
        STAMP.write_text(wanted(), encoding="utf-8")


def stale() -> list[str]:
    """`--clear` where `.venv` is of another Python."""
    config = VENV / "pyvenv.cfg"
    found = config.read_text(encoding="utf-8") if config.exists() else ""
    version = ".".join(map(str, sys.version_info[:3]))
    return [] if f"version = {version}" in found else ["--clear"]


def block_of(package: str) -> str:
    """One package's lines of the lock, hashes included."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    for start, line in enumerate(lines):
        if re.match(rf"{package}==", line):
            end = start + 1
            while end < len(lines) and lines[end].startswith((" ", "#")):
                end += 1
            return "\n".join(lines[start:end]) + "\n"
    sys.exit(f"requirements.lock does not pin {package}")


def call(command: list[str], advice: str) -> None:
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit(f"set-up failed: {advice}")


class locked:
    """One set-up at a time: the second waits for the first."""

    def __enter__(self) -> None:
        self.file = open(ROOT / ".venv.lock", "wb")
        if sys.platform != "win32":
            import fcntl
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()
