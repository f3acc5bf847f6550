"""Check the program around the book: ruff, mypy and oxlint, one by one."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from press.errors import BookError
from press.progress import Reporter

PLATFORMS = ("linux", "win32")  # what mypy takes the program to run on
SCRIPTS = ("press", "figures")  # where the JavaScript of the pages is
SUMMARY = re.compile(r"\d+ problems?$")


def lint(root: Path, report: Reporter) -> int:
    """Say what each of the three finds; 1 if that is anything."""
    failed = []
    for name, check in CHECKS.items():
        faults = list(dict.fromkeys(check(root)))
        for fault in faults:
            report.say(fault)
        if faults:
            failed.append(name)
    if failed:
        report.say(f"faults found by {', '.join(failed)}")
        return 1
    report.say(f"{', '.join(CHECKS)}: no faults found")
    return 0


def check_style(root: Path) -> Iterator[str]:
    """What ruff finds in all Python of ours."""
    yield from faults_of(root, [
        sys.executable, "-m", "ruff", "check", "--quiet",
        "--output-format", "concise", ".",
    ])


def check_types(root: Path) -> Iterator[str]:
    """What mypy finds, on each platform; on both, where it is the same."""
    for platform in PLATFORMS:
        yield from faults_of(root, [
            sys.executable, "-X", "utf8", "-m", "mypy", "--platform",
            platform, "--cache-dir", str(Path(".cache", f"mypy-{platform}")),
            "--no-error-summary", "--show-error-codes",
        ])


def check_scripts(root: Path) -> Iterator[str]:
    """What oxlint finds in the scripts of the pages."""
    yield from faults_of(root, [
        linter("oxlint"), "--format", "unix", *SCRIPTS,
    ])


CHECKS = {
    "ruff": check_style, "mypy": check_types, "oxlint": check_scripts,
}


def faults_of(root: Path, command: list[str]) -> list[str]:
    """The lines that a checker prints, if it is not content."""
    done = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
        env=dict(os.environ, NO_COLOR="1"),
    )
    if not done.returncode:
        return []
    lines = [
        line for line in done.stdout.splitlines()
        if line.strip() and not SUMMARY.match(line)
    ]
    return lines or [f"{' '.join(command)} ended with {done.returncode}"]


def linter(name: str) -> str:
    """A linter that was installed with a package: on Windows too."""
    folder = sysconfig.get_path("scripts")
    found = shutil.which(name, path=folder)
    if not found:
        raise BookError(
            "lint", None, f"no {name} in {folder}; it is in "
            "requirements.lock, and 'make help' says how to set it up",
        )
    return found
