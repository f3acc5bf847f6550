"""The package as it lies in `code/`, and as each chapter leaves it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from press.chapters import read_book
from press.tangle import modules, through

REPO = Path(__file__).parents[1]
CODE = REPO / "code"
FILES = sorted(CODE.glob("scratch/**/*.py"))


def python(*args, cwd, path=None):
    """A fresh interpreter that finds only what its folder offers."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if path:
        env["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=env,
        capture_output=True, text=True,
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


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_public_function_and_class_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    public = [
        node for node in tree.body
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_")
    ]
    assert public
    assert [n.name for n in public if not ast.get_docstring(n)] == []


# ------------------------------------ every chapter leaves a runnable program

BOOK = read_book(REPO)
NUMBERS = sorted({
    int(c.number or 0) for c in BOOK.chapters if not c.appendix
})

# What a reader can do from a chapter on.
ABLE = {
    0: "from scratch.data import load_mnist, read_idx",
    1: "from scratch.init import make_params\n"
       "assert [p.ndim for p in make_params()] == [2, 1, 2, 1]",
    2: "import torch\n"
       "from scratch.functional import forward\n"
       "from scratch.init import make_params\n"
       "logits = forward(torch.zeros(2, 784), *make_params())\n"
       "assert logits.shape == (2, 10)",
    3: "import math, torch\n"
       "from scratch.functional import cross_entropy\n"
       "loss = cross_entropy(torch.zeros(2, 10), torch.tensor([0, 9]))\n"
       "assert abs(loss.item() - math.log(10)) < 1e-6",
    4: "import torch\n"
       "from scratch.backward import backward\n"
       "from scratch.init import make_params\n"
       "params = [p.detach() for p in make_params()]\n"
       "x, targets = torch.rand(2, 784), torch.tensor([0, 9])\n"
       "loss, grads = backward(x, targets, *params)\n"
       "assert [g.shape for g in grads] == [p.shape for p in params]",
}

# One interpreter does all the tasks, since torch takes seconds to import;
# before each it forgets every module of scratch.
WORKER = """
import json, sys
failures = []
for folder, task in json.load(sys.stdin):
    for name in [n for n in sys.modules if n.split(".")[0] == "scratch"]:
        del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        exec(task, {})
    except BaseException as error:
        failures.append([folder, task, f"{type(error).__name__}: {error}"])
    sys.path.remove(folder)
print(json.dumps(failures))
"""


def folder_of(number):
    return f"chapter{number:02}"


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """For each number of a chapter, what failed with that much of code."""
    root = tmp_path_factory.mktemp("through")
    tasks = []
    for number in NUMBERS:
        folder = root / folder_of(number)
        for path, module in modules(through(BOOK, number)).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(module.text, encoding="utf-8")
            tasks.append((str(folder), f"import {module.name}"))
        tasks += [
            (str(folder), able) for n, able in ABLE.items() if n <= number
        ]
    run = subprocess.run(
        [sys.executable, "-P", "-c", WORKER], cwd=root,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        input=json.dumps(tasks), capture_output=True, text=True,
    )
    assert run.returncode == 0, run.stderr
    found = {number: [] for number in NUMBERS}
    for folder, task, error in json.loads(run.stdout.splitlines()[-1]):
        found[int(Path(folder).name[-2:])].append(f"{task}\n  {error}")
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_chapters_leave_modules_that_import_alone_and_run(failures, number):
    assert failures[number] == [], "\n".join(failures[number])


@pytest.mark.parametrize("number, module, name", [
    (0, "data", "load_mnist"),
    (1, "init", "make_params"),
    (2, "functional", "forward"),
    (3, "functional", "cross_entropy"),
    (4, "backward", "backward"),
])
def test_chapters_bring_their_part_of_the_package(number, module, name):
    def has(upto):
        made = modules(through(BOOK, upto))
        return any(
            f"def {name}(" in m.text for m in made.values()
            if m.name == f"scratch.{module}"
        )

    assert has(number) and not has(number - 1)
