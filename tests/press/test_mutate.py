"""The mutation check finds what no test notices."""

import os
import subprocess
import sys

import pytest

from press.check import mutate
from press.check.mutants import mutants
from press.errors import BookError
from press.progress import Reporter
from tiny import PROGRAM, REPO

MODULE = '''\
"""A module."""


def clip(x, limit=1):
    """At most the limit."""
    if x < limit:
        return x
    return limit
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A root with one module of scratch, and a test of it."""
    code = tmp_path / "code" / "scratch"
    code.mkdir(parents=True)
    (code / "clip.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "tests" / "scratch").mkdir(parents=True)

    def tested(*claims):
        (tmp_path / "tests" / "scratch" / "test_clip.py").write_text(
            "from scratch.clip import clip\n\n\ndef test_clip():\n"
            + "".join(f"    assert {claim}\n" for claim in claims),
            encoding="utf-8",
        )
        return tmp_path
    monkeypatch.chdir(tmp_path)
    return tested


def test_each_part_that_computes_is_changed_once(package):
    found = {(m.line, m.before, m.after)
             for m in mutants(package() / "code" / "scratch" / "clip.py")}
    assert found == {
        (4, "1", "2"),
        (6, "x < limit", "(x <= limit)"),
        (6, "x < limit", "(not (x < limit))"),
        (7, "return x", "return None"),
        (8, "return limit", "return None"),
    }


def test_a_mutant_differs_in_that_place_alone(package):
    file = package() / "code" / "scratch" / "clip.py"
    (first,) = [m for m in mutants(file) if m.after == "return None"
                and m.line == 8]
    assert first.source == MODULE.replace("return limit", "return None")


def test_an_exchange_that_changes_nothing_is_no_mutant(tmp_path):
    file = tmp_path / "sign.py"
    file.write_text(
        "def f(x):\n    return [x * -1, x / 1, x * 3]\n", encoding="utf-8"
    )
    assert [m.after for m in mutants(file) if "x " in m.before
            and "[" not in m.before] == ["(x / 3)"]


def test_what_is_only_said_to_people_is_no_mutant(tmp_path):
    file = tmp_path / "bar.py"
    file.write_text(
        "def f(x):\n    tqdm(x, total=3, leave=False, n=1)\n",
        encoding="utf-8",
    )
    assert [m.after for m in mutants(file)] == [
        "pass", "tqdm(x, total=3, leave=False)", "2",
    ]


forks = pytest.mark.skipif(os.name == "nt", reason="needs os.fork")


def apart(root, program, *arguments):
    """A program in a process of its own: a fork of this one, which has other
    threads, may wait for a lock for ever."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=root,
        capture_output=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )


def run(root, *arguments):
    done = apart(root, PROGRAM, "mutate", *arguments)
    return done.returncode, done.stderr


BASELINE = """\
from pathlib import Path
from press.check import judge
print([str(file) for file in judge.tests_of(Path.cwd(), "clip")])
"""


@forks
@pytest.mark.daily
def test_a_module_in_a_package_is_tested_through_the_package(
    package
):
    root = package("clip(0) == 0", "clip(3, 2) == 2")
    scratch = root / "code" / "scratch"
    (scratch / "clip").mkdir()
    (scratch / "clip.py").rename(scratch / "clip" / "one.py")
    (scratch / "clip" / "__init__.py").write_text(
        "from scratch.clip.one import clip\n", encoding="utf-8")
    code, said = run(root, "--module", "clip")
    assert code == 1 and "clip.one" in said and "__init__" not in said
    assert "code/scratch/clip/one.py:4: nothing noticed '1' becom" in said
    assert "one.py:8" not in said
    assert run(root, "--module", "cli")[0] == 0


@forks
@pytest.mark.daily
def test_what_no_test_notices_is_named_with_its_line(package):
    code, said = run(package("clip(0) == 0", "clip(3, 2) == 2"))
    assert code == 1
    assert "code/scratch/clip.py:4: nothing noticed '1' become '2'" in said
    assert "clip.py:6: nothing noticed 'x < limit' become '(x <= " in said
    assert "clip.py:8" not in said


@forks
def test_tests_that_fail_without_any_change_are_refused(package):
    code, said = run(package("clip(0) == 1"))
    assert code == 1 and "fail without any change" in said


@forks
def test_a_module_without_tests_is_refused(package):
    root = package("True")
    (root / "tests" / "scratch" / "test_clip.py").unlink()
    code, said = run(root)
    assert code == 1 and "code/scratch/clip.py: has no tests" in said


@forks
@pytest.mark.parametrize("line, found", [
    ("from scratch.clip import clip", True),
    ("from scratch import clip", True),
    ("from scratch import other, clip", True),
    ("from scratch.clipper import clip", False),
    ("pass\nfrom helper import clip", True),
])
def test_the_tests_of_a_module_are_those_that_import_it(
    package, line, found
):
    root = package("clip(0) == 0")
    (root / "tests" / "support").mkdir()
    (root / "tests" / "support" / "helper.py").write_text(
        "from scratch.clip import clip\n", encoding="utf-8")
    file = root / "tests" / "scratch" / "test_clip.py"
    text = file.read_text(encoding="utf-8").replace(
        "from scratch.clip import clip", "def clip(x): return x")
    file.write_text(f"if False:\n    {line}\n{text}", encoding="utf-8")
    done = apart(root, BASELINE)
    assert done.stdout == f"{[str(file)] if found else []}\n", done.stderr


@forks
def test_every_module_of_scratch_has_tests():
    from press.check import judge
    scratch = REPO / "code" / "scratch"
    names = [".".join(file.relative_to(scratch).with_suffix("").parts)
             for file in scratch.rglob("*.py")]
    assert [n for n in names if not judge.tests_of(REPO, n)] == []


def test_a_system_without_forks_is_refused_in_a_sentence(
    package, monkeypatch
):
    monkeypatch.setattr(mutate.sys, "platform", "win32")
    with pytest.raises(BookError, match="needs a POSIX system"):
        mutate.mutate(package("clip(0) == 0"), Reporter(), [], None)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs os.fork")
def test_of_a_sample_of_each_module_nearly_all_mutants_are_noticed():
    """All of them together: 93 % and more are (`make mutate`)."""
    done = subprocess.run(
        [sys.executable, "-m", "press", "mutate", "--sample", "4"],
        cwd=REPO, capture_output=True, encoding="utf-8",
    )
    rows = [line.split("│") for line in done.stderr.splitlines()
            if line.startswith("│ all")]
    assert len(rows) == 1, done.stderr
    made, noticed = (int(cell) for cell in rows[0][3:5])
    assert made > 40 and noticed >= 0.85 * made, done.stderr
