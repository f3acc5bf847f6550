"""Test mutants: which of them does no test notice?

Each is tested in a fork of one process that has torch loaded, by those
tests alone that run the changed line, the fastest first.
"""

import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from press.check.mutants import Mutant

if TYPE_CHECKING:
    from pytest import TestReport

assert sys.platform != "win32"  # it cannot fork


class Durations:
    """A pytest plugin that notes how long each test takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: "TestReport") -> None:
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration


def forked(work: Callable[[], int]) -> int:
    """Start the work in a fork of this process: its process id."""
    if child := os.fork():
        return child
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os._exit(work())
    except BaseException:
        os._exit(1)


def wait_for_fork(child: int) -> int:
    """How a fork ends, which ends with this process."""
    try:
        return os.waitpid(child, 0)[1]
    except BaseException:
        end_fork(child)
        raise


def end_fork(child: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def pytest_on(code: Path, arguments: list[str], plugins: list) -> int:
    """Run tests on the package below `code`, chance the same each time
    and few drawn calls of each name."""
    import pytest
    os.environ["PYTHONPATH"] = str(code)
    os.environ["EXAMPLES"] = "10"
    return int(pytest.main(
        ["-x", "-q", "-p", "no:cacheprovider",
         "--hypothesis-seed=0", "-o",
         f"pythonpath={code} . tests/support", *arguments], plugins,
    ))


def pytest_within(seconds: float, code: Path, tests: list[str]) -> int:
    """The same, ended by the system after so much processor time."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)
    return pytest_on(code, tests, [])


@dataclass(frozen=True)
class Known:
    """What some tests do while nothing is broken."""

    seconds: dict[str, float]                    # by test
    lines: dict[str, dict[int, list[str]]]       # file -> line -> tests


def tests_of(root: Path, module: str) -> tuple[Path, ...]:
    """The files that test a module.

    Tests import a module inside a package through that package, and some
    reach it through helpers alone.
    """
    package = module.split(".")[0]
    texts, helpers = (
        {file: file.read_text(encoding="utf-8")
         for file in sorted((root / "tests" / folder).glob(pattern))}
        for folder, pattern in (("scratch", "test_*.py"), ("support", "*.py"))
    )
    named = re.compile(
        rf"scratch\.{package}\b|from scratch import .*\b{package}\b"
    )
    naming = [h.stem for h, text in helpers.items() if named.search(text)]
    return tuple(
        file for file, text in texts.items()
        if "press.read.book" not in text and (
            named.search(text) or any(
                re.search(rf"^(from|import) {name}\b", text, re.MULTILINE)
                for name in naming
            )
        )
    )


@cache
def baseline(root: Path, tests: tuple[Path, ...]) -> Known | None:
    """How long each test takes and which lines it runs; nothing where one
    fails. Modules of one package ask for the same."""
    from coverage import CoverageData
    code = root / "code"
    with tempfile.TemporaryDirectory() as folder:
        data, times = Path(folder, "coverage"), Path(folder, "seconds.json")

        def work() -> int:
            os.environ["COVERAGE_FILE"] = str(data)
            durations = Durations()
            result = pytest_on(code, [
                f"--cov={code / 'scratch'}", "--cov-context=test",
                "--cov-report=", *map(str, tests),
            ], [durations])
            times.write_text(json.dumps(durations.seconds), encoding="utf-8")
            return result

        if wait_for_fork(forked(work)):
            return None
        found = CoverageData(basename=str(data))
        found.read()
        return Known(
            json.loads(times.read_text(encoding="utf-8")),
            {file: {line: [c.removesuffix("|run") for c in contexts if c]
                    for line, contexts in found.contexts_by_lineno(
                        file).items()}
             for file in found.measured_files()},
        )


def tests_for(known: Known, mutant: Mutant) -> list[str]:
    """The tests that run its line, the fastest first; all, for a line that
    runs when the module is imported."""
    seconds = known.seconds
    lines = known.lines.get(str(mutant.module), {})
    found = [t for t in lines.get(mutant.line, ()) if t in seconds]
    return sorted(found or seconds, key=seconds.__getitem__)


def judge(
    root: Path, listed: list[Mutant], known: Known, workers: int,
    tick: Callable[[], None],
) -> list[Mutant]:
    """Test each mutant, several at a time: those that nothing noticed."""
    running: dict[int, tuple[Mutant, Path, float]] = {}
    try:
        survivors = judge_with(running, root, listed, known, workers, tick)
        return sorted(survivors, key=lambda m: m.line)
    finally:   # where this was interrupted
        for child, (_, code, _) in running.items():
            end_fork(child)
            shutil.rmtree(code, ignore_errors=True)


def judge_with(
    running: dict[int, tuple[Mutant, Path, float]], root: Path,
    listed: list[Mutant], known: Known, workers: int,
    tick: Callable[[], None],
) -> list[Mutant]:
    survivors, waiting = [], list(listed)
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            code = Path(tempfile.mkdtemp(prefix="mutant-"))
            shutil.copytree(root / "code" / "scratch", code / "scratch",
                            ignore=shutil.ignore_patterns("__pycache__"))
            target = code / mutant.module.relative_to(root / "code")
            target.write_text(mutant.source, encoding="utf-8")
            tests = tests_for(known, mutant)
            limit = 30 + 5 * sum(known.seconds[t] for t in tests)
            child = forked(partial(pytest_within, limit, code, tests))
            running[child] = mutant, code, time.monotonic() + 10 * limit
        time.sleep(0.02)
        for child, (mutant, code, end) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and time.monotonic() < end:
                continue
            if not done:  # it hangs, which is noticed
                end_fork(child)
            elif status == 0:
                survivors.append(mutant)
            del running[child]
            shutil.rmtree(code, ignore_errors=True)
            tick()
    return survivors
