"""The set-up runs once, and again when the lock says otherwise."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from press import NEWEST, OLDEST, venv
from press.read.book import read_book

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
    monkeypatch.setattr(venv, "STAMP", tmp_path / ".venv" / "set-up")
    venv.LOCK.write_text(LOCK, encoding="utf-8")
    return tmp_path


@pytest.fixture
def calls(place, monkeypatch):
    """The commands of a set-up, which make a python and nothing else."""
    made = []

    def call(command, advice):
        made.append(command)
        venv.python().parent.mkdir(parents=True, exist_ok=True)
        venv.python().write_text("", encoding="utf-8")

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
    venv.python().parent.mkdir(parents=True, exist_ok=True)
    venv.python().write_text("", encoding="utf-8")
    venv.STAMP.write_text(text, encoding="utf-8")


def test_ready_means_stamped_with_this_lock(place):
    assert not venv.ready()
    stamped(venv.wanted())
    assert venv.ready()
    venv.LOCK.write_text(LOCK.replace("aaaa", "eeee"), encoding="utf-8")
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
