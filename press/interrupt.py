"""Ctrl-C and SIGTERM: one line, an exit code that says which, no orphan.

Both raise KeyboardInterrupt where the press is at work.
"""

import signal
import subprocess
import sys
from types import FrameType
from typing import Any

GRACE = 10  # seconds that a program has to end, once it is asked to
INTERRUPTED, TERMINATED = 130, 143
_terminated: list[int] = []


def listen() -> None:
    """From here on SIGTERM is taken for a Ctrl-C, with a code of its own."""
    signal.signal(signal.SIGTERM, on_terminate)


def on_terminate(number: int, frame: FrameType | None) -> None:
    _terminated.append(number)
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):   # asyncio has its own while a loop runs
        handler(signal.SIGINT, frame)
    else:
        raise KeyboardInterrupt


def exit_code() -> int:
    return TERMINATED if _terminated else INTERRUPTED


def stop_listening() -> None:
    """Once the last line is said, a further signal ends the process as it
    would any other, in silence."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def run_child(command: list[str], **options: Any) -> int:
    """Run a program to its end: its exit code. Where this is interrupted,
    the program is ended too."""
    child = subprocess.Popen(command, **options)
    try:
        return child.wait()
    except BaseException:
        child.terminate()
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise


def say_stopped(words: str = "stopped; nothing was changed") -> int:
    """The one line, and the exit code."""
    stop_listening()
    sys.stderr.write(words + "\n")
    return exit_code()
