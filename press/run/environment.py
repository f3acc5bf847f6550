"""The environment in which cells run: the same whoever calls the press."""

import os
from pathlib import Path

from press.read.book import Book

HOOK = Path(__file__).parent / "hook"
HOOK_NAME = "sitecustomize.py"
# Who and where we are, and the way to other machines. No output shows it.
PASSED = (
    "HOME", "USER", "LOGNAME", "SHELL", "PATH", "TMPDIR", "TMP", "TEMP",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
    "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "UV_DEFAULT_INDEX",
    "UV_INDEX_URL", "CI", "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES", "CUDA_HOME",
    # what Windows cannot do without
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS",
    "USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH", "APPDATA",
    "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)",
    "COMMONPROGRAMFILES", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
    "PROCESSOR_IDENTIFIER",
)
# What an output may show: these are part of what it depends on.
TELLING = (
    "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "TZ",
    "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER",
)


def environment(book: Book) -> dict[str, str]:
    """What `_environment` sets, over the few variables that pass, and over
    both the book's own settings."""
    known = {*PASSED, *TELLING}
    result = {n: v for n, v in os.environ.items() if n.upper() in known}
    file = book.root / "_environment"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            result[name.strip()] = value.strip()
    result.update(book.settings)
    state = book.root / ".cache" / "home"
    state.mkdir(parents=True, exist_ok=True)
    result.update(
        IPYTHONDIR=str(state / "ipython"),
        JUPYTER_CONFIG_DIR=str(state / "jupyter"),
        JUPYTER_PREFER_ENV_PATH="1",
        MPLCONFIGDIR=str(state / "matplotlib"),
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )
    return result


def telling(book: Book) -> dict[str, str]:
    given = environment(book)
    return {name: given[name] for name in TELLING if name in given}


def watched(book: Book, told: Path) -> dict[str, str]:
    """The environment of a kernel whose Python tells, in the file `told`,
    what it reads of the book's folder."""
    result = environment(book)
    path = result.get("PYTHONPATH")
    result.update(
        PRESS_PROJECT=str(book.root.absolute()), PRESS_SEEN=str(told),
        PYTHONPATH=os.pathsep.join([str(HOOK), *([path] if path else [])]),
    )
    return result
