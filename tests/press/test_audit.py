"""An audit that did not happen does not look like one that passed."""

import json
import os
import sys

import pytest

from press.check import audit
from press.errors import BookError
from press.progress import Reporter

CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [
    {"id": "PYSEC-1", "fix_versions": ["3", "4"]},
    {"id": "PYSEC-2", "fix_versions": []},
]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.fixture
def audited(tmp_path, monkeypatch, capsys):
    """Audit with a program that prints what each database would answer."""
    if os.name == "nt":
        pytest.skip("needs a script that is a program")
    program = tmp_path / "pip-audit"

    def run(**answers):
        program.write_text(
            # No first line can name a path with a space in it.
            f"#!/bin/sh\n'''exec' '{sys.executable}' \"$0\" \"$@\"\n"
            "'''\nimport sys\n"
            "service = sys.argv[sys.argv.index("
            "'--vulnerability-service') + 1]\n"
            f"print({answers!r}.get(service, ''))\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        monkeypatch.setattr(audit, "install_audit", lambda *_: program)
        code = audit.audit(tmp_path, Reporter())
        return code, capsys.readouterr().err

    return run


def answer(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


def test_no_known_fault_is_exit_code_0(audited):
    assert audited(pypi=answer(CLEAN, CLEAN)) == (
        0, "2 of 2 packages looked up, 0 known faults\n"
    )


def test_a_known_fault_is_named_with_its_repair(audited):
    code, said = audited(pypi=answer(CLEAN, BAD, SKIPPED))
    assert code == 1
    assert said.splitlines() == [
        "b 2: PYSEC-1 (repaired in 3, 4)",
        "b 2: PYSEC-2 (repaired in no version yet)",
        "c: not looked up, not found",
        "2 of 3 packages looked up, 2 known faults",
    ]


@pytest.mark.parametrize("answers", [
    {}, {"pypi": answer(SKIPPED)}, {"pypi": answer(SKIPPED), "osv": "no"},
    {"pypi": "{}", "osv": "[]"},
])
def test_no_database_in_reach_is_said_and_is_no_success(audited, answers):
    code, said = audited(**answers)
    assert code == audit.NOT_AUDITED
    assert said.startswith("not audited: neither database")


def test_the_second_database_is_asked_where_the_first_is_silent(audited):
    assert audited(pypi=answer(SKIPPED), osv=answer(BAD))[0] == 1


def test_pip_audit_is_pinned_with_hashes_and_no_address():
    lock = audit.PINNED.read_text(encoding="utf-8")
    blocks = lock.strip().split("\n")
    names = [line for line in blocks if not line.startswith(" ")]
    assert any(n.startswith("pip-audit==") for n in names)
    assert all("==" in n and n.endswith("\\") for n in names)
    assert lock.count("--hash=sha256:") >= len(names)
    assert "://" not in lock


def test_a_set_up_that_fails_says_what_it_needs():
    with pytest.raises(BookError, match="registry in reach"):
        audit.called([sys.executable, "-c", "raise SystemExit(1)"])
