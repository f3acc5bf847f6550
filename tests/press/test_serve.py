"""The book is shown in silence, and no edit of it is lost."""

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

from press import serve, verbs
from press.errors import BookError
from press.progress import Reporter
from tiny import PROGRAM, REPO, write_book

PLAIN = "# One\n\nWords.\n"


@pytest.fixture
def perform(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verbs, "ROOT", tmp_path)

    def action(verb, *arguments):
        code = verbs.perform(verb, list(arguments))
        return code, capsys.readouterr().err

    return action


@pytest.fixture
def site(tmp_path):
    (tmp_path / "_book").mkdir()
    (tmp_path / "_book" / "index.html").write_text("a page")
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
def test_a_port_that_cannot_be_is_one_sentence(perform, site, port):
    assert perform("serve", f"--port={port}") == (
        1, f"port {port}: ports end at 65535; choose another: --port 8001\n")


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
        env=dict(os.environ, PYTHONPATH=str(REPO)), text=True,
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
    assert (process.returncode, rest) == (0, "stopped\n")
