"""The command line: a verb, set up where it needs to be."""

import shutil
import sys

from press import venv
from press.registry import VERBS, parser, table, usage


def main(arguments: list[str]) -> int:
    """Do what the arguments say: the exit code."""
    verb, *rest = arguments or ["help"]
    if verb in ("-h", "--help"):
        verb = "help"
    if verb not in VERBS:
        print(f"no verb '{verb}'\n\n{usage()}", file=sys.stderr)
        return 2
    options = parser(verb).parse_args(rest)  # before anything is set up
    if verb == "help":
        print(table() if options.markdown else usage())
        return 0
    if verb == "clean":
        return clean()
    venv.enter(arguments)
    from press.verbs import perform
    return perform(verb, rest)


def clean() -> int:
    """Remove what can be made again."""
    for name in ("_book", ".cache", ".pytest_cache", ".ruff_cache",
                 ".mypy_cache"):
        shutil.rmtree(venv.ROOT / name, ignore_errors=True)
    for folder in venv.ROOT.glob("_book.*"):
        shutil.rmtree(folder, ignore_errors=True)
    return 0
