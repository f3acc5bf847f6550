"""Look for known faults in the packages that the lock pins.

pip-audit is a package like the others: `press/check/audit.lock` pins it, `make
lock` makes that file, and it is installed by hash, into a folder of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from press.errors import BookError
from press.progress import Reporter

PINNED = Path(__file__).with_name("audit.lock")
SERVICES = ("pypi", "osv")
NOT_AUDITED = 2


def audit(root: Path, report: Reporter) -> int:
    """0: no known fault; 1: some; 2: no database was in reach."""
    program = install_audit(root, report)
    for service in SERVICES:
        packages = asked(root, program, service)
        looked_at = [p for p in packages if "vulns" in p]
        if looked_at:
            return told_of(packages, looked_at, report)
    report.say(
        "not audited: neither database of known faults "
        f"({', '.join(SERVICES)}) is in reach from here; run this again "
        "where one is"
    )
    return NOT_AUDITED


def told_of(packages: list, looked_at: list, report: Reporter) -> int:
    """Say what was found, and what could not be looked up."""
    found = 0
    for package in looked_at:
        for fault in package["vulns"]:
            found += 1
            repaired = ", ".join(fault["fix_versions"]) or "no version yet"
            report.say(
                f"{package['name']} {package['version']}: {fault['id']} "
                f"(repaired in {repaired})"
            )
    for package in packages:
        if "vulns" not in package:
            report.say(f"{package['name']}: not looked up, "
                       f"{package.get('skip_reason', 'no reason given')}")
    report.say(f"{len(looked_at)} of {len(packages)} packages looked up, "
               f"{found} known faults")
    return 1 if found else 0


def install_audit(root: Path, report: Reporter) -> Path:
    """The pip-audit that the lock pins, in `.cache/audit`."""
    place = root / ".cache" / "audit"
    program = place / (
        "Scripts/pip-audit.exe" if os.name == "nt" else "bin/pip-audit"
    )
    stamp = place / "set-up"
    wanted = PINNED.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        report.say("setting up pip-audit (once)")
        uv = [sys.executable, "-m", "uv"]
        called([*uv, "venv", "--quiet", "--clear",
                "--python", sys.executable, str(place)])
        called([*uv, "pip", "install", "--quiet", "--python", str(place),
                "--require-hashes", "-r", str(PINNED)])
        stamp.write_text(wanted, encoding="utf-8")
    return program


def called(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise BookError(
            "audit", None, "cannot set up pip-audit; is a Python package "
            f"registry in reach?\n{done.stderr.strip()}",
        )


def asked(root: Path, program: Path, service: str) -> list[dict]:
    """What one database knows of each package; nothing out of reach."""
    done = subprocess.run(
        [str(program), "--disable-pip", "--require-hashes",
         "--vulnerability-service", service, "--format", "json",
         "--progress-spinner", "off",
         "--requirement", str(root / "requirements.lock")],
        capture_output=True, encoding="utf-8",
    )
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return []
