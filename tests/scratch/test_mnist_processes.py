"""Fetching survives kills, others that fetch, and folders kept from it."""

import os
import signal
from pathlib import Path

import pytest

from four_files import HANGS, child, damage, fill, good, holds_all
from scratch import mnist

KILLED_AT_RENAME = """
import os, signal, sys
from four_files import good, mnist, use
use(good)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
mnist.fetch_mnist(sys.argv[1])
"""
KILLED_HALFWAY = """
import os, signal, sys
from four_files import SMALL, fill, mnist, use
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
from four_files import good, holds_all, mnist, use
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
from four_files import mnist, use
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
