"""The book is shown in silence, and no edit of it is lost."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from press import serve
from press.errors import BookError
from press.progress import Reporter
from tiny import PROGRAM, REPO, write_book

PLAIN = "# One\n\nWords.\n"


@pytest.fixture
def site(tmp_path):
    (tmp_path / "_book").mkdir()
    (tmp_path / "_book" / "index.html").write_text("a page", encoding="utf-8")
    return tmp_path / "_book"


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


# --------------------------------------------------------------- the port


@pytest.mark.parametrize("verb", ["serve", "preview"])
def test_a_taken_port_is_one_sentence_that_says_what_to_do(
    perform, site, taken, verb, monkeypatch
):
    monkeypatch.setattr(serve, "build", None)  # not even begun
    assert perform(verb, "--port", str(taken)) == (
        1, f"port {taken}: another program has it; choose another: "
        "--port 8001\n")


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_cannot_be_is_one_sentence(perform, site, port, capsys):
    with pytest.raises(SystemExit):   # before anything is set up
        perform("serve", f"--port={port}")
    assert capsys.readouterr().err.endswith(
        f"'{port}' is no port; write a number up to 65535\n")
    with pytest.raises(BookError) as refused:
        serve.open_server(site, int(port))
    assert str(refused.value) == (
        f"port {port}: ports end at 65535; choose another: --port 8001")


@pytest.mark.parametrize("error, why", [
    (PermissionError(13, "Permission denied"),
     "only an administrator may open it"),
    (OSError(99, "Cannot assign"), "cannot be opened (Cannot assign)"),
])
def test_a_port_that_may_not_be_opened_is_one_sentence(
    perform, site, monkeypatch, error, why
):
    def refuse(*_):
        raise error

    monkeypatch.setattr(serve.Server, "server_bind", refuse)
    assert perform("serve", "--port=8001") == (
        1, f"port 8001: {why}; choose another: --port 8002\n")


def test_two_servers_never_share_a_port(site):
    with serve.open_server(site, 0) as first:
        with pytest.raises(BookError, match="another program has it"):
            serve.open_server(site, first.server_port)


# ------------------------------------------------------------- the silence


def test_what_a_browser_asks_for_is_not_told(site, capfd):
    with serve.open_server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        try:
            with urllib.request.urlopen(f"{address}/index.html") as page:
                assert page.read() == b"a page"
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}/missing.html")
        finally:
            server.shutdown()
            thread.join()
    assert capfd.readouterr() == ("", "")


def test_a_browser_that_turns_away_is_not_told_and_a_fault_is(site, capfd):
    with serve.open_server(site, 0) as server:
        for error in (BrokenPipeError(), ConnectionResetError()):
            try:
                raise error
            except ConnectionError:
                server.handle_error(None, ("127.0.0.1", 1))
        assert capfd.readouterr().err == ""
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            server.handle_error(None, ("127.0.0.1", 1))
        assert "ZeroDivisionError" in capfd.readouterr().err


def heed_interrupts():
    """Also where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
@pytest.mark.parametrize("verb", ["serve", "preview"])
def test_ctrl_c_ends_with_one_line(tmp_path, site, verb):
    write_book(tmp_path, {"01-one": PLAIN})
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, verb, "--port", "0"], cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(REPO)), encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )
    try:
        told = [process.stderr.readline()]
        while verb == "preview" and told[-1] not in ("built\n", ""):
            told.append(process.stderr.readline())
        address = told[0].split()[0].replace("localhost", "127.0.0.1")
        with urllib.request.urlopen(f"{address}/index.html") as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate()
    finally:
        process.kill()
    assert told[0] == f"{told[0].split()[0]} (Ctrl-C ends it)\n"
    assert (process.returncode, rest) == (130, "stopped\n")


def test_a_line_that_ctrl_c_ends_is_not_said_again():
    class Interrupted(io.StringIO):
        def flush(self):
            if self.getvalue() == "built\n":
                raise KeyboardInterrupt

    report = Reporter()
    report.console.file = said = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        report.say("built")
    report.say("stopped")
    assert said.getvalue() == "built\nstopped\n"


# ------------------------------------------------------------- the preview


class Enough(Exception):
    """Ends a watch after so many looks."""


def watched(looks, build, look):
    """Watch for that many looks; how often it built at each."""
    counts, built = [], []

    def counting():
        built.append(len(counts))
        build()

    def wait():
        counts.append(len(built))
        if len(counts) == looks:
            raise Enough

    with pytest.raises(Enough):
        serve.watch(counting, look, wait)
    return counts


def test_an_edit_saved_during_a_build_is_built():
    sources = {"chapter": 1}
    shown = []

    def build():
        shown.append(sources["chapter"])
        if len(shown) == 1:
            sources["chapter"] = 2  # saved when it was read already

    counts = watched(4, build, lambda: tuple(sources.items()))
    assert (counts, shown) == ([1, 2, 2, 2], [1, 2])


def test_nothing_is_built_twice_without_an_edit():
    looks = iter("aabbba")
    assert watched(6, lambda: None, lambda: next(looks)) == [1, 1, 2, 2, 2, 3]


BROKEN = {
    "not YAML": "book: [\n",
    "no chapters": "book:\n  title: T\n",
    "a list": "- a\n",
    "a missing chapter": "book:\n  chapters: [index.qmd, book/no.qmd]\n",
    "a name": "book: x\n",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_preview_outlives_a_broken_configuration(
    tmp_path, capsys, fault
):
    """Whatever the press makes of it, it goes on and builds what is mended."""
    write_book(tmp_path, {"01-one": PLAIN})
    config = tmp_path / "_quarto.yml"
    whole = config.read_text(encoding="utf-8")
    config.write_text(BROKEN[fault], encoding="utf-8")
    looks = []

    def look():
        looks.append(None)
        if len(looks) == 2:
            config.write_text(whole, encoding="utf-8")
        return serve.snapshot(tmp_path)

    report = Reporter()
    assert watched(3, lambda: serve.attempt(tmp_path, report), look) == [
        1, 2, 2]
    told = capsys.readouterr().err
    assert not told.startswith("built") and told.endswith("\nbuilt\n")
    assert (tmp_path / "_book" / "book" / "01-one.html").exists()


@pytest.mark.parametrize("error, told", [
    (BookError("book/x.qmd", 3, "bad"), "book/x.qmd:3: bad\n"),
    (FileNotFoundError(2, "No such file", "book/x.qmd"),
     "book/x.qmd: No such file\n"),
    (OSError(28, "No space left"), "the disk: No space left\n"),
    (KeyError("title"), "Traceback"),
])
def test_a_preview_tells_what_went_wrong_and_goes_on(
    tmp_path, capsys, monkeypatch, error, told
):
    def build(*_, **__):
        raise error

    monkeypatch.setattr(serve, "build", build)
    write_book(tmp_path, {"01-one": PLAIN})
    serve.attempt(tmp_path, Reporter())
    assert capsys.readouterr().err.startswith(told)


def test_a_snapshot_is_of_what_the_sources_say(tmp_path):
    write_book(tmp_path, {"01-one": PLAIN})
    file = tmp_path / "book" / "01-one.qmd"
    (tmp_path / "figures" / "sims").mkdir(parents=True)
    first = serve.snapshot(tmp_path)
    assert serve.snapshot(tmp_path) == first
    state = file.stat()
    file.write_text(PLAIN, encoding="utf-8")  # a build writes what was there
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert serve.snapshot(tmp_path) == first
    (tmp_path / "figures" / "__pycache__").mkdir()
    (tmp_path / "figures" / "__pycache__" / "a.pyc").touch()
    assert serve.snapshot(tmp_path) == first
    for name in ("book/01-one.qmd", "figures/sims/a.js", "_quarto.yml",
                 "index.qmd", "book/new.bib", "press/html.lua"):
        before = serve.snapshot(tmp_path)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("other", encoding="utf-8")
        assert serve.snapshot(tmp_path) != before, name


@pytest.mark.parametrize("method", ["stat", "read_bytes"])
def test_a_file_that_goes_while_it_is_looked_at_ends_nothing(
    tmp_path, monkeypatch, method
):
    """Editors save into another file and rename it."""
    write_book(tmp_path, {"01-one": PLAIN, "02-two": PLAIN})
    serve.content_once.cache_clear()
    real = getattr(Path, method)

    def gone(path, *arguments, **options):
        if path.name == "01-one.qmd":
            raise FileNotFoundError(2, "No such file", str(path))
        return real(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, gone)
        found = {file.name for file, digest in serve.snapshot(tmp_path)
                 if digest}
    assert {"02-two.qmd", "index.qmd", "_quarto.yml"} <= found
    assert "01-one.qmd" not in found
    assert {f.name for f, digest in serve.snapshot(tmp_path) if digest} == (
        found | {"01-one.qmd"})


def test_a_folder_that_goes_while_it_is_read_ends_nothing(
    tmp_path, monkeypatch
):
    write_book(tmp_path, {"01-one": PLAIN})
    glob = Path.glob

    def gone(path, pattern):
        yield from glob(path, pattern)
        if pattern.startswith("book"):
            raise FileNotFoundError(2, "No such folder", pattern)

    monkeypatch.setattr(Path, "glob", gone)
    assert "_quarto.yml" in {f.name for f, _ in serve.snapshot(tmp_path)}
