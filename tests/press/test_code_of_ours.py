"""What holds for all Python of ours, and no linter sees."""

import ast
import graphlib
import subprocess
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


# --------------------------------------------------------------- the house

PRESS = sorted((REPO / "press").rglob("*.py"))
LONGEST = 450
# The chapters, and what is data: locks, JSON, pictures, works cited.
DATA = {".qmd", ".lock", ".json", ".svg", ".png", ".bib"}


def defined(file):
    """The names that a module defines at its top."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(targets=targets):
                yield from (t.id for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_no_name_of_the_press_stands_for_two_things():
    homes = {}
    for file in PRESS:
        for name in defined(file):
            homes.setdefault(name, set()).add(file.relative_to(REPO))
    assert len(homes) > 500
    assert {n: homes[n] for n in homes if len(homes[n]) > 1} == {}
    stems = [file.stem for file in PRESS if not file.stem.startswith("__")]
    assert len(stems) == len(set(stems))


def test_no_file_is_too_long_to_be_read_at_once():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, capture_output=True, encoding="utf-8", check=True,
    ).stdout.splitlines()
    lengths = {
        name: (REPO / name).read_bytes().count(b"\n") for name in listed
        if Path(name).suffix not in DATA and (REPO / name).is_file()
    }
    assert len(lengths) > 200
    assert {n: k for n, k in lengths.items() if k > LONGEST} == {}


def imported(file):
    """The modules of the press that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{one.name}" for one in node.names]
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        for name in names:
            module = (REPO / name.replace(".", "/")).with_suffix(".py")
            if module in PRESS and module != file:
                yield module


def test_no_module_of_the_press_needs_itself():
    needs = {file: set(imported(file)) for file in PRESS}
    assert sum(map(len, needs.values())) > 200
    graphlib.TopologicalSorter(needs).prepare()   # raises for a circle
