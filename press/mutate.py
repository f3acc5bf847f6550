"""Break each computing line of `scratch`, and see whether a test notices.

    make mutate ARGS="--module optim --sample 100"

A mutant is a module with one small change: an operator exchanged, a
number moved, a keyword dropped, a statement left out. Each is tested in a
fork of one process that has torch loaded, by those tests alone that run
the changed line, the fastest first.
"""

import ast
import copy
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from press.errors import BookError
from press.progress import Reporter

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.MatMult: ast.Add, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr, ast.BitXor: ast.BitOr, ast.And: ast.Or,
    ast.Or: ast.And, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SAID = {  # keywords that only say something to people
    "help", "description", "epilog", "prog", "metavar", "formatter_class",
    "desc", "total", "leave", "disable",
}
STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    module: Path
    line: int
    before: str
    after: str
    source: str


# ---------------------------------------------------------------- breaking


def mutants(module: Path) -> Iterator[Mutant]:
    """Every small change of a module that should be noticed."""
    source = module.read_text(encoding="utf-8")
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + column

    for node, new in changes(ast.parse(source)):
        first = place(node.lineno, node.col_offset)
        last = place(node.end_lineno, node.end_col_offset)
        whole = source.encode()
        before = whole[first:last].decode()
        yield Mutant(
            module, node.lineno, " ".join(before.split()), new,
            (whole[:first] + new.encode() + whole[last:]).decode(),
        )


def changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Nodes below this one, each with what to write in its place."""
    for child in ast.iter_child_nodes(node):
        if is_idle(child):
            continue
        if isinstance(child, STATEMENTS):
            yield child, "pass"
        if isinstance(child, ast.Return) and child.value is not None:
            yield child, "return None"
        for variant in variants(child):
            text = ast.unparse(variant)
            yield child, text if is_closed(variant) else f"({text})"
        for decorator in getattr(child, "decorator_list", ()):
            if ast.unparse(decorator) != "staticmethod":
                yield decorator, "(lambda f: f)"
        if isinstance(child, ast.If | ast.While | ast.IfExp):
            yield child.test, f"(not ({ast.unparse(child.test)}))"
        if not isinstance(child, ast.Raise):
            yield from changes(child)


def is_idle(node: ast.AST) -> bool:
    """Text, type or import: nothing that computes."""
    return (
        isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr)
        or isinstance(node, ast.keyword) and node.arg in SAID
        or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        or isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
    )


def is_same(node: ast.AST) -> bool:
    """Whether the operator's exchange changes nothing: x * -1, x / -1."""
    right = getattr(node, "right", getattr(node, "value", None))
    return isinstance(node.op, ast.Mult | ast.Div) and right is not None \
        and ast.unparse(right) in ("1", "-1")


def is_closed(node: ast.AST) -> bool:
    """Whether the node's text needs no brackets around it."""
    return isinstance(
        node, ast.Constant | ast.Call | ast.AugAssign
    ) and not ast.unparse(node).startswith("-")


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing about it changed."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        if type(node.op) in SWAPS and not is_same(node):
            yield changed(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            ops = [*node.ops[:i], SWAPS[type(op)](), *node.ops[i + 1:]]
            yield changed(node, ops=ops)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg in SAID:
                continue
            left = [*node.keywords[:i], *node.keywords[i + 1:]]
            yield changed(node, keywords=left)


def changed(node: ast.AST, **fields: object) -> ast.AST:
    result = copy.copy(node)
    for name, value in fields.items():
        setattr(result, name, value)
    return result


# ----------------------------------------------------------------- testing


class Durations:
    """A pytest plugin that notes how long each test takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report) -> None:
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration


def forked(work: Callable[[], int]) -> int:
    """Start the work in a fork of this process: its process id."""
    if child := os.fork():
        return child
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os._exit(work())
    except BaseException:
        os._exit(1)


def pytest_on(code: Path, arguments: list[str], plugins: list) -> int:
    """Run tests on the package below `code`."""
    import pytest
    os.environ["PYTHONPATH"] = str(code)
    return int(pytest.main(
        ["-x", "-q", "-p", "no:cacheprovider", "-o",
         f"pythonpath={code} . tests/support", *arguments], plugins,
    ))


def pytest_within(seconds: float, code: Path, tests: list[str]) -> int:
    """The same, ended by the system after so much processor time."""
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)
    return pytest_on(code, tests, [])


def baseline(root: Path, module: str, folder: Path) -> dict:
    """Seconds of each test of a module, and the tests that run a line."""
    from coverage import CoverageData
    texts = {
        file: file.read_text(encoding="utf-8")
        for file in sorted((root / "tests" / "scratch").glob("test_*.py"))
    }
    named = re.compile(
        rf"scratch\.{module}\b|from scratch import .*\b{module}\b"
    )
    tests = [
        str(file) for file, text in texts.items()
        if named.search(text) and "press.chapters" not in text
    ]
    if not tests:
        raise BookError(f"code/scratch/{module}.py", None, "has no tests")
    data, times = folder / "coverage", folder / "seconds.json"

    def work() -> int:
        os.environ["COVERAGE_FILE"] = str(data)
        durations = Durations()
        result = pytest_on(root / "code", [
            f"--cov={root / 'code' / 'scratch'}", "--cov-context=test",
            "--cov-report=", *tests,
        ], [durations])
        times.write_text(json.dumps(durations.seconds))
        return result

    if os.waitpid(forked(work), 0)[1]:
        raise BookError(
            f"code/scratch/{module}.py", None,
            "its tests fail without any change; run 'make test' first",
        )
    seconds = json.loads(times.read_text())
    found = CoverageData(basename=str(data))
    found.read()
    by_line = found.contexts_by_lineno(
        str(root / "code" / "scratch" / f"{module}.py")
    )
    tests_of = {
        line: {c.removesuffix("|run") for c in contexts if c}
        for line, contexts in by_line.items()
    }
    return {"seconds": seconds, "tests": tests_of, "files": tests}


def tests_for(known: dict, line: int) -> list[str]:
    """The tests that run a line, the fastest first; all, for a line that
    runs when the module is imported."""
    seconds = known["seconds"]
    found = [t for t in known["tests"].get(line, ()) if t in seconds]
    return sorted(found or seconds, key=seconds.__getitem__)


def judge(
    root: Path, listed: list[Mutant], known: dict, workers: int,
    tick: Callable[[], None],
) -> list[Mutant]:
    """Test each mutant, several at a time: those that nothing noticed."""
    survivors, waiting, running = [], list(listed), {}
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            code = Path(tempfile.mkdtemp(prefix="mutant-"))
            shutil.copytree(mutant.module.parent, code / "scratch",
                            ignore=shutil.ignore_patterns("__pycache__"))
            target = code / "scratch" / mutant.module.name
            target.write_text(mutant.source, encoding="utf-8")
            tests = tests_for(known, mutant.line)
            limit = 30 + 5 * sum(known["seconds"][t] for t in tests)
            child = forked(
                lambda c=code, t=tests, s=limit: pytest_within(s, c, t)
            )
            running[child] = mutant, code, time.monotonic() + 10 * limit
        time.sleep(0.02)
        for child, (mutant, code, end) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and time.monotonic() < end:
                continue
            if not done:  # it hangs, which is noticed
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
            elif status == 0:
                survivors.append(mutant)
            del running[child]
            shutil.rmtree(code, ignore_errors=True)
            tick()
    return sorted(survivors, key=lambda m: m.line)


def mutate(
    root: Path, report: Reporter, chosen: list[str], sample: int | None,
) -> int:
    """Break the modules chosen, or all; 1 if a mutant went unnoticed."""
    import torch
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.chdir(root)
    sys.path[:] = [p for p in sys.path if Path(p) != root / "code"]
    table = Table("module", "lines", "mutants", "caught", "share")
    total = missed = 0
    for file in sorted((root / "code" / "scratch").glob("*.py")):
        if chosen and file.stem not in chosen:
            continue
        listed = list(mutants(file))
        random.Random(0).shuffle(listed)
        listed = listed[:sample]
        with tempfile.TemporaryDirectory() as folder:
            known = baseline(root, file.stem, Path(folder))
        with report.counting(file.stem, len(listed)) as tick:
            survivors = judge(
                root, listed, known, os.cpu_count() or 1, tick
            )
        for m in survivors:
            report.say(f"{file.relative_to(root)}:{m.line}: nothing "
                       f"noticed '{m.before}' become '{m.after}'")
        n, bad = len(listed), len(survivors)
        total, missed = total + n, missed + bad
        table.add_row(file.stem, str(len({m.line for m in listed})), str(n),
                      str(n - bad), f"{(n - bad) / max(n, 1):.1%}")
    table.add_row("all", "", str(total), str(total - missed),
                  f"{(total - missed) / max(total, 1):.1%}")
    report.console.print(table)
    return 1 if missed else 0
