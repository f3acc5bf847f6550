"""Mutants: a module of `scratch` with one small change.

An operator is exchanged, a number moved, a keyword dropped, a statement left
out: each should be noticed by a test.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div,
    ast.Div: ast.Mult, ast.MatMult: ast.Add, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr, ast.BitXor: ast.BitOr, ast.And: ast.Or,
    ast.Or: ast.And, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SAID = {  # keywords that only say something to people
    "help", "description", "epilog", "prog", "metavar", "formatter_class",
    "desc", "total", "leave", "disable",
}
STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Delete)
Placed = ast.expr | ast.stmt


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    module: Path
    line: int
    before: str
    after: str
    source: str


def mutants(module: Path) -> Iterator[Mutant]:
    """Every small change of a module that should be noticed."""
    source = module.read_text(encoding="utf-8")
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        return starts[line - 1] + column

    for node, new in changes(ast.parse(source)):
        first = place(node.lineno, node.col_offset)
        # a node that was parsed has an end
        last = place(node.end_lineno or 0, node.end_col_offset or 0)
        whole = source.encode()
        before = whole[first:last].decode()
        yield Mutant(
            module, node.lineno, " ".join(before.split()), new,
            (whole[:first] + new.encode() + whole[last:]).decode(),
        )


def changes(node: ast.AST) -> Iterator[tuple[Placed, str]]:
    """Nodes below this one, each with what to write in its place."""
    for child in ast.iter_child_nodes(node):
        if is_idle(child):
            continue
        if isinstance(child, Placed):
            yield from changes_of(child)
        if not isinstance(child, ast.Raise):
            yield from changes(child)


def changes_of(node: Placed) -> Iterator[tuple[Placed, str]]:
    """The same of one node itself, its decorators and its condition."""
    if isinstance(node, STATEMENTS):
        yield node, "pass"
    if isinstance(node, ast.Return) and node.value is not None:
        yield node, "return None"
    for variant in variants(node):
        text = ast.unparse(variant)
        yield node, text if is_closed(variant) else f"({text})"
    for decorator in getattr(node, "decorator_list", ()):
        if ast.unparse(decorator) != "staticmethod":
            yield decorator, "(lambda f: f)"
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield node.test, f"(not ({ast.unparse(node.test)}))"


def is_idle(node: ast.AST) -> bool:
    """Text, type or import: nothing that computes."""
    return (
        isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr)
        or isinstance(node, ast.keyword) and node.arg in SAID
        or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        or isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
    )


def is_same(node: ast.BinOp | ast.BoolOp | ast.AugAssign) -> bool:
    """Whether the operator's exchange changes nothing: x * -1, x / -1."""
    right = getattr(node, "right", getattr(node, "value", None))
    return isinstance(node.op, ast.Mult | ast.Div) and right is not None \
        and ast.unparse(right) in ("1", "-1")


def is_closed(node: ast.AST) -> bool:
    """Whether the node's text needs no brackets around it."""
    return isinstance(
        node, ast.Constant | ast.Call | ast.AugAssign
    ) and not ast.unparse(node).startswith("-")


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing about it changed."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        if type(node.op) in SWAPS and not is_same(node):
            yield changed(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            ops = [*node.ops[:i], SWAPS[type(op)](), *node.ops[i + 1:]]
            yield changed(node, ops=ops)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg in SAID:
                continue
            left = [*node.keywords[:i], *node.keywords[i + 1:]]
            yield changed(node, keywords=left)


def changed(node: ast.AST, **fields: object) -> ast.AST:
    result = copy.copy(node)
    for name, value in fields.items():
        setattr(result, name, value)
    return result
