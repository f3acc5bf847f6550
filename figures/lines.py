"""Lines of code, as @sec-lines counts them."""

import ast
import inspect
import io
import tokenize
from collections.abc import Callable

LAYOUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT,
    tokenize.DEDENT, tokenize.ENDMARKER,
}


def code_lines(thing: Callable) -> tuple[int, int]:
    """Lines of a function or class that hold code, and those of its body.

    Blanks, comments and docstrings do not count; nor do, for the body,
    signatures and checks that only raise.
    """
    source = inspect.getsource(thing)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    rows = {
        n for t in tokens if t.type not in LAYOUT
        for n in range(t.start[0], t.end[0] + 1)
    }
    around: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            around |= {*range(node.lineno, node.body[0].lineno)}
        elif isinstance(node, ast.If) and isinstance(
            node.body[-1], ast.Raise
        ):
            around |= {*range(node.lineno, (node.end_lineno or 0) + 1)}
        elif isinstance(node, ast.Expr) and isinstance(
            node.value, ast.Constant
        ):
            rows -= {*range(node.lineno, (node.end_lineno or 0) + 1)}
    return len(rows), len(rows - around)
