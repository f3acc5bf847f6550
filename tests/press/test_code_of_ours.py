"""What holds for all Python of ours, and no linter sees."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
FILES = sorted(
    file for folder in ("press", "figures", "tests")
    for file in (REPO / folder).rglob("*.py")
)
RUNNERS = {"run", "Popen", "check_call", "check_output"}


def unencoded(source):
    """The lines of a program that read or write text in the encoding that
    the machine happens to have; on Windows it is not UTF-8.

    ruff sees those where it can tell what a name stands for.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(
            node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {word.arg: word.value for word in node.keywords}
        if "encoding" not in given and (
            name == "read_text" and not node.args
            or name == "write_text" and len(node.args) < 2
            or name == "open" and isinstance(node.func, ast.Name)
            and "b" not in ast.unparse(
                (*node.args[1:2], given.get("mode", ast.Constant("")))[0])
            or name in RUNNERS and any(
                ast.unparse(given[key]) != "False" for key in given
                if key in ("text", "universal_newlines"))
        ):
            yield node.lineno


@pytest.mark.parametrize("source", [
    "file.read_text()", "file.write_text(x)", "(a / b).read_text(errors=e)",
    "open(x)", "open(x, 'w')", "open(x, mode='r')", "open(x, mode=m)",
    "subprocess.run(x, text=True)", "Popen(x, universal_newlines=True)",
    "subprocess.check_output(x, text=wanted)",
])
def test_text_without_an_encoding_is_seen(source):
    assert list(unencoded(f"\n{source}")) == [2]


@pytest.mark.parametrize("source", [
    "file.read_text(encoding='utf-8')", "file.read_text('utf-8')",
    "file.write_text(x, 'utf-8')", "open(x, 'rb')", "open(x, mode='wb')",
    "open(x, encoding='utf-8')", "archive.open(x)", "subprocess.run(x)",
    "subprocess.run(x, text=True, encoding='utf-8')",
    "subprocess.run(x, text=False)", "run(x, encoding='utf-8')",
])
def test_text_with_its_encoding_and_bytes_pass(source):
    assert list(unencoded(source)) == []


def test_whatever_reads_or_writes_text_names_its_encoding():
    found = [
        f"{file.relative_to(REPO)}:{line}" for file in FILES
        for line in unencoded(file.read_text(encoding="utf-8"))
    ]
    assert len(FILES) > 80 and found == []


def test_who_is_sent_to_the_environment_finds_it_on_windows_too():
    """`.venv/bin` is `.venv\\Scripts` there."""
    texts = {
        file: file.read_text(encoding="utf-8")
        for pattern in ("*.md", "*.qmd", "book/*.qmd", "press/**/*.py")
        for file in REPO.glob(pattern)
    }
    assert [
        file.name for file, text in texts.items()
        if ".venv/bin/" in text and ".venv\\Scripts\\" not in text
    ] == []
