"""What tests of the verbs share."""

import pytest

from press import verbs


@pytest.fixture
def perform(tmp_path, monkeypatch, capsys):
    """Perform a verb on the book in `tmp_path`: its exit code and words."""
    monkeypatch.setattr(verbs, "ROOT", tmp_path)

    def action(verb, *arguments):
        code = verbs.perform(verb, list(arguments))
        return code, capsys.readouterr().err

    return action
