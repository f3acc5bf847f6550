"""The lock is what the project asks for, and made the same way each time."""

import shutil
import subprocess

import pytest

from press import lock
from press.errors import BookError
from press.progress import Reporter
from tiny import REPO

LOCKS = ("requirements.lock", "press/check/audit.lock")


@pytest.fixture
def project(tmp_path):
    """A copy of what the lock files are made of."""
    (tmp_path / "press" / "check").mkdir(parents=True)
    for name in ("pyproject.toml", *LOCKS):
        shutil.copy(REPO / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def uv(monkeypatch):
    """What stands in for uv: it writes what it was asked for and found."""
    calls = []

    def run(command, **_):
        out = lock.Path(command[command.index("--output-file") + 1])
        old = out.read_text(encoding="utf-8") if out.exists() else "nothing"
        calls.append((command, old))
        out.write_text(f"asked {len(calls)} times", encoding="utf-8")
        return subprocess.CompletedProcess(command, uv_ends.pop(0), "", "no")

    uv_ends = [0, 0]
    monkeypatch.setattr(lock.subprocess, "run", run)
    return calls, uv_ends


def test_what_is_locked_is_kept_unless_newer_is_wanted(project, uv):
    before = (project / "requirements.lock").read_text(encoding="utf-8")
    lock.lock(project, Reporter(quiet=True))
    command, old = uv[0][0]
    assert old == before and "--upgrade" not in command
    for option in ("--universal", "--generate-hashes",
                   "--no-emit-index-url", "pyproject.toml"):
        assert option in command
    uv[0].clear()
    uv[1].extend([0, 0])
    lock.lock(project, Reporter(quiet=True), upgrade=True)
    assert [old for _, old in uv[0]] == ["nothing"] * 2


def test_a_lock_that_cannot_be_made_leaves_both_as_they_were(project, uv):
    before = [(project / name).read_bytes() for name in LOCKS]
    uv[1][:] = [0, 1]
    with pytest.raises(BookError, match="audit.lock: cannot be made"):
        lock.lock(project, Reporter(quiet=True))
    assert [(project / name).read_bytes() for name in LOCKS] == before


@pytest.mark.slow
def test_the_locks_are_what_pyproject_asks_for(project):
    """Also after a second time: it needs a package registry."""
    lock.lock(project, Reporter(quiet=True))
    for name in LOCKS:
        made = (project / name).read_text(encoding="utf-8")
        assert made == (REPO / name).read_text(encoding="utf-8"), name
