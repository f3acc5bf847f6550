"""One list of verbs serves make, `python -m press`, its help and README."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from press import command, venv, verbs
from press.check import testing
from press.registry import VERBS, table
from tiny import REPO


def say(*words, **environment):
    return subprocess.run(
        words, cwd=REPO, capture_output=True, encoding="utf-8",
        env={**os.environ, **environment},
    )


def test_every_verb_is_done_by_something():
    assert {*verbs.ACTIONS, "clean", "help"} == set(VERBS)


def test_help_lists_every_verb_with_nothing_installed():
    listed = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         "import sys; sys.path.insert(0, sys.argv[1])\n"
         "from press.command import main; sys.exit(main(['help']))",
         str(REPO)],
        capture_output=True, encoding="utf-8",
    )
    assert listed.returncode == 0, listed.stderr
    for verb in VERBS.values():
        assert f"\n  {verb.name} " in listed.stdout
        assert verb.what.replace("`", "") in listed.stdout


def test_readme_has_the_table_of_the_registry():
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    assert table() in readme, "python -m press help --markdown prints it"


def test_make_hands_every_goal_to_the_press():
    goals = [*VERBS, "no-verb"]
    said = say("make", "--dry-run", "PYTHON=python9", "ARGS=--x", *goals)
    assert said.stdout.splitlines() == [
        f"python9 -m press {goal} --x" for goal in goals]
    assert "no verb 'no-verb'" in say(
        "make", f"PYTHON='{sys.executable}'", "no-verb").stderr


@pytest.mark.parametrize("arguments", [
    ["book", "--paper", "a5"], ["test", "--fast"], ["serve", "--port", "x"],
    ["html", "--paper", "a4"], ["reproduce", "--set", "THREADS"],
    ["mutate", "--sample", "few"], ["lock", "now"],
    ["serve", "--port", "65536"], ["preview", "--port", "-1"],
    ["mutate", "--sample", "0"],
])
def test_a_wrong_option_is_refused_before_anything_is_set_up(
    arguments, monkeypatch, capsys
):
    monkeypatch.setattr(venv, "enter", None)
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert f"usage: press {arguments[0]}" in capsys.readouterr().err


def test_what_an_old_python_reads_first_it_can_read():
    for name in ("__init__", "__main__"):
        text = (REPO / "press" / f"{name}.py").read_text(encoding="utf-8")
        assert text.isascii()   # Python 2 takes no other without a word
        ast.parse(text, feature_version=(3, 4))
        tree = ast.parse(text)
        assert not any(isinstance(n, ast.JoinedStr | ast.AnnAssign | ast.arg)
                       and getattr(n, "annotation", n) for n in ast.walk(tree))


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.10"])
def test_an_old_python_ends_in_one_sentence(version):
    places = [f"python{version}", *map(str, Path.home().glob(
        f".pyenv/versions/{version}.*/bin/python"))]
    python = next((place for place in places if shutil.which(place) and say(
        place, "-c", "print('here')").stdout == "here\n"), None)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    for verb in ("help", "book", "clean"):
        ended = say(python, "-m", "press", verb)
        assert ended.returncode == 1 and ended.stderr == (
            f"Python 3.11 to 3.14 is needed; this is {version}. Name another "
            "with 'make PYTHON=python3.12'.\n")


def test_make_hands_over_nothing_that_misleads_python():
    said = say(
        "make", "help", f"PYTHON='{sys.executable}'", PYTHONSAFEPATH="1",
        PYTHONHOME="/nowhere", PYTHONPATH="/nowhere")
    assert said.returncode == 0 and "make VERB" in said.stdout


# --------------------------------------------------------------- the tiers


@pytest.fixture
def ran(monkeypatch):
    """The marks and the arguments of each process of pytest, and its end."""
    calls, ends = [], {}

    def process(root, marks, arguments):
        calls.append((marks, arguments))
        return ends.get(marks, 0)

    monkeypatch.setattr(testing, "pytest", process)
    calls_and_ends = calls, ends
    return calls_and_ends


def test_the_quick_tier_needs_no_book_and_no_browser(ran):
    assert testing.run_quick(REPO, ["-k", "optim"]) == 0
    assert ran[0] == [("not slow and not daily and not browser",
                       ["tests/scratch", "tests/press", "-k", "optim"])]


def test_the_daily_tier_leaves_out_the_slow_tests_alone(ran):
    assert testing.run_daily(REPO, []) == 0
    assert [marks for marks, _ in ran[0]] == [
        "not slow and not browser", "not slow and browser"]
    assert all("--cov" in arguments for _, arguments in ran[0])


def test_the_slow_tier_runs_the_slow_tests_alone(ran):
    assert testing.run_slow(REPO, []) == 0
    assert [marks for marks, _ in ran[0]] == [
        "slow and not browser", "slow and browser"]


@pytest.mark.parametrize("first, second, end", [
    (0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 1, 2), (5, 0, 0), (0, 5, 0),
    (5, 5, 5), (5, 1, 1), (1, 5, 1),
])
def test_a_selection_may_leave_one_process_without_a_test(
    ran, first, second, end
):
    ran[1].update({"not slow and not browser": first,
                   "not slow and browser": second})
    assert testing.run_daily(REPO, ["-k", "x"]) == end


def test_a_failure_in_either_process_fails_the_whole(ran):
    for marks in ("not slow and not browser", "not slow and browser"):
        ran[1].clear()
        ran[1][marks] = 1
        assert testing.run_daily(REPO, []) == 1
