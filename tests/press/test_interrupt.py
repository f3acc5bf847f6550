"""What is stopped says one line, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from press import interrupt
from press.check.mutants import Mutant
from press.errors import BookError
from press.read.book import read_book
from press.run import kernel, spec
from press.tangle import tangle
from tiny import HANGS, PROGRAM, REPO, cell, write_book
from tiny_runs import failure, program

posix = pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
HEARS = "from press import interrupt\ninterrupt.listen()\n" + PROGRAM
# Goes on for ever, and so does what it starts.
ENDLESS = """\
import subprocess, sys, time
sleep = "import time; time.sleep(3600)"
subprocess.Popen([sys.executable, "-c", sleep])
open("begun", "w").close()
time.sleep(3600)"""
LOOP = "while True:\n    pass"


def wait_for(what, process=None):
    end = time.monotonic() + HANGS
    while not what():
        assert time.monotonic() < end
        if process and process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path):
    """Start a verb on the book in `tmp_path`, in a group of its own."""
    started = []

    def begin(verb, program=HEARS):
        process = subprocess.Popen(
            [sys.executable, "-c", program, verb], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPO),
                 "MPLCONFIGDIR": str(tmp_path)},
            stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


@posix
@pytest.mark.parametrize("number, code", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143),
])
def test_a_build_that_is_stopped_leaves_no_process(
    tmp_path, start, number, code
):
    write_book(tmp_path, {
        "01-one": "# One\n\n" + cell(ENDLESS),
        "02-two": "# Two\n\n" + cell(LOOP)})
    process = start("html")
    wait_for((tmp_path / "begun").exists, process)
    children = family(process)
    assert len(children) >= 2
    process.send_signal(number)
    _, said = process.communicate(timeout=HANGS)
    assert process.returncode == code
    assert said.rstrip().endswith("\nstopped; nothing was changed")
    assert "Traceback" not in said and "Error" not in said
    _, alive = psutil.wait_procs(children, timeout=HANGS)
    assert not alive


@posix
def test_a_tangling_that_is_stopped_or_killed_leaves_no_process(
    tmp_path, start
):
    write_book(tmp_path, {"01-one": "# One\n\n" + program(
        f"open({str(tmp_path / 'begun')!r}, 'w').close()\n{LOOP}", "one")})
    process = start("tangle")
    wait_for((tmp_path / "begun").exists, process)
    children = family(process)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=HANGS)[1].endswith("changed\n")
    assert process.returncode == 143
    assert not psutil.wait_procs(children, timeout=HANGS)[1]
    (tmp_path / "begun").unlink()
    process = start("tangle", HEARS.replace(
        "verbs.ROOT", "verbs.tangle.IMPORT_LIMIT = 3\nverbs.ROOT"))
    wait_for((tmp_path / "begun").exists, process)
    children = family(process)
    process.kill()   # it can do nothing more, and they end themselves
    assert not psutil.wait_procs(children, timeout=HANGS)[1]


@posix
def test_a_stop_is_heard_from_the_first_moment_on(tmp_path):
    """Where the press is still being imported."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        (tmp_path / "press").mkdir(exist_ok=True)
        for name in ("__init__", "__main__", "interrupt"):
            text = (REPO / "press" / f"{name}.py").read_text(encoding="utf-8")
            (tmp_path / "press" / f"{name}.py").write_text(
                text, encoding="utf-8")
        (tmp_path / "press" / "command.py").write_text(
            f"import os\nos.kill(os.getpid(), {int(number)})\n"
            "import time\ntime.sleep(60)\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "press", "html"], cwd=tmp_path,
            capture_output=True, encoding="utf-8")
        assert (done.returncode, done.stderr) == (
            code, "stopped; nothing was changed\n")


@posix
def test_a_program_that_is_interrupted_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(interrupt, "GRACE", 1)

    def interrupted(self, timeout=None):
        if timeout is None and not stopped:
            stopped.append(self)
            wait_for((tmp_path / "begun").exists)
            raise KeyboardInterrupt
        return wait(self, timeout)

    stopped, wait = [], subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):   # it does not hear SIGTERM
        interrupt.run_child([
            sys.executable, "-c", "import signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"open({str(tmp_path / 'begun')!r}, 'w')\ntime.sleep(3600)"])
    assert stopped[0].returncode == -signal.SIGKILL


@posix
def test_what_judges_mutants_leaves_no_fork(tmp_path, monkeypatch):
    from press.check import judge

    def interrupted(seconds):
        children.extend(psutil.Process().children())
        raise KeyboardInterrupt

    children, mutant = [], Mutant(
        tmp_path / "code/scratch/a.py", "a = 1\n", 1, "", "")
    (tmp_path / "code" / "scratch").mkdir(parents=True)
    monkeypatch.setattr(judge, "pytest_within", lambda *_: time.sleep(3600))
    monkeypatch.setattr(judge.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        judge.judge(tmp_path, [mutant] * 3,
                    judge.Known({"t": 1}, {}), 2, lambda: None)
    assert len(children) >= 2
    assert not [c for c in children if c.is_running()
                and c.ppid() == os.getpid() and c.status() != "zombie"]


# ------------------------------------------------- what never comes so far


@pytest.mark.parametrize("source, line", [
    (f"a = 1\n\n\n{LOOP}", 8),
    ("import time\n\ntime.sleep(\n    3600\n)", 7),
])
def test_a_module_whose_import_does_not_end_is_named_with_its_line(
    tmp_path, monkeypatch, source, line
):
    monkeypatch.setattr(tangle, "IMPORT_LIMIT", 2)
    book = read_book(write_book(tmp_path, {
        "01-one": "# One\n\n" + program(source, "one"),
        "02-two": "# Two\n\n" + program("import scratch.one", "two")}))
    with pytest.raises(BookError) as caught:
        tangle.tangle(book)
    error = caught.value
    assert error.path == "book/01-one.qmd" and abs(error.line - line) <= 1
    assert "has not ended after 2 s" in error.message
    assert not (tmp_path / "code").exists()


def test_a_module_that_asks_for_input_gets_none(tmp_path):
    book = read_book(write_book(tmp_path, {
        "01-one": "# One\n\n" + program("input()", "one")}))
    with pytest.raises(BookError, match=r"01-one.qmd:5: .*EOFError"):
        tangle.tangle(book)


@pytest.mark.parametrize("code, said", [
    ("raise SystemExit('broken here')", "and says: broken here"),
    ("import time; time.sleep(3600)", "does not start within 3 s"),
])
def test_a_kernel_that_does_not_start_is_told(
    book_of, monkeypatch, code, said
):
    monkeypatch.setattr(kernel, "START_LIMIT", 3)
    usual = spec.KernelSpec
    monkeypatch.setattr(spec, "KernelSpec", lambda **options: usual(
        **{**options, "argv": [sys.executable, "-c", code]}))
    before = psutil.Process().children()
    message = failure(book_of("# One\n\n" + cell("1")))
    assert message.startswith("book/01-one.qmd:1: the kernel of this chapter")
    assert said in message and "Traceback" not in message
    left = [p for p in psutil.Process().children() if p not in before]
    assert not psutil.wait_procs(left, timeout=HANGS)[1]
