"""Every chapter leaves a runnable program."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from press.read.book import read_book
from press.tangle.tangle import modules, through

REPO = Path(__file__).parents[2]
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
    5: "from scratch.init import make_params\n"
       "from scratch.optim import SGD, Adam\n"
       "for kind in (SGD, Adam):\n"
       "    p = make_params()[0]\n"
       "    before = p.detach().clone()\n"
       "    (p**2).sum().backward()\n"
       "    kind([p], lr=0.1).step()\n"
       "    assert (p != before).any()",
    6: "import torch\n"
       "from scratch.data import DataLoader\n"
       "X, y = torch.rand(10, 784), torch.arange(10)\n"
       "assert [len(x) for x, _ in DataLoader(X, y, 4)] == [4, 4, 2]",
    7: "import torch\n"
       "from scratch.data import DataLoader\n"
       "from scratch.init import make_params\n"
       "from scratch.optim import Adam\n"
       "from scratch.train import evaluate, train\n"
       "params = make_params()\n"
       "loader = DataLoader(torch.rand(10, 784), torch.arange(10), 5)\n"
       "before = evaluate(params, loader)[0]\n"
       "train(params, loader, Adam(params))\n"
       "assert evaluate(params, loader)[0] < before",
    8: "import torch\n"
       "from scratch.compare import compare\n"
       "one = torch.ones(3)\n"
       "assert compare(one, one).exact\n"
       "assert compare(one, one.nextafter(2 * one)).ulps == 1",
    9: "import torch\n"
       "from scratch.timing import Learner, record\n"
       "data = torch.rand(64, 784), torch.arange(64) % 10\n"
       "learner = Learner(*data, 'cpu')\n"
       "replay = record(learner.step, learner.state(), 'cpu')\n"
       "replay()\n"
       "assert learner.adam.t == 1",
    10: "import torch\n"
        "from scratch.nn import Linear, ReLU, Sequential\n"
        "net = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))\n"
        "again = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))\n"
        "again.load_state_dict(net.state_dict())\n"
        "x = torch.rand(5, 4)\n"
        "assert torch.equal(net(x), again(x))",
    11: "import torch\n"
        "from scratch.functional import dropout\n"
        "x = torch.ones(1000)\n"
        "assert dropout(x, 0.5).unique().tolist() == [0, 2]\n"
        "assert dropout(x, 0.5, training=False) is x",
    12: "import torch\n"
        "from scratch.autograd import Tensor\n"
        "x = Tensor(torch.tensor([3.0, 4.0]), requires_grad=True)\n"
        "(x * x).sum().backward()\n"
        "assert x.grad.tolist() == [6, 8]",
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
        input=json.dumps(tasks), capture_output=True, encoding="utf-8",
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
    (5, "optim", "Adam"),
    (6, "data", "DataLoader"),
    (7, "train", "train"),
    (8, "compare", "compare"),
    (9, "timing.clocks", "time_op"),
    (10, "extends", "extends"),
    (10, "nn.module", "Module"),
    (11, "functional", "dropout"),
    (12, "autograd.tape", "no_grad"),
    (12, "autograd.function", "Function"),
    (12, "autograd.tensor", "Tensor"),
])
def test_chapters_bring_their_part_of_the_package(number, module, name):
    def has(upto):
        made = modules(through(BOOK, upto))
        return any(
            re.search(rf"^(def|class) {name}\b", m.text, re.MULTILINE)
            for m in made.values()
            if m.name == f"scratch.{module}"
        )

    assert has(number) and not has(number - 1)
