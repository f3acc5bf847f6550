"""The verbs: the one list that make, `python -m press`, its help and the
table of README take them from."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """Something that `make NAME` and `python -m press NAME` do."""

    name: str
    what: str              # one line, in Markdown
    options: tuple = ()    # (name, how argparse reads it) each


def setting(text: str) -> tuple[str, str]:
    """NAME=VALUE in two."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return name, value


def port_number(text: str) -> int:
    """A port that a program may ask for; 0 is any that is free."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no port; write a number up to 65535")
    return int(text)


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not 1, 2, 3, ...")
    return int(text)


PAPER = ("--paper", dict(choices=("a4", "letter"), default="a4",
                         help="the paper of the PDF"))
REST = ("rest", dict(nargs="*", metavar="PYTEST",
                     help="after --: arguments of pytest"))
PORT = ("--port", dict(type=port_number, default=8000,
                       help="where to listen on this machine"))

VERBS = {verb.name: verb for verb in (
    Verb("book", "tangle, run every cell, set the pages, the PDF and what "
         "readers take along", (PAPER,)),
    Verb("html", "the pages only"),
    Verb("pdf", "the PDF only (`--paper letter` for US Letter)", (PAPER,)),
    Verb("tangle", "write `code/scratch/` from the chapters (`--check` "
         "compares)", (("--check", dict(
             action="store_true", help="only say what is not up to date",
         )),)),
    Verb("proof", "check the sources: labels, links, options, line lengths"),
    Verb("lint", "check the program around the book: ruff, mypy, oxlint"),
    Verb("quick", "the tests that need no build (`-- -k optim` selects)",
         (REST,)),
    Verb("test", "the book, then every test that a change can break, with "
         "the lines they cover (`-- -k optim` selects, `--slow` runs the "
         "long ones)", (
             ("--slow", dict(action="store_true", help="the long ones: "
              "a thousand graphs, random kills, trainings, mutants")),
             REST,
         )),
    Verb("reproduce", "run every cell anew and compare with the recorded "
         "outputs (`--set OMP_NUM_THREADS=2`: under other settings)", (
             ("--set", dict(
                 action="append", default=[], metavar="NAME=VALUE",
                 dest="settings", help="run with this in the environment, "
                 "such as ATEN_CPU_CAPABILITY=default", type=setting,
             )),
         )),
    Verb("record", "run every cell anew and record the outputs"),
    Verb("quarto", "render with real Quarto, where that is installed"),
    Verb("serve", "show the book on this machine", (PORT,)),
    Verb("preview", "serve, and build again on every change", (PORT,)),
    Verb("bench", "measure how long the builds take, and how fast the "
         "training loops are"),
    Verb("mutate", "break each computing line of `scratch`, and see a test "
         "fail (`--module optim`)", (
             ("--module", dict(action="append", default=[],
                               help="only this one; may stand again")),
             ("--sample", dict(type=count, help="so many mutants a module")),
         )),
    Verb("audit", "look for known faults in the pinned packages; says so "
         "where no database is in reach"),
    Verb("lock", "make `requirements.lock` anew from `pyproject.toml` "
         "(`--upgrade`: with the newest versions)", (
             ("--upgrade", dict(action="store_true", help="take the newest "
              "version of each package, not the one locked")),
         )),
    Verb("clean", "remove `_book/` and the cache"),
    Verb("help", "this list", (("--markdown", dict(
        action="store_true", help="as README shows it")),)),
)}


def parser(verb: str) -> argparse.ArgumentParser:
    """What reads the options of a verb."""
    found = VERBS[verb]
    result = argparse.ArgumentParser(
        prog=f"press {verb}", description=found.what.replace("`", ""),
    )
    for name, reads in found.options:
        result.add_argument(name, **reads)
    return result


def usage() -> str:
    """The list that `help` prints."""
    lines = [f"  {verb.name:<10} {verb.what.replace('`', '')}"
             for verb in VERBS.values()]
    return "\n".join([
        "make VERB, or python -m press VERB; options after ARGS, as in",
        'make test ARGS="-- -k optim", or as they are: python -m press test '
        "-- -k optim", "", *lines,
    ])


def table() -> str:
    """The list as README shows it."""
    rows = [f"| `make {verb.name}` | {verb.what} |"
            for verb in VERBS.values()]
    return "\n".join(["| verb | what it does |", "|:--|:--|", *rows])
