"""Break each computing line of `scratch`, and see whether a test notices.

    make mutate ARGS="--module optim --sample 100"
"""

import os
import random
import sys
from pathlib import Path

from rich.table import Table

from press.check.mutants import mutants
from press.errors import BookError
from press.progress import Reporter


def mutate(
    root: Path, report: Reporter, chosen: list[str], sample: int | None,
) -> int:
    """Break the modules chosen, or all; 1 if a mutant went unnoticed."""
    if sys.platform == "win32":
        raise BookError(
            "mutate", None, "needs a POSIX system: it tests each mutant in "
            "a fork; on Windows run it under WSL",
        )
    import torch

    from press.check import judge
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.chdir(root)
    sys.path[:] = [p for p in sys.path if Path(p) != root / "code"]
    table = Table("module", "lines", "mutants", "caught", "share")
    total = missed = 0
    scratch = root / "code" / "scratch"
    for file in sorted(scratch.rglob("*.py")):
        name = ".".join(file.relative_to(scratch).with_suffix("").parts)
        if chosen and not any(f"{name}.".startswith(f"{c}.") for c in chosen):
            continue
        listed = list(mutants(file))
        if not listed:  # such as an __init__.py, which only imports
            continue
        random.Random(0).shuffle(listed)
        listed = listed[:sample]
        path = file.relative_to(root).as_posix()
        tests = judge.tests_of(root, name)
        if not tests:
            raise BookError(path, None, "has no tests")
        known = judge.baseline(root, tests)
        if known is None:
            raise BookError(
                path, None,
                "its tests fail without any change; run 'make test' first",
            )
        with report.counting(name, len(listed)) as tick:
            survivors = judge.judge(
                root, listed, known, os.cpu_count() or 1, tick
            )
        for m in survivors:
            report.say(f"{path}:{m.line}: nothing "
                       f"noticed '{m.before}' become '{m.after}'")
        n, bad = len(listed), len(survivors)
        total, missed = total + n, missed + bad
        table.add_row(name, str(len({m.line for m in listed})), str(n),
                      str(n - bad), f"{(n - bad) / max(n, 1):.1%}")
    table.add_row("all", "", str(total), str(total - missed),
                  f"{(total - missed) / max(total, 1):.1%}")
    report.console.print(table)
    return 1 if missed else 0
