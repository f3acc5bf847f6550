"""Say what the press is doing, without scrolling the screen away."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from press.read.book import Book
from press.read.chapters import Chapter
from press.run.kernel import Progress as Callback


class Reporter:
    """One line for each stage; a bar for each chapter that runs."""

    def __init__(self, quiet: bool = False):
        self.console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, message: str) -> None:
        try:
            self.console.print(message, markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            # rich keeps what it has written and would print it once more.
            with self.console.capture():
                raise

    @contextmanager
    def counting(self, name: str, total: int) -> Iterator[Callable[[], None]]:
        """A callback that moves a bar by one."""
        bar = Progress(
            TextColumn(f"{name:<14}"), BarColumn(32), MofNCompleteColumn(),
            TimeElapsedColumn(), console=self.console,
        )
        task = bar.add_task("", total=total)
        with bar:
            yield lambda: bar.advance(task)

    @contextmanager
    def running(self, book: Book) -> Iterator[Callback]:
        """A callback that moves a chapter's bar, cell by cell."""
        bars = Progress(
            TextColumn("{task.fields[chapter]:<14}"), BarColumn(32),
            MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self.console,
        )
        tasks: dict[str, TaskID] = {}

        def progress(
            chapter: Chapter, cell: str, position: int, total: int
        ) -> None:
            if chapter.name not in tasks:
                tasks[chapter.name] = bars.add_task(
                    "", chapter=chapter.name, total=total - 1
                )
                if not sys.stderr.isatty():
                    self.say(f"running {chapter.path}")
            bars.update(
                tasks[chapter.name], completed=position, description=cell
            )

        with bars:
            yield progress
            for task in tasks.values():
                bars.update(
                    task, completed=bars.tasks[task].total, description="done"
                )
