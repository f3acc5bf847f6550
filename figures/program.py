"""The one program of the book, as it stands after each chapter.

It is one source with slots. `HOMES` says where a name comes from before and
after the chapter that builds it, `LINES` which chapters a line belongs to.
Which lines are ours nobody says: it is looked up, after a run, where the
functions that a line calls are defined.
"""

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch

# name: (torch's module, ours, the chapter that builds ours)
HOMES: dict[str, tuple[str | None, str | None, int]] = {
    "nn": ("torch", "scratch", 10),
    "DataLoader": ("torch.utils.data", "scratch.data", 6),
    "TensorDataset": ("torch.utils.data", None, 99),
    "Adam": ("torch.optim", "scratch.optim", 5),
    "linear": ("torch.nn.functional", "scratch.functional", 2),
    "relu": ("torch.nn.functional", "scratch.functional", 2),
    "cross_entropy": ("torch.nn.functional", "scratch.functional", 3),
    "load_mnist": (None, "scratch.data", 0),
    "make_params": (None, "scratch.init", 1),
    "backward": (None, "scratch.backward", 4),
    "train": (None, "scratch.train", 7),
    "evaluate": (None, "scratch.train", 7),
    "Tensor": (None, "scratch.autograd", 12),
    "adopt": (None, "scratch.autograd.tensor", 12),
}

# From which chapter to which, and the line.
LINES = """\
0 12 X, y = load_mnist(split="train")
0 12 X_test, y_test = load_mnist(split="test")
0 12
0 12 torch.manual_seed(0)
0  0 W1, b1 = nn.Linear(784, 128).parameters()
0  0 W2, b2 = nn.Linear(128, 10).parameters()
0  0 params = [W1, b1, W2, b2]
1  9 params = W1, b1, W2, b2 = make_params()
10 12 model = nn.Sequential(
10 10     nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
11 11     nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2),
11 11     nn.Linear(128, 10))
12 12     nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
12 12 params = adopt(model, Tensor)
0  5 loader = DataLoader(TensorDataset(X, y), 64, shuffle=True)
6 12 loader = DataLoader(X, y, 64, shuffle=True)
0  9 optimizer = Adam(params, lr=1e-3)
10 11 optimizer = Adam(model.parameters(), lr=1e-3)
12 12 optimizer = Adam(params, lr=1e-3)
0 12
0  6 def network(x):
0  0     h = relu(linear(x, W1, b1))
0  0     return linear(h, W2, b2)
1  1     h = relu(linear(x, W1.T, b1))
1  1     return linear(h, W2.T, b2)
2  6     h = relu(linear(x, W1, b1))
2  6     return linear(h, W2, b2)
0  6
0 12 for epoch in range(2):
7  9     train(params, loader, optimizer)
0  6     for x, targets in loader:
0  3         loss = cross_entropy(network(x), targets)
0  3         loss.backward()
4  6         loss, grads = backward(x, targets, *params)
4  6         for p, grad in zip(params, grads):
4  6             p.grad = grad
0  6         optimizer.step()
0  3         optimizer.zero_grad()
10 12     for x, targets in loader:
10 11         loss = cross_entropy(model(x), targets)
12 12         loss = model(Tensor(x)).cross_entropy(targets)
10 12         loss.backward()
10 12         optimizer.step()
10 12         optimizer.zero_grad()
0 12
11 11 model.eval()
0  6 right = network(X_test).argmax(1) == y_test
7  9 loss, right = evaluate(params, DataLoader(X_test, y_test))
10 11 right = model(X_test).argmax(1) == y_test
12 12 right = model(Tensor(X_test)).data.argmax(1) == y_test
0  6 print(f"{right.float().mean():.1%} read correctly")
7  9 print(f"{right:.1%} read correctly")
10 12 print(f"{right.float().mean():.1%} read correctly")
"""

# Parts of torch's that the book builds; the rest is arithmetic.
THEIRS = "torch.nn", "torch.optim", "torch.utils", "torch._tensor"


@dataclass(frozen=True)
class Program:
    """The program after a chapter, and what a run of it said."""

    listing: str
    owners: tuple[str, ...]    # of each line: "ours", "torch's" or ""
    said: str

    def count(self, owner: str) -> int:
        """How many lines are somebody's."""
        return self.owners.count(owner)

    def _repr_markdown_(self) -> str:
        """The listing, a mark on each line of ours, and what it printed."""
        lines = zip(self.listing.splitlines(), self.owners, strict=True)
        marked = "\n".join(f"{line:62}# ours" if owner == "ours" else line
                           for line, owner in lines)
        return f"``` python\n{marked}\n```\n\n```\n{self.said}```"


def write(chapter: int) -> str:
    """The program as it stands after a chapter."""
    body = []
    for entry in LINES.splitlines():
        first, last = map(int, entry.split(maxsplit=2)[:2])
        if first <= chapter <= last:
            body.append(re.sub(r"^\d+ +\d+ ?", "", entry))
    text = "\n".join(body)
    used = {node.id for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Name)}
    homes: dict[str, list[str]] = {}
    for name, (theirs, ours, built) in HOMES.items():
        if name in used:
            home = (ours if chapter >= built else theirs) or ""
            homes.setdefault(home, []).append(name)
    imports = [f"from {home} import {', '.join(sorted(names))}"
               for home, names in sorted(homes.items(), key=last_first)]
    return "\n".join(["import torch", *imports, "", text, ""])


def last_first(item: tuple[str, list[str]]) -> tuple[bool, str]:
    """Torch's modules, then ours."""
    home, _ = item
    return home.startswith("scratch"), home


def run_after(chapter: int) -> Program:
    """Run the program, apart from the chapter's own names and chance.

    On one thread: two would spend more on waiting than on these products.
    """
    listing = write(chapter)
    space: dict = {"__name__": "program"}
    said = io.StringIO()
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        try:
            with contextlib.redirect_stdout(said):
                exec(compile(listing, "<program>", "exec"), space)
        finally:
            torch.set_num_threads(threads)
        owners = [""] * len(listing.splitlines())
        for line, module in called(ast.parse(listing), space):
            if module.startswith(THEIRS):
                owners[line - 1] = "torch's"
            elif module.startswith("scratch") and not owners[line - 1]:
                owners[line - 1] = "ours"
    return Program(listing, tuple(owners), said.getvalue())


def called(tree: ast.Module, space: dict) -> Iterator[tuple[int, str]]:
    """Each line that imports or calls something, and that one's module.

    What a name was imported from counts, for any other value where its
    class or function is defined.
    """
    home = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                home[name.name] = f"{node.module}.{name.name}"
                yield node.lineno, home[name.name]
        elif isinstance(node, ast.Call):
            yield node.lineno, module_of(node.func, home, space)
        elif isinstance(node, ast.For):
            yield node.lineno, module_of(node.iter, home, space)


def module_of(node: ast.expr, home: dict[str, str], space: dict) -> str:
    """Where what an expression names is defined."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and root.id in home:
        return home[root.id]
    value = eval(compile(ast.Expression(node), "<program>", "eval"), space)
    return getattr(value, "__module__", None) or ""
