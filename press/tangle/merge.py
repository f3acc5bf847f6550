"""Merge the bodies of a class that grows over several cells.

A notebook adds to a class with `@extends(Module)` above a second
`class Module:`. In a module its bodies stand below one another, in reading
order, where the class first stood.
"""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from press.errors import BookError

DECORATOR = "extends"
IMPORT = f"from scratch.{DECORATOR} import {DECORATOR}"


@dataclass(frozen=True)
class Line:
    """A line of program text, and where in the chapters it stands."""

    text: str
    path: Path
    number: int


Block = list[Line]


@dataclass
class Growing:
    """A class of a module, and what its bodies have bound so far."""

    block: Block
    last: Line     # where the next body is added
    indent: int
    members: dict[str, Line] = field(default_factory=dict)


def merge(blocks: list[Block]) -> list[Block]:
    """The blocks of a module with the bodies of each class together.

    Raises BookError where the notebook and the module would not agree.
    """
    blocks = [list(block) for block in blocks]
    classes: dict[str, Growing] = {}
    for block in blocks:
        try:
            tree = ast.parse(text_of(block))
        except SyntaxError:
            continue  # named by the tangler
        lines = list(block)
        reads = class_level_reads(text_of(block))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            first, last = extent(lines, node)
            if is_extension(node):
                base = check_extension(
                    lines, node, reads.get(node.lineno, set()), classes
                )
                body = lines[node.lineno:last]
                above = [
                    Line(" " * base.indent + line.text, line.path, line.number)
                    for line in lines[first:decorated_from(node)]
                ]
                cut(block, lines[first:last])
                add(base, above + stripped(body))
            else:
                base = classes[node.name] = Growing(
                    block, lines[last - 1], node.body[0].col_offset
                )
                if node.body[0].lineno == node.lineno:
                    base.indent = 0  # the body is on the same line
            base.members.update(bound_in(lines, node))
    drop_import(blocks)
    return [block for block in blocks if block]


def text_of(block: Block) -> str:
    return "\n".join(line.text for line in block)


def is_extension(node: ast.stmt) -> bool:
    """Whether a statement is a class below `@extends(…)`."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Name)
        and d.func.id == DECORATOR for d in node.decorator_list
    )


def decorated_from(node: ast.ClassDef) -> int:
    """The index of a class's first line, its decorators included."""
    lines = [node.lineno, *(d.lineno for d in node.decorator_list)]
    return min(lines) - 1


def extent(lines: Block, node: ast.ClassDef) -> tuple[int, int]:
    """From where to where a class reaches: with the comments just above
    its decorators, and those that end its body."""
    first, last = decorated_from(node), node.end_lineno or node.lineno
    while is_extension(node) and first and is_comment(lines[first - 1], ""):
        first -= 1
    end = last
    while end < len(lines) and (
        not lines[end].text.strip() or is_comment(lines[end], " ")
    ):
        end += 1
        if lines[end - 1].text.strip():
            last = end
    return first, last


def is_comment(line: Line, indent: str) -> bool:
    return line.text.lstrip().startswith("#") and (
        line.text.startswith(indent or "#")
    )


def check_extension(
    lines: Block, node: ast.ClassDef, reads: set[str],
    classes: dict[str, Growing],
) -> Growing:
    """The class that an extension adds to; an error where it cannot."""
    def fault(line: Line, message: str) -> BookError:
        return BookError(line.path, line.number, message)

    here, name = lines[node.lineno - 1], node.name
    call = node.decorator_list[0]
    if (
        len(node.decorator_list) > 1 or not isinstance(call, ast.Call)
        or [ast.unparse(a) for a in call.args] != [name] or call.keywords
        or node.bases or node.keywords
    ):
        raise fault(here, f"write '@{DECORATOR}({name})' alone above "
                    f"'class {name}:', without a base")
    if name not in classes:
        raise fault(here, f"no cell above defines the class '{name}' in this "
                    f"module; leave out '@{DECORATOR}({name})'")
    base, first = classes[name], node.body[0]
    if first.lineno == node.lineno or first.col_offset != base.indent:
        raise fault(here, f"the bodies of '{name}' need lines of their own, "
                    "indented alike")
    if ast.get_docstring(node, clean=False) is not None:
        raise fault(lines[first.lineno - 1], f"the docstring of '{name}' "
                    "belongs into its first body; make this a comment")
    for member, line in bound_in(lines, node).items():
        if member in base.members:
            known = base.members[member]
            raise fault(line, f"'{name}' already has '{member}' at "
                        f"{known.path}:{known.number}; keep one, or rename "
                        "this one")
        if member == "__slots__":
            raise fault(line, "a class that exists gets no '__slots__'")
    for member in sorted(reads & base.members.keys()):
        raise fault(here, f"this body reads '{member}', which a notebook does "
                    f"not find here; write '{name}.{member}', or move the "
                    "line into the body that defines it")
    return base


def class_level_reads(source: str) -> dict[int, set[str]]:
    """The names that the body itself of each class reads and does not bind,
    by the line of the class."""
    tables = symtable.symtable(source, "<cell>", "exec").get_children()
    return {
        table.get_lineno(): {
            symbol.get_name() for symbol in table.get_symbols()
            if symbol.is_referenced() and not symbol.is_assigned()
        }
        for table in tables if table.get_type() == "class"
    }


def bound_in(lines: Block, node: ast.ClassDef) -> dict[str, Line]:
    """The names that a class's body binds, each with its first line."""
    found: dict[str, Line] = {}
    for statement in node.body:
        for name, number in bindings(statement):
            found.setdefault(name, lines[number - 1])
    return found


def bindings(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The names that a statement binds in its own scope."""
    if isinstance(
        node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ):
        yield node.name, node.lineno
        return
    if isinstance(
        node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp
        | ast.GeneratorExp
    ):
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, node.lineno
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], node.lineno
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs) and node.name:
        yield node.name, node.lineno
    for child in ast.iter_child_nodes(node):
        yield from bindings(child)


def cut(block: Block, lines: Block) -> None:
    """Take lines out, and leave two blank ones between what is left."""
    start = block.index(lines[0])
    before, after = block[:start], block[start + len(lines):]
    before, after = stripped(before), stripped(after)
    if before and after:
        blank = Line("", after[0].path, after[0].number)
        before += [blank, blank]
    block[:] = before + after


def stripped(lines: Block) -> Block:
    """Lines without blank ones before and after."""
    full = [i for i, line in enumerate(lines) if line.text.strip()]
    return lines[full[0]:full[-1] + 1] if full else []


def add(base: Growing, body: Block) -> None:
    """Put a body below those that a class has."""
    place = base.block.index(base.last) + 1
    blank = Line("", body[0].path, body[0].number)
    base.block[place:place] = [blank, *body]
    base.last = body[-1]


def drop_import(blocks: list[Block]) -> None:
    """Take out the imports of the decorator where it is not used."""
    source = "\n".join(map(text_of, blocks))
    if IMPORT not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == DECORATOR:
            return
    for block in blocks:
        block[:] = [line for line in block if line.text != IMPORT]
        block[:] = stripped(block)
