"""Tangle: gather the program text of the chapters into `code/`."""

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from press.errors import BookError, BookErrors
from press.files import laid_out, write
from press.read.book import Book
from press.read.cells import ANNOTATION, Cell
from press.read.chapters import Chapter
from press.tangle.merge import Block, Line, is_extension, merge

HEADER = re.compile(r"# Tangled from (.+)\. Checksum ([0-9a-f]{8})\.\n")

IMPORT_LIMIT = 60  # seconds that the import of all modules may take
# Ends by itself: whoever started it may have been killed.
IMPORTER = """\
import faulthandler, importlib, json, sys, traceback
faulthandler.dump_traceback_later(float(sys.argv[2]), exit=True)
sys.path.insert(0, sys.argv[1])
for name in sys.argv[3:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        frames = [(f.filename, f.lineno) for f in
                  traceback.extract_tb(error.__traceback__)]
        kind = type(error).__name__
        print(json.dumps([name, f'{kind}: {error}', frames]))
        sys.exit(1)
"""


@dataclass(frozen=True)
class Module:
    """One file of the package, and the cells it was gathered from."""

    path: PurePosixPath          # below code/
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        body = "".join(f"{line.text}\n" for line in self.lines)
        sources = dict.fromkeys(c.path.as_posix() for c in self.cells)
        return header(" and ".join(sources), body) + body

    @property
    def name(self) -> str:
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def lines(self) -> Block:
        """The lines below the header: two blank ones between cells."""
        found: Block = []
        for block in merge([program_lines(cell) for cell in self.cells]):
            blank = Line("", block[0].path, block[0].number)
            found += [blank, blank, *block] if found else block
        return found

    def locate(self, line: int) -> tuple[Path, int]:
        """The chapter and its line that a line of the text came from."""
        lines = self.lines
        if line - 2 >= len(lines):  # the first is the header
            return self.cells[-1].path, self.cells[-1].line
        found = lines[max(0, line - 2)]
        return found.path, found.number


def program_lines(cell: Cell) -> Block:
    return [
        Line(text, cell.path, cell.source_line + offset)
        for offset, text in enumerate(program_text(cell).split("\n"))
    ]


def program_text(cell: Cell) -> str:
    """A cell's body as it goes into a module."""
    return ANNOTATION.sub("", cell.source).rstrip()


def header(sources: str, body: str) -> str:
    return f"# Tangled from {sources}. Checksum {checksum(body)}.\n"


def checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:8]


def modules(chapters: tuple[Chapter, ...]) -> dict[PurePosixPath, Module]:
    """The modules that these chapters make, in reading order."""
    gathered: dict[PurePosixPath, list[Cell]] = {}
    errors = []
    for chapter in chapters:
        for cell in chapter.cells:
            if cell.filename is None:
                continue
            path = PurePosixPath(str(cell.filename))
            if message := path_fault(path, gathered):
                errors.append(BookError(
                    cell.path, cell.line_of("filename"), message
                ))
                continue
            gathered.setdefault(path, []).append(cell)
    if errors:
        raise BookErrors(errors)
    return {path: Module(path, tuple(c)) for path, c in gathered.items()}


def path_fault(
    path: PurePosixPath, others: Iterable[PurePosixPath]
) -> str | None:
    """What is wrong with the place of a module; None if nothing is."""
    if (
        path.parts[:1] != ("scratch",) or path.suffix != ".py"
        or len(path.parts) < 2
        or not all(n.isidentifier() for n in path.with_suffix("").parts)
    ):
        return (
            f"'{path}' is outside the package; write "
            "'#| filename: scratch/NAME.py' or 'scratch/FOLDER/NAME.py'"
        )
    for other in others:
        for module, inside in ((path, other), (other, path)):
            if module.with_suffix("") in inside.parents:
                return (
                    f"'{path}' and '{other}': Python would see the folder "
                    "and not the module; rename one"
                )
    return None


def through(book: Book, number: int) -> tuple[Chapter, ...]:
    """The chapters up to one number, with the appendices they rest on."""
    return tuple(
        c for c in book.chapters if c.appendix or int(c.number or 0) <= number
    )


def definitions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that a module binds at top level by def and class."""
    for node in tree.body:
        if is_extension(node):
            continue
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            yield node.name, node.lineno
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.lineno


def check_syntax(module: Module) -> None:
    """Each block parses, no name is defined twice, classes grow together."""
    seen: dict[str, tuple[Path, int]] = {}
    for cell in module.cells:
        try:
            tree = ast.parse(program_text(cell))
        except SyntaxError as error:
            line = cell.source_line + (error.lineno or 1) - 1
            raise BookError(
                cell.path, line,
                f"the program text does not parse: {error.msg}",
            )
        for name, line in definitions(tree):
            place = cell.path, cell.source_line + line - 1
            if name in seen:
                path, first = seen[name]
                raise BookError(
                    *place,
                    f"{module.path} already defines '{name}' at "
                    f"{path}:{first}; keep one, or rename this one",
                )
            seen[name] = place
    merge([program_lines(cell) for cell in module.cells])


def find_unknown_names(
    staged: dict[PurePosixPath, Module], folder: Path
) -> None:
    """Names used in a module and defined nowhere in it, found by ruff."""
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet",
         "--no-cache", "--select", "F821,F811,E9",
         "--output-format", "json", str(folder)],
        capture_output=True, encoding="utf-8",
    )
    if not found.stdout.strip():
        if found.returncode:
            raise BookError("code", None, f"ruff failed: {found.stderr}")
        return
    errors = []
    for row in json.loads(found.stdout):
        path = Path(row["filename"]).relative_to(folder.resolve())
        module = staged[PurePosixPath(path.as_posix())]
        place = module.locate(row["location"]["row"])
        advice = ""
        if row["code"] == "F821":
            advice = f"; import it in the first block of {module.path}"
        errors.append(BookError(*place, row["message"] + advice))
    if errors:
        raise BookErrors(errors)


def import_each(
    staged: dict[PurePosixPath, Module], folder: Path,
    names: list[PurePosixPath],
) -> None:
    """Import modules in a fresh interpreter, where no notebook helps."""
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", IMPORTER, str(folder),
         str(IMPORT_LIMIT), *(staged[n].name for n in names)],
        capture_output=True, encoding="utf-8", cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    if run.returncode == 0:
        return
    if run.stderr.startswith("Timeout "):
        frames = [(file, int(line)) for file, line in re.findall(
            r'^  File "(.+)", line (\d+)', run.stderr, re.MULTILINE)]
        raise BookError(
            *innermost(staged, folder, frames[::-1]), "the import of this "
            f"module has not ended after {IMPORT_LIMIT} s, and is here; does "
            "it loop?",
        )
    try:
        name, message, frames = json.loads(run.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise BookError("code", None, f"cannot import: {run.stderr.strip()}")
    module = next(m for m in staged.values() if m.name == name)
    place = innermost(staged, folder, frames, module)
    raise BookError(*place, f"'import {name}' fails: {message}")


def innermost(
    staged: dict[PurePosixPath, Module], folder: Path,
    frames: list[tuple[str, int]], module: Module | None = None,
) -> tuple[Path | str, int | None]:
    """Where in the chapters the last of the frames is that is in them."""
    place: tuple[Path | str, int | None] = "code", None
    if module:
        place = module.cells[0].path, module.cells[0].line
    for filename, line in frames:
        path = Path(filename)
        if path.is_relative_to(folder):
            inner = PurePosixPath(path.relative_to(folder).as_posix())
            if inner in staged:
                place = staged[inner].locate(line)
    return place


def check_tangled(book: Book) -> None:
    """Raise unless `code/` is just what the chapters make."""
    staged = modules(book.chapters)
    errors = []
    for path, module in staged.items():
        check_syntax(module)
        file = book.root / "code" / path
        if not file.exists():
            errors.append(BookError(
                f"code/{path}", None, "missing; run 'make tangle'"
            ))
        elif (found := file.read_text(encoding="utf-8")) != module.text:
            errors.append(difference(f"code/{path}", found, module))
    for file in orphans(book.root, staged):
        errors.append(BookError(
            file.relative_to(book.root).as_posix(), None,
            "no chapter makes this file; delete it, or give a cell "
            "'#| filename: "
            f"{file.relative_to(book.root / 'code').as_posix()}'",
        ))
    if errors:
        raise BookErrors(errors)


def difference(name: str, found: str, module: Module) -> BookError:
    """Say where a file and the chapters part, and who has to move."""
    if generated(found):
        return BookError(
            name, None, "older than its chapters; run 'make tangle'"
        )
    wanted = module.text.splitlines()
    line = 1
    for line, text in enumerate(found.splitlines(), 1):
        if line > 1 and (line > len(wanted) or wanted[line - 1] != text):
            break
    path, source = module.locate(line)
    return BookError(
        name, line,
        f"edited by hand; make the change at {path}:{source} instead, then "
        f"delete {name} and run 'make tangle'",
    )


def generated(text: str) -> bool:
    """Whether a file is still as the tangler wrote it."""
    match = HEADER.match(text)
    return match is not None and match[2] == checksum(text[match.end():])


def orphans(
    root: Path, staged: dict[PurePosixPath, Module]
) -> list[Path]:
    """Python files in `code/` that no chapter makes."""
    code = root / "code"
    return sorted(
        file for file in code.rglob("*.py")
        if PurePosixPath(file.relative_to(code).as_posix()) not in staged
    )


def tangle(book: Book) -> list[Path]:
    """Write `code/` from the chapters; return the files that changed.

    Nothing is written unless every module parses, lacks no name and
    imports. A file edited by hand is never overwritten.
    """
    code = book.root / "code"
    staged = modules(book.chapters)
    for module in staged.values():
        check_syntax(module)
    stale, errors = [], []
    for path, module in staged.items():
        file = code / path
        found = file.read_text(encoding="utf-8") if file.exists() else None
        if found == module.text:
            continue
        if found is not None and not generated(found):
            errors.append(difference(f"code/{path}", found, module))
        stale.append(path)
    leftover = orphans(book.root, staged)
    for file in leftover:
        if not generated(file.read_text(encoding="utf-8")):
            errors.append(BookError(
                file.relative_to(book.root).as_posix(), None,
                "no chapter makes this file; move it out of code/, or into "
                "a chapter",
            ))
    if errors:
        raise BookErrors(errors)
    if not stale and not leftover:
        return []

    with laid_out(texts(staged)) as folder:
        find_unknown_names(staged, folder)
        import_each(staged, folder, list(staged))

    for path in stale:
        write(code / path, staged[path].text.encode())
    for file in leftover:
        file.unlink()
    return [code / path for path in stale] + leftover


def texts(staged: dict[PurePosixPath, Module]) -> dict[str, bytes]:
    return {str(path): module.text.encode()
            for path, module in staged.items()}


def lint_book(book: Book) -> None:
    """Raise for names that a module uses and nobody defines there."""
    staged = modules(book.chapters)
    for module in staged.values():
        check_syntax(module)
    with laid_out(texts(staged)) as folder:
        find_unknown_names(staged, folder)
