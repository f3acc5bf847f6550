"""Set up what the press needs, with Python alone.

A virtual environment in `.venv`, filled by uv from `requirements.lock`,
which pins every package and its hashes. Run under that environment, or
make it and run there.
"""

import contextlib
import hashlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import IO

from press import check_python, whole
from press.files import write
from press.interrupt import run_child

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "set-up"              # of a set-up that was finished
UNFINISHED = VENV / "set-up.begun"   # of one that was not
DATES = VENV / "set-up.folders"
LARGE, SMALL = 6 * 10 ** 9, 10 ** 8  # bytes, with torch and without
# What makes another Python of the one that is called.
MISLEADING = {
    "PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONOPTIMIZE",
    "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONWARNINGS",
    "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__",
}
# Of all that pip and uv take from the environment: where packages are
# fetched from, and how. The lock says, by hash, which these are.
WHERE_FROM = {
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY",
    "PIP_CONFIG_FILE", "PIP_CACHE_DIR", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
    "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
    "UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_CONFIG_FILE",
    "UV_LINK_MODE", "UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_INSTALLS",
}


def python() -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    name = "python.exe" if os.name == "nt" else "python"
    return VENV / folder / name


def packages() -> Path:
    """The folder in which the packages are installed."""
    if os.name == "nt":
        return VENV / "Lib" / "site-packages"
    found = sorted((VENV / "lib").glob("python3*/site-packages"))
    return found[0] if found else VENV / "lib" / "site-packages"


def wanted() -> str:
    """What the stamp holds when `.venv` is what the lock says."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{sys.version_info[0]}.{sys.version_info[1]} {digest}\n"


def stamped() -> list[str]:
    """The Python and the lock that `.venv` was set up with."""
    try:
        return STAMP.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return []


def ready() -> bool:
    """Whether `.venv` is what the lock says, and nothing of it has gone."""
    if stamped()[1:] != wanted().split()[1:] or not os.access(
        python(), os.X_OK
    ):
        return False
    if whole.dates_are_kept(DATES):
        return True
    if VENV.is_symlink() and not DATES.exists():
        return True   # set up elsewhere, by an older press
    if not whole.is_all_there(DATES, packages()):
        return False
    note_dates()
    return True


def note_dates() -> None:
    if not VENV.is_symlink():
        with contextlib.suppress(OSError):   # where it may only be read
            whole.keep_dates(DATES, packages(), python().parent)


def enter(arguments: list[str]) -> None:
    """Go on under `.venv`, making it first where it is not ready."""
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    is_ready = ready()
    if inside and is_ready and not MISLEADING & os.environ.keys():
        return
    if is_ready:
        check_same_python(inside)
    else:
        set_up()
    environment = {
        name: value for name, value in os.environ.items()
        if name not in MISLEADING
    }
    command = [str(python()), "-m", "press", *arguments]
    if os.name == "nt":
        sys.exit(run_child(command, cwd=ROOT, env=environment))
    os.chdir(ROOT)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment)


def check_same_python(inside: bool) -> None:
    """End where `.venv` is of another Python than the one that was asked
    for; to make it anew takes long, and nobody may have meant that."""
    has, asked = stamped()[0], wanted().split()[0]
    if not inside and has != asked:
        sys.exit(
            f".venv is of Python {has}, and Python {asked} was asked for. "
            f"Write 'make PYTHON=python{has}', or remove .venv and run this "
            f"again to have it made of Python {asked}."
        )


def set_up() -> None:
    check_python(sys.version_info)
    if VENV.is_symlink():
        sys.exit(
            f".venv is a link to {VENV.resolve()}, which is not what this "
            "requirements.lock asks for. Set it up where it belongs, or "
            "remove the link; nothing was changed there."
        )
    try:
        check_place()
        with locked():
            if not ready():
                print("setting up .venv (once; about 5 GB with torch)",
                      file=sys.stderr)
                make_whole()
    except OSError as error:
        sys.exit(
            f"set-up failed: {error.filename or '.venv'}: {error.strerror}; "
            "make room, or the folder yours to write, and run this again"
        )


def check_place() -> None:
    """End where the disk is full, or may not be written, before anything
    is fetched."""
    if VENV.exists() and not VENV.is_dir():
        sys.exit(".venv is a file; move it away, and run this again.")
    inside = [VENV, *(
        Path(folder, name) for folder, names, _ in os.walk(VENV)
        for name in names
    )] if VENV.exists() else []
    for folder in (ROOT, *inside):
        if not os.access(folder, os.W_OK | os.X_OK):
            name = folder.relative_to(ROOT).as_posix()
            sys.exit(
                f"{name if name != '.' else ROOT} may not be written by you; "
                "it may belong to root. Remove .venv as whoever made it, or "
                "make the folder yours, and run this again."
            )
    needed = LARGE if re.search("^torch==", lock_text(), re.M) else SMALL
    free = shutil.disk_usage(ROOT).free + sum(
        file.lstat().st_size for file in VENV.rglob("*"))
    if free < needed:
        sys.exit(
            f"set-up needs {needed / 1e9:.1f} GB of disk, and here are "
            f"{free / 1e9:.1f} GB; make room, and run this again."
        )


def make_whole() -> None:
    """Make or mend `.venv`; the stamp comes last."""
    begun = UNFINISHED.read_text(encoding="utf-8") \
        if UNFINISHED.exists() else ""
    known = STAMP.exists() or begun == wanted()
    if STAMP.exists():
        UNFINISHED.write_text(wanted(), encoding="utf-8")
        STAMP.unlink()
    install([] if known and can_be_mended() else ["--clear"])
    if whole.broken_in(packages()):
        install(["--clear"])
    if broken := whole.broken_in(packages()):
        sys.exit(
            f"set-up failed: {broken[0].name} lacks files though it was just "
            "installed; is the disk full?"
        )
    note_dates()
    write(STAMP, wanted().encode())
    UNFINISHED.unlink()


def can_be_mended() -> bool:
    """Whether pip is whole in `.venv`, which is of this Python: the rest
    can be installed with it."""
    for file in python().parent.glob("python*"):
        if file.is_symlink() and not file.exists():
            file.unlink()   # its Python has gone; another takes its place
    pips = list(packages().glob("pip-*.dist-info"))
    return not stale() and len(pips) == 1 and whole.is_whole(pips[0])


def install(options: list[str]) -> None:
    """Install what the lock pins, over what is whole already."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    call([base, "-m", "venv", *options, str(VENV)],
         "cannot make a virtual environment; on Debian and Ubuntu "
         "install python3-venv")
    UNFINISHED.write_text(wanted(), encoding="utf-8")
    for info in whole.broken_in(packages()):
        whole.take_out(info)
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


def stale() -> list[str]:
    """`--clear` where `.venv` is of another Python."""
    config = VENV / "pyvenv.cfg"
    found = config.read_text(encoding="utf-8") if config.exists() else ""
    version = ".".join(map(str, sys.version_info[:3]))
    return [] if f"version = {version}" in found else ["--clear"]


def lock_text() -> str:
    return LOCK.read_text(encoding="utf-8")


def block_of(package: str) -> str:
    """One package's lines of the lock, hashes included."""
    lines = lock_text().splitlines()
    for start, line in enumerate(lines):
        if re.match(rf"{package}==", line):
            end = start + 1
            while end < len(lines) and lines[end].startswith((" ", "#")):
                end += 1
            return "\n".join(lines[start:end]) + "\n"
    sys.exit(f"requirements.lock does not pin {package}")


def undisturbed() -> dict[str, str]:
    """The environment without what would have pip and uv install something
    else, or elsewhere."""
    return {
        name: value for name, value in os.environ.items()
        if name not in MISLEADING and (
            name in WHERE_FROM or not name.startswith(
                ("PIP_", "UV_", "CONDA_", "_CONDA", "VIRTUAL_ENV")))
    }


def call(command: list[str], advice: str) -> None:
    """Run a step of the set-up, which holds the lock as well: were this
    process killed, it would go on."""
    held = [locked.file.fileno()] if locked.file and os.name != "nt" else []
    if run_child(command, cwd=ROOT, env=undisturbed(), pass_fds=held):
        sys.exit(f"set-up failed: {advice}")


class locked:
    """One set-up at a time: the second waits for the first, and for what
    a first that was killed had started."""

    file: IO[bytes] | None = None

    def __enter__(self) -> None:
        locked.file = open(ROOT / ".venv.lock", "wb")
        if sys.platform != "win32":
            import fcntl
            fcntl.flock(locked.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if locked.file:
            locked.file.close()
        locked.file = None
