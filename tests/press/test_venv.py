"""The set-up runs once, and again when the lock says otherwise."""

import ast
import errno
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from press import NEWEST, OLDEST, venv
from press.read.book import read_book
from wheels import put_package

REPO = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
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
    for name in ("STAMP", "UNFINISHED", "DATES"):
        file = getattr(venv, name).name
        monkeypatch.setattr(venv, name, tmp_path / ".venv" / file)
    venv.LOCK.write_text(LOCK, encoding="utf-8")
    return tmp_path


def make_python():
    """A python that may be called, and a package."""
    venv.python().parent.mkdir(parents=True, exist_ok=True)
    venv.python().write_text("", encoding="utf-8")
    venv.python().chmod(0o755)
    put_package(venv.VENV / (
        "Lib/site-packages" if os.name == "nt" else
        "lib/python3.11/site-packages"), "one")


@pytest.fixture
def calls(place, monkeypatch):
    """The commands of a set-up, which make a python and nothing else."""
    made = []

    def call(command, advice):
        made.append(command)
        make_python()

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
    lock = (REPO / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in "".join(
        line for line in lock.split("\n") if not line.lstrip().startswith("#")
    )
    asked = [*PROJECT["project"]["dependencies"], *(
        name for group in ("press", "test")
        for name in PROJECT["dependency-groups"][group]
    )]
    for wanted in asked:
        name = wanted.split("==")[0].lower().replace("_", "-")
        assert f"\n{name}==" in f"\n{lock}", name


def test_the_pythons_served_are_those_that_the_project_names():
    (a, b), (c, d) = OLDEST, NEWEST
    assert PROJECT["project"]["requires-python"] == (
        f">={a}.{b},<{c}.{d + 1}")


# ------------------------------------------------------- what is imported

# The module that a package brings, where it bears another name.
BRINGS = {"pyyaml": "yaml", "pypandoc-binary": "pypandoc",
          "axe-playwright-python": "axe_playwright_python",
          "types-pyyaml": None, "types-lxml": None,
          "pagefind-bin": None, "pytest-cov": None,
          "pytest-xdist": None, "hatchling": None, "mypy": None,
          "oxlint": None, "ruff": None, "uv": None,
          "ipython": "IPython"}
OURS = {"scratch", "figures", "press"} | {
    file.stem for file in (REPO / "tests").rglob("*.py")}


def imported(*sources):
    """The modules from elsewhere that pieces of Python import."""
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


def brought(*groups):
    names = {
        re.split("[=<>]", wanted)[0].lower().replace("_", "-")
        for group in groups for wanted in group
    }
    return {BRINGS.get(n, n.replace("-", "_")) for n in names} - {None}


def sources(*patterns):
    return [file.read_text(encoding="utf-8") for pattern in patterns
            for file in REPO.glob(pattern)]


def test_every_import_is_declared_by_those_who_make_it():
    groups = PROJECT["dependency-groups"]
    reader = PROJECT["project"]["dependencies"]
    cells = ["\n".join(
        line for line in cell.source.split("\n")
        if not line.lstrip().startswith(("%", "!"))
    ) for chapter in read_book(REPO).chapters for cell in chapter.cells
        if cell.options.get("eval", True)]
    program = imported(*sources("code/scratch/**/*.py"))
    assert program <= brought(reader)
    everything = brought(reader, groups["press"])
    assert imported(*sources("press/**/*.py", "figures/*.py"), *cells) <= (
        everything | {"coverage", "pytest"})  # of mutate, which tests
    assert imported(*sources("tests/**/*.py")) <= (
        everything | brought(groups["test"]))


def test_every_package_asked_for_is_imported_or_called():
    wanted = brought(PROJECT["project"]["dependencies"],
                     *(PROJECT["dependency-groups"][group]
                       for group in ("press", "test")))
    used = imported(*sources(
        "code/scratch/**/*.py", "press/**/*.py", "figures/*.py",
        "tests/**/*.py"))
    called = "\n".join(sources("press/**/*.py", "tests/**/*.py"))
    assert [n for n in wanted - used
            if not re.search(rf"\b{n}\b", called)] == []


# -------------------------------------------------------------- the stamp


def stamped(text):
    make_python()
    venv.STAMP.write_text(text, encoding="utf-8")


def test_ready_means_stamped_with_this_lock(place):
    assert not venv.ready()
    stamped(venv.wanted())
    assert venv.ready()
    venv.LOCK.write_text(LOCK.replace("aaaa", "eeee"), encoding="utf-8")
    assert not venv.ready()


def test_another_python_than_the_one_asked_for_is_told(place, monkeypatch):
    stamped("3.99 " + venv.wanted().split()[1] + "\n")
    monkeypatch.setattr(venv.os, "execve", None)
    with pytest.raises(SystemExit) as ended:
        venv.enter(["html"])
    asked = "{}.{}".format(*sys.version_info)
    assert str(ended.value).startswith(
        f".venv is of Python 3.99, and Python {asked} was asked for. "
        "Write 'make PYTHON=python3.99'")
    monkeypatch.setattr(venv.sys, "prefix", str(venv.VENV))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for name in venv.MISLEADING:
        monkeypatch.delenv(name, raising=False)
    venv.enter(["html"])   # it was called itself


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
    assert not venv.UNFINISHED.exists()
    make, fetch, install = calls
    assert make[1:3] == ["-m", "venv"] and make[-1] == str(venv.VENV)
    assert "--require-hashes" in fetch and "--require-hashes" in install
    assert Path(fetch[-1]).read_text(encoding="utf-8") == venv.block_of("uv")
    assert install[-1] == str(venv.LOCK) and "uv" in install
    assert venv.ready()


def test_an_environment_of_another_place_is_left_alone(place, calls):
    shared = place / "shared"
    shared.mkdir()
    (shared / "set-up").write_text("3.11 of-another-lock\n", encoding="utf-8")
    venv.VENV.symlink_to(shared)
    with pytest.raises(SystemExit, match="a link to .*shared"):
        venv.set_up()
    assert calls == []
    stamp = (shared / "set-up").read_text(encoding="utf-8")
    assert stamp == "3.11 of-another-lock\n"


@pytest.mark.parametrize("name", ["", ".venv", ".venv/lib/python3.11"])
def test_what_may_not_be_written_is_told_before_anything_is_fetched(
    place, calls, monkeypatch, name
):
    make_python()
    usual = venv.os.access
    monkeypatch.setattr(venv.os, "access", lambda file, mode: (
        Path(file) != place / name and usual(file, mode)))
    with pytest.raises(SystemExit, match="may not be written by you") as said:
        venv.set_up()
    assert str(said.value).startswith(name or str(place)) and calls == []


def test_a_full_disk_is_told_before_anything_is_fetched(
    place, calls, monkeypatch
):
    free = shutil.disk_usage(place)._replace(free=2 * 10 ** 9)
    monkeypatch.setattr(venv.shutil, "disk_usage", lambda _: free)
    with pytest.raises(SystemExit, match="needs 6.0 GB .* are 2.0 GB"):
        venv.set_up()
    venv.LOCK.write_text(
        LOCK.replace("torch==", "little=="), encoding="utf-8")
    venv.set_up()
    assert venv.ready()


def test_a_file_in_the_place_of_the_environment_is_told(place, calls):
    venv.VENV.touch()
    with pytest.raises(SystemExit, match=".venv is a file"):
        venv.set_up()
    assert calls == []


def test_a_disk_that_fills_up_is_told(place, calls, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "x")
    monkeypatch.setattr(venv, "write", full)
    with pytest.raises(SystemExit, match="set-up failed: x: No space left"):
        venv.set_up()
    assert not venv.ready()


def test_what_would_install_something_else_is_not_handed_on(monkeypatch):
    for name in ("PIP_TARGET", "PIP_NO_DEPS", "UV_PYTHON", "UV_NO_BINARY",
                 "CONDA_PREFIX", "VIRTUAL_ENV", "PYTHONPATH", "PIP_USER"):
        monkeypatch.setenv(name, "x")
        assert name not in venv.undisturbed()
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY", "HOME"):
        monkeypatch.setenv(name, "x")
        assert venv.undisturbed()[name] == "x"


def test_an_unfinished_set_up_is_mended_and_one_of_another_lock_made_anew(
    place, calls, monkeypatch
):
    monkeypatch.setattr(venv, "can_be_mended", lambda: True)

    def first_of(words):
        calls.clear()
        venv.set_up()
        return words in calls[0]

    assert first_of("--clear")      # nothing is there
    venv.LOCK.write_text(LOCK + "\n", encoding="utf-8")
    assert not first_of("--clear")  # another lock, over a whole one
    venv.STAMP.unlink()
    assert first_of("--clear")      # nobody knows how far it came
    venv.STAMP.unlink()
    venv.UNFINISHED.write_text(venv.wanted(), encoding="utf-8")
    assert not first_of("--clear")
    venv.STAMP.unlink()
    venv.UNFINISHED.write_text("3.11 other\n", encoding="utf-8")
    assert first_of("--clear")


def test_a_second_set_up_does_nothing(place, calls):
    venv.set_up()
    calls.clear()
    venv.set_up()
    assert calls == []


def test_a_set_up_that_fails_is_not_ready(place, calls, monkeypatch):
    venv.set_up()
    venv.LOCK.write_text(LOCK + "\n", encoding="utf-8")

    def fails(command, advice):
        assert not venv.STAMP.exists()
        sys.exit(f"set-up failed: {advice}")

    monkeypatch.setattr(venv, "call", fails)
    with pytest.raises(SystemExit, match="set-up failed: cannot"):
        venv.set_up()
    assert not venv.ready()
    venv.LOCK.write_text(LOCK, encoding="utf-8")
    assert not venv.ready()


def test_a_failed_command_ends_with_its_advice(place):
    with pytest.raises(SystemExit, match="set-up failed: try this"):
        venv.call([sys.executable, "-c", "raise SystemExit(3)"], "try this")
    venv.call([sys.executable, "-c", ""], "no need")


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15), (4, 0)])
def test_a_python_that_the_lock_does_not_serve_is_told_before_anything(
    place, calls, monkeypatch, version
):
    monkeypatch.setattr(venv.sys, "version_info", (*version, 0))
    with pytest.raises(SystemExit) as ended:
        venv.set_up()
    assert str(ended.value) == (
        "Python 3.11 to 3.14 is needed; this is {}.{}. Name another with "
        "'make PYTHON=python3.12'.".format(*version)
    )
    assert calls == [] and not venv.VENV.exists()


@pytest.mark.parametrize("version, arguments", [
    (".".join(map(str, sys.version_info[:3])), []), ("3.1.4", ["--clear"]),
])
def test_an_environment_of_another_python_is_cleared(
    place, version, arguments
):
    venv.VENV.mkdir()
    (venv.VENV / "pyvenv.cfg").write_text(
        f"version = {version}\n", encoding="utf-8"
    )
    assert venv.stale() == arguments


# -------------------------------------------------------------- the entry


def test_enter_goes_on_in_the_environment_or_passes_over(place, monkeypatch):
    went = []
    monkeypatch.setattr(venv.os, "execve", lambda *a: went.append(a))
    monkeypatch.setattr(venv.os, "name", "posix")
    monkeypatch.setattr(venv, "set_up", lambda: stamped(venv.wanted()))
    for name in venv.MISLEADING:
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.chdir(place)
    venv.enter(["html"])
    ((program, command, environment),) = went
    assert program == str(venv.python())
    assert command[1:] == ["-m", "press", "html"]
    assert not venv.MISLEADING & environment.keys()
    monkeypatch.setattr(venv.sys, "prefix", str(venv.VENV))
    venv.enter(["html"])
    assert len(went) == 2   # once more, without what misleads
    for name in venv.MISLEADING:
        monkeypatch.delenv(name)
    venv.enter(["html"])
    assert len(went) == 2
