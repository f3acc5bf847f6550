"""`make lint` finds a fault in each language, and says it with its place."""

import shutil
from pathlib import Path

import pytest

from press.check import lint
from press.errors import BookError
from press.progress import Reporter

REPO = Path(__file__).parents[2]
CONFIG = """\
[tool.ruff.lint]
preview = true
explicit-preview-rules = true
select = ["F", "PLW1514"]

[tool.mypy]
files = ["press"]
"""
PYTHON = '''\
"""A module."""


def double(x: int) -> int:
    return 2 * x
'''
SCRIPT = """\
"use strict";
(() => {
  const shown = document.title;
  stage(shown);
})();
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A small book with nothing wrong in it; mypy's cache stays."""
    root = tmp_path_factory.mktemp("tree")
    (root / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    for folder in lint.SCRIPTS:
        (root / folder).mkdir()
    shutil.copy(REPO / ".oxlintrc.json", root)
    return root


@pytest.fixture
def linted(tree, capsys):
    """Lint the tree with these files: the code and the lines said."""
    def run(python=PYTHON, script=SCRIPT):
        (tree / "press" / "double.py").write_text(python, encoding="utf-8")
        (tree / "figures" / "draw.js").write_text(script, encoding="utf-8")
        code = lint.lint(tree, Reporter())
        return code, capsys.readouterr().err.splitlines()
    return run


def test_where_nothing_is_wrong_the_three_say_so_in_one_line(linted):
    assert linted() == (0, ["ruff, mypy, oxlint: no faults found"])


@pytest.mark.parametrize("by, python, script, found", [
    ("ruff", "import os\n" + PYTHON, SCRIPT,
     "press/double.py:1:8: unused-import"),
    ("ruff", PYTHON + "\n\nopen('x')\n", SCRIPT,
     "press/double.py:8:1: unspecified-encoding"),
    ("mypy", PYTHON.replace("2 * x", "str(x)"), SCRIPT,
     "press/double.py:5: error: Incompatible return value"),
    ("mypy", "import os\n" + PYTHON.replace("2 * x", "os.fork()"), SCRIPT,
     "press/double.py:6: error: Module has no attribute \"fork\""),
    ("oxlint", PYTHON, SCRIPT.replace("(shown)", "(hidden)"),
     "figures/draw.js:4:9: 'hidden' is not defined."),
    ("oxlint", PYTHON, SCRIPT.replace("document.title", "1 +"),
     "figures/draw.js:"),
], ids=["an unused import", "no encoding", "a type", "Windows", "no name",
        "no JavaScript"])
def test_a_fault_is_said_once_with_its_place(
    linted, by, python, script, found
):
    code, said = linted(python, script)
    assert code == 1
    assert len([line for line in said if line.startswith(found)]) == 1, said
    assert said[-1] == f"faults found by {by}"


def test_one_that_finds_something_does_not_keep_the_others_from_it(linted):
    code, said = linted(
        "import os\n" + PYTHON.replace("2 * x", "str(x)"),
        SCRIPT.replace("(shown)", "(hidden)"),
    )
    assert (code, said[-1]) == (1, "faults found by ruff, mypy, oxlint")
    assert [line.partition(":")[0] for line in said[:-2]] == [
        "press/double.py", "press/double.py", "figures/draw.js"
    ]


def test_a_checker_that_cannot_start_is_no_checker_that_found_nothing(
    linted, tree
):
    config = tree / ".oxlintrc.json"
    kept = config.read_text(encoding="utf-8")
    config.write_text("{", encoding="utf-8")
    try:
        code, said = linted()
    finally:
        config.write_text(kept, encoding="utf-8")
    assert (code, said[-1]) == (1, "faults found by oxlint")
    assert len(said) > 1


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(BookError, match="no nolint in "):
        lint.linter("nolint")
