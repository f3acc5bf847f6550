"""Run the tests, in tiers and in two processes.

The tests that drive a browser have a process of their own: synchronous
Playwright and `asyncio.run` do not mix. Each process spreads its tests
over the cores.
"""

import os
import sys
from pathlib import Path

from press.interrupt import run_child

QUICK = ("tests/scratch", "tests/press")
QUICKLY = "not slow and not daily and not browser"
NO_TESTS = 5  # how pytest ends when none was selected


def run_quick(root: Path, chosen: list[str]) -> int:
    """The tests that need no book to be built; `chosen` goes to pytest."""
    return pytest(root, QUICKLY, [*QUICK, *chosen])


def run_daily(root: Path, chosen: list[str]) -> int:
    """All that a change can break, with the lines they cover."""
    if chosen:
        return pytest_twice(root, "not slow", chosen)
    return worst(
        pytest(root, "not slow and not browser", ["--cov", "--cov-report="]),
        pytest(root, "not slow and browser", ["--cov", "--cov-append"]),
    )


def run_slow(root: Path, chosen: list[str]) -> int:
    """The long ones alone."""
    return pytest_twice(root, "slow", chosen)


def pytest_twice(root: Path, marks: str, chosen: list[str]) -> int:
    """Without the browser and with it; one of the two may have no test."""
    codes = [pytest(root, f"{marks} and not browser", chosen),
             pytest(root, f"{marks} and browser", chosen)]
    if NO_TESTS in codes:
        codes.remove(NO_TESTS)
    return worst(*codes)


def worst(*codes: int) -> int:
    """0 where all are."""
    return next((code for code in codes if code), 0)


def pytest(root: Path, marks: str, arguments: list[str]) -> int:
    """One process of pytest, with a worker a core: its exit code."""
    workers = os.cpu_count() or 1
    return run_child(
        [sys.executable, "-m", "pytest", "-q", "-m", marks, "-n",
         str(workers), "--dist", "worksteal", *arguments], cwd=root,
    )
