"""What tests of the verbs share."""

import pytest

from press import verbs
from tiny_runs import four_chapters


@pytest.fixture
def perform(tmp_path, monkeypatch, capsys):
    """Perform a verb on the book in `tmp_path`: its exit code and words."""
    monkeypatch.setattr(verbs, "ROOT", tmp_path)

    def action(verb, *arguments):
        code = verbs.perform(verb, list(arguments))
        return code, capsys.readouterr().err

    return action


@pytest.fixture
def four(tmp_path):
    """A tiny book of four chapters that import from one another."""
    return four_chapters(tmp_path)
