"""The set-up runs once, and again when the lock says otherwise."""

import subprocess
import sys
from pathlib import Path

import pytest

from press import venv

REPO = Path(__file__).parents[2]
LOCK = """\
# made by uv
torch==2.15.0 ; sys_platform != 'win32' \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via -r pyproject.toml
uvloop==1.0 \\
    --hash=sha256:dddd
uv==0.9.1 \\
    --hash=sha256:cccc
    # via pyproject.toml
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty root with a lock, and the commands that a set-up calls."""
    monkeypatch.setattr(venv, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(venv, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(venv, "STAMP", tmp_path / ".venv" / "set-up")
    venv.LOCK.write_text(LOCK)
    return tmp_path


@pytest.fixture
def calls(place, monkeypatch):
    """The commands of a set-up, which make a python and nothing else."""
    made = []

    def call(command, advice):
        made.append(command)
        venv.python().parent.mkdir(parents=True, exist_ok=True)
        venv.python().write_text("")

    monkeypatch.setattr(venv, "call", call)
    return made


# --------------------------------------------------------------- the lock


def test_a_block_is_one_package_with_its_hashes(place):
    assert venv.block_of("uv") == (
        "uv==0.9.1 \\\n    --hash=sha256:cccc\n    # via pyproject.toml\n"
    )
    assert venv.block_of("torch").count("--hash") == 2
    assert venv.block_of("uvloop").endswith("sha256:dddd\n")


def test_a_package_the_lock_does_not_pin_ends_the_set_up(place):
    with pytest.raises(SystemExit, match="does not pin uvx"):
        venv.block_of("uvx")


def test_the_repositorys_lock_pins_uv_with_hashes():
    block = venv.block_of("uv")
    assert block.startswith("uv==") and "--hash=sha256:" in block


def test_the_lock_pins_what_the_project_asks_for_and_no_address():
    lock = (REPO / "requirements.lock").read_text()
    assert "://" not in "".join(
        line for line in lock.split("\n") if not line.lstrip().startswith("#")
    )
    import tomllib
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    for wanted in project["dependencies"]:
        name = wanted.split("==")[0].lower().replace("_", "-")
        assert f"\n{name}==" in f"\n{lock}", name


# -------------------------------------------------------------- the stamp


def stamped(text):
    venv.python().parent.mkdir(parents=True, exist_ok=True)
    venv.python().write_text("")
    venv.STAMP.write_text(text)


def test_ready_means_stamped_with_this_lock(place):
    assert not venv.ready()
    stamped(venv.wanted())
    assert venv.ready()
    venv.LOCK.write_text(LOCK.replace("aaaa", "eeee"))
    assert not venv.ready()


def test_the_python_that_calls_may_be_another(place):
    stamped("3.99 " + venv.wanted().split()[1] + "\n")
    assert venv.ready()


@pytest.mark.parametrize("stamp", ["", "\n", "3.11\n", "3.11 0123\n"])
def test_a_damaged_stamp_is_not_ready(place, stamp):
    stamped(stamp)
    assert not venv.ready()


def test_a_stamp_without_python_is_not_ready(place):
    stamped(venv.wanted())
    venv.python().unlink()
    assert not venv.ready()


# -------------------------------------------------------------- the set-up


def test_a_set_up_installs_uv_and_then_the_lock_by_hash(place, calls):
    venv.set_up()
    make, fetch, install = calls
    assert make[1:3] == ["-m", "venv"] and make[-1] == str(venv.VENV)
    assert "--require-hashes" in fetch and "--require-hashes" in install
    assert Path(fetch[-1]).read_text() == venv.block_of("uv")
    assert install[-1] == str(venv.LOCK) and "uv" in install
    assert venv.ready()


def test_an_environment_of_another_place_is_left_alone(place, calls):
    shared = place / "shared"
    shared.mkdir()
    (shared / "set-up").write_text("3.11 of-another-lock\n")
    venv.VENV.symlink_to(shared)
    with pytest.raises(SystemExit, match="a link to .*shared"):
        venv.set_up()
    assert calls == []
    assert (shared / "set-up").read_text() == "3.11 of-another-lock\n"


def test_a_second_set_up_does_nothing(place, calls):
    venv.set_up()
    calls.clear()
    venv.set_up()
    assert calls == []


def test_a_set_up_that_fails_is_not_ready(place, calls, monkeypatch):
    venv.set_up()
    venv.LOCK.write_text(LOCK + "\n")

    def fails(command, advice):
        assert not venv.STAMP.exists()
        sys.exit(f"set-up failed: {advice}")

    monkeypatch.setattr(venv, "call", fails)
    with pytest.raises(SystemExit, match="set-up failed: cannot"):
        venv.set_up()
    assert not venv.ready()
    venv.LOCK.write_text(LOCK)
    assert not venv.ready()


def test_a_failed_command_ends_with_its_advice(place):
    with pytest.raises(SystemExit, match="set-up failed: try this"):
        venv.call([sys.executable, "-c", "raise SystemExit(3)"], "try this")
    venv.call([sys.executable, "-c", ""], "no need")


def test_an_old_python_is_told_which_is_needed(place, monkeypatch):
    monkeypatch.setattr(venv, "OLDEST", (99, 0))
    with pytest.raises(SystemExit, match=r"Python 99\.0 or newer"):
        venv.set_up()
    assert not venv.VENV.exists()


@pytest.mark.parametrize("version, arguments", [
    (".".join(map(str, sys.version_info[:3])), []), ("3.1.4", ["--clear"]),
])
def test_an_environment_of_another_python_is_cleared(
    place, version, arguments
):
    venv.VENV.mkdir()
    (venv.VENV / "pyvenv.cfg").write_text(f"version = {version}\n")
    assert venv.stale() == arguments


# -------------------------------------------------------------- the entry


def test_enter_goes_on_in_the_environment_or_passes_over(place, monkeypatch):
    went = []
    monkeypatch.setattr(venv.os, "execve", lambda *a: went.append(a))
    monkeypatch.setattr(venv.os, "name", "posix")
    monkeypatch.setattr(venv, "set_up", lambda: stamped(venv.wanted()))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.chdir(place)
    venv.enter(["html"])
    ((program, command, environment),) = went
    assert program == str(venv.python())
    assert command[1:] == ["-m", "press", "html"]
    assert "PYTHONHOME" not in environment
    monkeypatch.setattr(venv.sys, "prefix", str(venv.VENV))
    venv.enter(["html"])
    assert len(went) == 1


def test_the_press_starts_with_nothing_installed():
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         "import sys; sys.path.insert(0, sys.argv[1])\n"
         "from press.__main__ import main; sys.exit(main(['help']))",
         str(REPO)],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "make VERB" in done.stdout
