"""What each verb does, once its environment is set up."""

import errno
import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable

from press import lock, serve
from press.build import ALL, build
from press.check import audit, bench, lint, mutate, proof, reproduce, testing
from press.errors import BookError, BookErrors
from press.interrupt import run_child, say_stopped
from press.progress import Reporter
from press.read.book import read_book
from press.registry import parser
from press.run import data
from press.tangle import tangle
from press.venv import ROOT
from press.weave.shared import check_shared, write_shared

ENDLESS = {"serve", "preview"}   # they go on until they are stopped
REFUSED = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES,
    errno.EPERM,
}


def perform(verb: str, arguments: list[str]) -> int:
    """Run a verb; a fault in the book is a message and exit code 1."""
    options = parser(verb).parse_args(arguments)
    try:
        return attempt_verb(verb, options, Reporter())
    except KeyboardInterrupt:
        return say_stopped(*(["stopped"] if verb in ENDLESS else []))


def attempt_verb(verb: str, options: Namespace, report: Reporter) -> int:
    try:
        return ACTIONS[verb](options, report) or 0
    except (BookError, BookErrors) as error:
        report.say(str(error))
        return 1
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        report.say(
            f"{error.filename or 'the disk'}: {error.strerror}; _book/ is "
            "what it was before. Make room, or the folder writable, and run "
            "this again"
        )
        return 1


def do_book(options: Namespace, report: Reporter) -> None:
    book = read_book(ROOT)
    build(book, report, formats=ALL, paper=options.paper)
    write_shared(book)
    report.say("_book/index.html and _book/pytorch-from-scratch.pdf are made")


def do_html(options: Namespace, report: Reporter) -> None:
    build(read_book(ROOT), report, formats=("html",))
    report.say("_book/index.html is made")


def do_pdf(options: Namespace, report: Reporter) -> None:
    build(read_book(ROOT), report, formats=("pdf",), paper=options.paper)
    report.say("_book/pytorch-from-scratch.pdf is made")


def do_tangle(options: Namespace, report: Reporter) -> None:
    book = read_book(ROOT)
    if options.check:
        tangle.check_tangled(book)
        check_shared(book)
        report.say("code/ is what the chapters make")
        return
    written = tangle.tangle(book)
    write_shared(book)
    for file in written:
        report.say(f"tangled {file.relative_to(ROOT)}")
    if not written:
        report.say("code/ was up to date")


def do_proof(options: Namespace, report: Reporter) -> None:
    book = read_book(ROOT)
    proof.check_sources(book)
    tangle.lint_book(book)
    report.say("no faults found")


def do_quick(options: Namespace, report: Reporter) -> int:
    book = read_book(ROOT)
    tangle.check_tangled(book)
    data.fetch(book)
    return testing.run_quick(ROOT, options.rest)


def do_test(options: Namespace, report: Reporter) -> int:
    book = read_book(ROOT)
    tangle.check_tangled(book)
    build(book, report, formats=ALL)
    tier = testing.run_slow if options.slow else testing.run_daily
    return tier(ROOT, options.rest)


def do_lint(options: Namespace, report: Reporter) -> int:
    book = read_book(ROOT)
    tangle.check_tangled(book)
    check_shared(book)
    return lint.lint(ROOT, report)


def do_quarto(options: Namespace, report: Reporter) -> int:
    quarto = shutil.which("quarto")
    if not quarto:
        report.say(
            "Quarto is not installed. Install it from quarto.org, then run "
            "this again; 'make book' needs no Quarto."
        )
        return 1
    book = read_book(ROOT)
    tangle.tangle(book)
    write_shared(book)
    return run_child(
        [quarto, "render", "--output-dir", "_quarto"], cwd=ROOT,
        env=dict(os.environ, QUARTO_PYTHON=sys.executable),
    )


def do_serve(options: Namespace, report: Reporter) -> None:
    serve.serve(ROOT, options.port, report)


def do_preview(options: Namespace, report: Reporter) -> None:
    serve.preview(ROOT, options.port, report)


ACTIONS: dict[str, Callable[[Namespace, Reporter], int | None]] = {
    "book": do_book, "html": do_html, "pdf": do_pdf, "tangle": do_tangle,
    "proof": do_proof, "lint": do_lint, "quick": do_quick, "test": do_test,
    "quarto": do_quarto,
    "serve": do_serve, "preview": do_preview,
    "reproduce": lambda options, report: reproduce.compare(
        ROOT, report, dict(options.settings)
    ),
    "record": lambda options, report: reproduce.record(ROOT, report),
    "mutate": lambda options, report: mutate.mutate(
        ROOT, report, options.module, options.sample
    ),
    "audit": lambda options, report: audit.audit(ROOT, report),
    "lock": lambda options, report: lock.lock(
        ROOT, report, options.upgrade
    ),
    "bench": lambda options, report: bench.measure_builds(ROOT, report),
}
