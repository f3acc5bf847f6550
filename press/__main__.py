"""`python -m press VERB`: each verb of the Makefile, without make."""

import sys

from press import venv

VERBS = {
    "book": "tangle, run every cell, set the pages and the PDF",
    "html": "the pages only",
    "pdf": "the PDF only (--paper letter for US Letter)",
    "tangle": "write code/scratch/ from the chapters (--check: compare)",
    "proof": "check the sources: labels, links, options, line lengths",
    "test": "build the book, then run every test",
    "reproduce": "run every cell anew, compare with the recorded outputs",
    "record": "run every cell anew and record the outputs",
    "quarto": "render with real Quarto, where it is installed",
    "serve": "show _book/ on this machine (--port 8000)",
    "preview": "serve, and build again when a file changes",
    "mutate": "break each computing line of scratch, see a test fail",
    "bench": "measure how long a build takes",
    "audit": "look for known faults in the packages of the lock",
    "clean": "remove _book/ and .cache/",
    "help": "this list",
}


def usage() -> str:
    lines = [f"  {verb:<10} {what}" for verb, what in VERBS.items()]
    return "\n".join([
        "make VERB, or python -m press VERB:", "", *lines,
    ])


def main(arguments: list[str]) -> int:
    verb = arguments[0] if arguments else "help"
    if verb in ("help", "-h", "--help"):
        print(usage())
        return 0
    if verb not in VERBS:
        print(f"no verb '{verb}'\n\n{usage()}", file=sys.stderr)
        return 2
    if verb == "clean":
        return clean()
    venv.enter(arguments)
    from press.verbs import perform
    return perform(verb, arguments[1:])


def clean() -> int:
    import shutil
    for name in ("_book", ".cache", ".pytest_cache", ".ruff_cache"):
        shutil.rmtree(venv.ROOT / name, ignore_errors=True)
    for folder in venv.ROOT.glob("_book.*"):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
