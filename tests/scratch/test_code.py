"""The package as it lies in `code/`."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
CODE = REPO / "code"
FILES = sorted(CODE.glob("scratch/**/*.py"))


def python(*args, cwd, path=None):
    """A fresh interpreter that finds only what its folder offers."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if path:
        env["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=env,
        capture_output=True, encoding="utf-8",
    )


# ------------------------------------------------------- the folder `code`


def test_code_is_no_package_for_python_has_a_module_of_that_name():
    assert not (CODE / "__init__.py").exists()


@pytest.mark.parametrize("cwd, path", [(CODE, None), (REPO, CODE)])
def test_python_s_own_code_module_is_not_hidden(cwd, path):
    run = python(
        "-c", "import code; code.InteractiveConsole; "
        "import scratch.functional",
        cwd=cwd, path=path,
    )
    assert run.returncode == 0, run.stderr


def test_ruff_finds_nothing_in_the_package():
    run = python(
        "-m", "ruff", "check", "--isolated", "--no-cache",
        "--extend-select", "E,F,B", "--line-length", "72",
        "--per-file-ignores", "__init__.py:F401",  # they pass names on,
        "--per-file-ignores", "__init__.py:I001",  # several in a line
        "--output-format", "json", "scratch",
        cwd=CODE,
    )
    assert run.returncode in (0, 1), run.stderr
    found = [
        f"{Path(row['filename']).name}:{row['location']['row']}: "
        f"{row['code']} {row['message']}"
        for row in json.loads(run.stdout)
        # The first line is the tangler's, and is printed nowhere.
        if (row["code"], row["location"]["row"]) != ("E501", 1)
    ]
    assert FILES and not found, "\n".join(found)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(
    CODE / "scratch").with_suffix("").as_posix())
def test_every_public_function_and_class_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    public = [
        node for node in tree.body
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_")
    ]
    assert public or file.stem == "__init__"
    assert [n.name for n in public if not ast.get_docstring(n)] == []
