"""Show the book on this machine, and build it again as it is edited."""

import errno
import functools
import http.server
import sys
import threading
import time
import traceback
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from press.build import build
from press.cache import content_once
from press.errors import BookError, BookErrors
from press.progress import Reporter
from press.read.book import read_book

HOST = "127.0.0.1"
PATTERNS = (
    "*.qmd", "book/**/*", "figures/**/*", "press/**/*", "_quarto.yml",
    "_environment",
)
PAUSE = 0.5  # seconds between two looks at the sources


class Handler(http.server.SimpleHTTPRequestHandler):
    """Hands out files, and says nothing of it."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = False    # two servers of one port would take turns

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that turns away before a page is sent is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(root: Path, port: int, report: Reporter) -> None:
    """Show `_book/` until Ctrl-C."""
    site = root / "_book"
    if not (site / "index.html").exists():
        raise BookError("_book", None, "not there yet; run 'make book'")
    with open_server(site, port) as server:
        say_address(server, report)
        server.serve_forever()


def preview(root: Path, port: int, report: Reporter) -> None:
    """Show `_book/`, built again whenever a source changes, until Ctrl-C."""
    with open_server(root / "_book", port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say_address(server, report)
        try:
            watch(
                lambda: attempt(root, report), lambda: snapshot(root),
                lambda: time.sleep(PAUSE),
            )
        finally:
            server.shutdown()


def open_server(site: Path, port: int) -> Server:
    """A server that listens; a port that cannot be had is an error."""
    advice = f"choose another: --port {8001 if port != 8001 else 8002}"
    if not 0 <= port <= 65535:
        raise BookError(
            f"port {port}", None, f"ports end at 65535; {advice}"
        )
    try:
        return Server((HOST, port), functools.partial(
            Handler, directory=str(site)
        ))
    except OSError as error:
        why = f"cannot be opened ({error.strerror})"
        if error.errno == errno.EADDRINUSE:
            why = "another program has it"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = "only an administrator may open it"
        raise BookError(f"port {port}", None, f"{why}; {advice}")


def say_address(server: Server, report: Reporter) -> None:
    report.say(f"http://localhost:{server.server_port} (Ctrl-C ends it)")


def watch(
    build: Callable[[], None], look: Callable[[], Hashable],
    wait: Callable[[], None],
) -> None:
    """Build now, and again whenever a look shows something else.

    The look comes before its build: an edit that is saved while a build is
    under way is seen by the next.
    """
    seen = None
    while True:
        if (now := look()) != seen:
            seen = now
            build()
        wait()


def attempt(root: Path, report: Reporter) -> None:
    """Build the pages; a fault is shown and the old pages stay."""
    try:
        build(read_book(root), report, formats=("html",))
        report.say("built")
    except (BookError, BookErrors) as error:
        report.say(str(error))
    except OSError as error:
        # Editors put a file aside for a moment when they save it.
        report.say(f"{error.filename or 'the disk'}: {error.strerror}")
    except Exception:
        report.say(traceback.format_exc().rstrip())


def snapshot(root: Path) -> frozenset[tuple[Path, str]]:
    """The sources and a digest of each, as far as they are there."""
    found = set()
    for pattern in PATTERNS:
        try:
            for file in root.glob(pattern):
                if "__pycache__" not in file.parts and file.is_file():
                    found.add((file, digest_now(file)))
        except OSError:
            continue  # a folder went while it was read; the next look tells
    return frozenset(found)


def digest_now(file: Path) -> str:
    """A digest of a file, read once; none where it is just being saved."""
    try:
        state = file.stat()
        return content_once(file, state.st_mtime_ns, state.st_size)
    except OSError:
        return ""
