"""Make every output again and compare it with the recorded one."""

import ast
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from press.check import proof
from press.errors import BookError
from press.files import write
from press.progress import Reporter
from press.read.book import Book, read_book
from press.read.cells import Cell
from press.read.chapters import Chapter
from press.run import data
from press.run.environment import environment
from press.run.inputs import device
from press.run.results import Result
from press.run.run import run_all
from press.run.steps import steps
from press.tangle.tangle import check_tangled
from press.weave.shared import MARKS

NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
VERDICTS = tuple(MARKS)   # from the firmest on


@dataclass(frozen=True)
class Recorded:
    """One output or inline value, and how firmly it must come back."""

    id: str             # "fig-x output 1", "inline 12"
    verdict: str        # exact, close or machine
    tolerance: float
    text: str


def entries(result: Result) -> Iterator[tuple[Recorded, int]]:
    """What a chapter shows, in order, each with its line.

    An inline value is as firm as the cells that made what it names; where
    it names nothing that a cell made, as the cell before it.
    """
    last = ("exact", 0.0)
    made: dict[str, tuple[str, float]] = {}  # by name
    unmarked: set[str] = set()  # made by cells that print nothing
    cells = inlines = 0
    for key, step in steps(result.chapter):
        if isinstance(step, Cell):
            cells += 1
            unmarked |= assigned(step.source)
            if "reproduce" in step.options:
                last = (step.options["reproduce"],
                        float(step.options.get("tolerance", 0)))
                made.update(dict.fromkeys(unmarked, last))
                unmarked.clear()
            verdict, tolerance = last
            if step.is_figure:
                continue
            for number, output in enumerate(result.outputs[key[0]], 1):
                text = printed_text(output)
                if text is not None and "reproduce" in step.options:
                    name = step.label or f"cell {cells}"
                    yield Recorded(
                        f"{name} output {number}", verdict, tolerance, text
                    ), step.line
        else:
            inlines += 1
            named = [made[n] for n in names_read(step.source) if n in made]
            verdict, tolerance = max(named or [last], key=looseness)
            yield Recorded(
                f"inline {inlines}", verdict, tolerance, result.values[key]
            ), step.line


def looseness(firmness: tuple[str, float]) -> tuple[int, float]:
    verdict, tolerance = firmness
    return VERDICTS.index(verdict), tolerance


def assigned(source: str) -> set[str]:
    """The variables that a cell gives a value at its top level."""
    found: set[str] = set()
    waiting: list[ast.AST] = [parsed(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        waiting.extend(ast.iter_child_nodes(node))
    return found


def names_read(expression: str) -> set[str]:
    """The names that an expression reads."""
    return {n.id for n in ast.walk(parsed(expression))
            if isinstance(n, ast.Name)}


def parsed(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:  # IPython's own syntax
        return ast.Module([], [])


def printed_text(output: dict) -> str | None:
    if output["output_type"] == "stream":
        return output["text"] if output["name"] == "stdout" else None
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    data = output.get("data", {})
    return data.get("text/markdown", data.get("text/plain"))


def count_pictures(result: Result) -> int:
    """How many outputs are pictures, of which no record is kept."""
    return sum(
        any(kind.startswith("image/") for kind in output.get("data", ()))
        for outputs in result.outputs.values() for output in outputs
    )


def agrees(recorded: Recorded, found: Recorded) -> bool:
    """Whether a value made again is what its class promises."""
    if found.verdict == "machine":  # a sentence may be there or not
        return bool(found.text.strip()) or found.id.startswith("inline")
    if found.verdict == "exact":
        return recorded.text == found.text
    if NUMBER.sub("#", recorded.text) != NUMBER.sub("#", found.text):
        return False
    return all(
        near(a, b, found.tolerance) for a, b in zip(
            NUMBER.findall(recorded.text), NUMBER.findall(found.text),
            strict=True,
        )
    )


def near(recorded: str, found: str, tolerance: float) -> bool:
    """Within the tolerance, or one unit of the last decimal printed."""
    a, b = (float(text.replace(",", "")) for text in (recorded, found))
    allowed = tolerance * max(1.0, abs(a))
    if not recorded.lstrip("+-").replace(",", "").isdigit():
        allowed = max(allowed, last_digit(recorded))
    return abs(a - b) <= allowed * (1 + 1e-9)


def last_digit(text: str) -> float:
    mantissa, _, exponent = text.lower().replace(",", "").partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


# --------------------------------------------------------------- records


def folder(root: Path) -> Path:
    return root / "book" / "recorded" / "outputs"


def made_anew(
    root: Path, report: Reporter, settings: dict[str, str] | None = None,
) -> tuple[Book, list[Result]]:
    book = replace(read_book(root), settings=settings or {})
    proof.check_sources(book)
    check_tangled(book)
    data.fetch(book)
    with tempfile.TemporaryDirectory() as cache, report.running(book) as bar:
        return book, run_all(book, progress=bar, cache=Path(cache))


def record(root: Path, report: Reporter) -> None:
    """Run every cell from nothing and write down what it gave."""
    book, results = made_anew(root, report)
    proof.check_outputs(results)
    made_on = machine(book)
    for result in results:
        content = {
            "made on": made_on,
            "entries": [asdict(entry) for entry, _ in entries(result)],
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write(
            folder(root) / f"{result.chapter.name}.json", text.encode())
    report.say(f"recorded {len(results)} chapters in book/recorded/outputs/")


def machine(book: Book) -> dict[str, str]:
    """What the numbers of a run may depend on, besides the book."""
    environ = environment(book)
    return {
        "platform": platform.platform(terse=True),
        "machine": platform.machine(),
        "cpu": cpu(),
        "instructions": instructions(environ),
        "device": device(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "threads": environ.get("OMP_NUM_THREADS", ""),
    }


def cpu(listed: Path = Path("/proc/cpuinfo")) -> str:
    """The name of the processor."""
    if listed.exists():
        for line in listed.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def instructions(environ: dict[str, str]) -> str:
    """The instruction set that torch's kernels take: AVX2, AVX512, ..."""
    return subprocess.run(
        [sys.executable, "-c", "import torch; "
         "print(torch.backends.cpu.get_cpu_capability())"],
        env=environ, capture_output=True, encoding="utf-8", check=True,
    ).stdout.strip()


def recorded(root: Path, chapter: Chapter) -> dict[str, Recorded]:
    file = folder(root) / f"{chapter.name}.json"
    name = file.relative_to(root).as_posix()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {e["id"]: Recorded(**e) for e in content["entries"]}
    except FileNotFoundError:
        raise BookError(name, None, "no record; run 'make record'")
    except (ValueError, KeyError, TypeError):
        raise BookError(name, None, "not a record; run 'make record'")


def compare(
    root: Path, report: Reporter, settings: dict[str, str] | None = None,
) -> int:
    """Run every cell from nothing and say what differs from the record.

    settings: variables of the environment, over those of `_environment`.
    """
    book, results = made_anew(root, report, settings)
    table = Table("chapter", *VERDICTS, "differ")
    total = dict.fromkeys((*VERDICTS, "differ"), 0)
    differences = []
    for result in results:
        before = recorded(root, result.chapter)
        counts = dict.fromkeys(total, 0)
        for entry, line in entries(result):
            old = before.pop(entry.id, None)
            if old and agrees(old, entry):
                counts[entry.verdict] += 1
                continue
            counts["differ"] += 1
            was = repr(old.text) if old else "nothing"
            differences.append(BookError(
                result.chapter.path, line,
                f"{entry.id} ({entry.verdict}): recorded {was}, "
                f"found {entry.text!r}",
            ))
        for old in before.values():
            counts["differ"] += 1
            differences.append(BookError(
                result.chapter.path, None,
                f"{old.id}: recorded {old.text!r}, found nothing",
            ))
        table.add_row(result.chapter.name, *map(str, counts.values()))
        for name, count in counts.items():
            total[name] += count
    report.console.print(table)
    for difference in differences:
        report.say(str(difference))
    if pictures := sum(map(count_pictures, results)):
        report.say(f"{pictures} pictures were drawn, and are not compared")
    report.say(
        f"{sum(total.values())} numbers: {total['exact']} exact, "
        f"{total['close']} close, {total['machine']} of this machine, "
        f"{total['differ']} differ"
    )
    return 1 if differences else 0
