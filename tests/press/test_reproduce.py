"""Every number comes back as firmly as its page promises."""

import io
import json
import os

import pytest

from press import verbs
from press.check import reproduce
from press.check.reproduce import Recorded, agrees, entries, last_digit, near
from press.errors import BookError, BookErrors
from press.progress import Reporter
from press.read.book import read_book
from press.run.results import Result
from press.run.steps import steps
from press.tangle import tangle
from tiny import cell, write_book


def entry(text, verdict="exact", tolerance=0.0):
    return Recorded("a", verdict, tolerance, text)


# -------------------------------------------------------------- agreement


@pytest.mark.parametrize("recorded, found, agree", [
    ("0.123456", "0.123456", True),
    ("0.123456", "0.123457", False),
    ("loss 1\n", "loss 1", False),
    ("", "", True),
])
def test_exact_means_the_same_characters(recorded, found, agree):
    assert agrees(entry(recorded), entry(found)) is agree


@pytest.mark.parametrize("recorded, found, agree", [
    ("loss 0.123456", "loss 0.123466", True),
    ("loss 0.123456", "loss 0.123476", False),
    ("loss 0.123456", "cost 0.123456", False),
    ("loss 0.123456", "loss 0.123456 0.1", False),
    ("loss 0.123456", "loss nan", False),
    ("loss nan", "loss nan", True),
    ("12345.6789", "12345.7989", True),
    ("12345.6789", "12345.8089", False),
    ("-0.100000", "0.100000", False),
    ("1.00000e-3", "1.00900e-03", True),
    ("60,000.00000", "60000.00000", True),
    ("a 1.000000 b 2.000000", "a 1.000001 b 2.000100", False),
    ("a 1.000000 b 2.000000", "a 1.000001 b 2.000001", True),
])
def test_close_means_within_the_tolerance_of_each_number(
    recorded, found, agree
):
    close = entry(found, "close", 1e-5)
    assert agrees(entry(recorded, "close", 1e-5), close) is agree


@pytest.mark.parametrize("recorded, found, tolerance, agree", [
    ("100.0", "101.0", 0.01, True),      # relative above 1
    ("100.0", "101.2", 0.01, False),
    ("0.5000", "0.5099", 0.01, True),    # absolute below 1
    ("0.5000", "0.5102", 0.01, False),
    ("0.97", "0.98", 1e-9, True),        # one unit of what is printed
    ("0.97", "0.99", 1e-9, False),
    ("2.5e-07", "2.6e-07", 1e-12, True),
    ("2.5e-07", "2.7e-07", 1e-12, False),
])
def test_the_tolerance_is_relative_above_one_and_absolute_below(
    recorded, found, tolerance, agree
):
    assert near(recorded, found, tolerance) is agree


@pytest.mark.parametrize("text, unit", [
    ("0.97", 0.01), ("1.5e-3", 1e-4), ("1e-3", 1e-3), ("1,234.5", 0.1),
    ("-.25", 0.01),
])
def test_the_last_digit_is_the_one_printed(text, unit):
    assert last_digit(text) == pytest.approx(unit)


def test_a_timing_need_only_be_there():
    assert agrees(entry("3.1 ms", "machine"), entry("9.9 s", "machine"))
    assert not agrees(entry("3.1 ms", "machine"), entry(" \n", "machine"))


# ---------------------------------------------------------------- entries

CHAPTER = "# T\n\n" + "\n".join([
    "`{python} 0`",
    cell("print(1)", label="first", reproduce="exact"),
    "`{python} 1` `{python} 2`",
    cell("2", reproduce="close", tolerance="1e-3"),
    cell("x = 1"),
    "`{python} 3`",
    cell("3", label="fig-x", fig_cap="c", fig_alt="a", reproduce="exact"),
    cell("4", reproduce="machine"),
    "`{python} 4`",
])


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def value(text, kind="text/plain"):
    return {"output_type": "execute_result", "data": {kind: text}}


def result_of(book, texts, inlines):
    chapter = book.chapters[1]
    cells = [i for i, p in enumerate(chapter.pieces) if hasattr(p, "source")]
    outputs = dict(zip(cells, texts, strict=True))
    keys = [key for key, step in reproduce.steps(chapter) if len(key) == 2]
    return Result(
        chapter, outputs, dict(zip(keys, inlines, strict=True)), None, True
    )


@pytest.fixture
def result(book_of):
    return result_of(book_of(CHAPTER), [
        [stream("1\n"), stream("warned", "stderr"),
         {"output_type": "error", "ename": "E", "evalue": "x"}],
        [value("**2**", "text/markdown")], [stream("unclassed")],
        [value("3")], [value("4 ms")],
    ], ["i0", "i1", "i2", "i3", "i4"])


def test_entries_are_what_a_chapter_shows_in_order(result):
    assert [
        (e.id, e.verdict, e.tolerance, e.text, line)
        for e, line in reproduce.entries(result)
    ] == [
        ("inline 1", "exact", 0.0, "i0", 3),
        ("first output 1", "exact", 0.0, "1\n", 4),
        ("first output 3", "exact", 0.0, "E: x", 4),
        ("inline 2", "exact", 0.0, "i1", 10),
        ("inline 3", "exact", 0.0, "i2", 10),
        ("cell 2 output 1", "close", 1e-3, "**2**", 11),
        ("inline 4", "close", 1e-3, "i3", 21),
        ("cell 5 output 1", "machine", 0.0, "4 ms", 30),
        ("inline 5", "machine", 0.0, "i4", 35),
    ]


# ------------------------------------------------------ record and compare

BOOK = "# T\n\n" + cell(
    "print('loss 0.123456')", label="loss", reproduce="exact"
) + "\nSo `{python} 0.5`.\n\n" + cell(
    "print('near 1.000000')", reproduce="close", tolerance="1e-4"
) + "\n" + cell("print('3.1 ms')", reproduce="machine")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, quick_kernels):
    """A book whose outputs a real kernel made and were written down."""
    root = write_book(tmp_path_factory.mktemp("recorded"), {"01-one": BOOK})
    (root / "_environment").write_text(
        "PYTHONPATH=code\nOMP_NUM_THREADS=1\n", encoding="utf-8"
    )
    tangle.tangle(read_book(root))
    runs = []

    def run_all(book, **options):
        runs.append(options["cache"])
        assert list(options["cache"].iterdir()) == []
        return real(book, **options)

    real = reproduce.run_all
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, "run_all", run_all)
        reproduce.record(root, Reporter(quiet=True))
    (cache,) = runs
    assert not cache.exists()
    return root


def record_of(root):
    return root / "book" / "recorded" / "outputs" / "01-one.json"


@pytest.fixture
def again(recorded, monkeypatch, capsys):
    """Compare with the record after a change in what is found."""
    kept = record_of(recorded).read_text(encoding="utf-8")
    texts = {
        e["id"]: e["text"] for e in json.loads(kept)["entries"]
    }

    def compare(**changes):
        found = texts | {k.replace("_", " "): v for k, v in changes.items()}

        def run_all(book, **options):
            outputs = [
                [stream(found[name])] if found[name] else []
                for name in ("loss output 1", "cell 2 output 1",
                             "cell 3 output 1")
            ]
            index = Result(book.chapters[0], {}, {}, None, True)
            return [index, result_of(book, outputs, [found["inline 1"]])]

        monkeypatch.setattr(reproduce, "run_all", run_all)
        code = reproduce.compare(recorded, Reporter())
        return code, capsys.readouterr().err.strip().split("\n")

    yield compare
    record_of(recorded).write_text(kept, encoding="utf-8")


def test_a_record_says_what_was_made_and_on_what(recorded):
    content = json.loads(record_of(recorded).read_text(encoding="utf-8"))
    assert [(e["id"], e["verdict"], e["text"]) for e in content["entries"]
            ] == [
        ("loss output 1", "exact", "loss 0.123456\n"),
        ("inline 1", "exact", "0.5"),
        ("cell 2 output 1", "close", "near 1.000000\n"),
        ("cell 3 output 1", "machine", "3.1 ms\n"),
    ]
    import torch
    made_on = content["made on"]
    assert list(made_on) == ["platform", "machine", "cpu", "instructions",
                             "device", "python", "torch", "threads"]
    assert made_on["torch"].partition("+")[0] == (
        torch.__version__.partition("+")[0])
    assert made_on["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert made_on["cpu"] and made_on["threads"] == "1"


def test_the_record_names_the_instructions_that_were_taken(monkeypatch):
    environ = dict(os.environ, ATEN_CPU_CAPABILITY="default")
    found = reproduce.instructions(environ)
    assert found.upper() in ("DEFAULT", "NO AVX")


def test_the_processor_is_known_by_its_name(tmp_path):
    listed = tmp_path / "cpuinfo"
    listed.write_text(
        "processor\t: 0\nmodel name\t: Brand X : 2\n", encoding="utf-8"
    )
    assert reproduce.cpu(listed) == "Brand X : 2"
    listed.write_text("processor : 0\n", encoding="utf-8")
    assert reproduce.cpu(listed)


def test_what_comes_back_the_same_agrees(again):
    code, lines = again(cell_3_output_1="2.7 ms\n",
                        cell_2_output_1="near 1.000090\n")
    assert code == 0
    assert lines[-1] == (
        "4 numbers: 2 exact, 1 close, 1 of this machine, 0 differ"
    )


def test_that_pictures_are_not_compared_is_said(recorded, monkeypatch):
    made_anew = reproduce.made_anew

    def with_pictures(*arguments):
        book, results = made_anew(*arguments)
        outputs = next(o for r in results for o in r.outputs.values() if o)
        outputs.append({"output_type": "display_data", "data": {
            "image/svg+xml": "<svg/>", "text/plain": "<Figure>"}})
        return book, results

    monkeypatch.setattr(reproduce, "made_anew", with_pictures)
    report = Reporter()
    report.console.file = said = io.StringIO()
    reproduce.compare(recorded, report)
    assert ("\n1 pictures were drawn, and are not compared\n"
            in said.getvalue())


@pytest.mark.parametrize("changes, line, said", [
    ({"loss_output_1": "loss 0.123457\n"}, 3,
     "loss output 1 (exact): recorded 'loss 0.123456\\n', "
     "found 'loss 0.123457\\n'"),
    ({"inline_1": "0.6"}, 9, "inline 1 (exact): recorded '0.5', found '0.6'"),
    ({"cell_2_output_1": "near 1.000200\n"}, 11,
     "cell 2 output 1 (close): recorded 'near 1.000000\\n', "
     "found 'near 1.000200\\n'"),
    ({"cell_3_output_1": "\n"}, 17,
     "cell 3 output 1 (machine): recorded '3.1 ms\\n', found '\\n'"),
])
def test_a_number_that_differs_is_named(again, changes, line, said):
    code, lines = again(**changes)
    assert code == 1
    assert f"book/01-one.qmd:{line}: {said}" in lines
    assert lines[-1].endswith(", 1 differ")
    assert lines[-1].startswith("4 numbers: ")


def test_a_number_that_is_gone_is_named(again):
    code, lines = again(loss_output_1="")
    assert code == 1
    assert ("book/01-one.qmd: loss output 1: recorded 'loss 0.123456\\n', "
            "found nothing") in lines


def test_a_number_that_is_new_is_named(again, recorded):
    file = record_of(recorded)
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["entries"][0]
    file.write_text(json.dumps(content), encoding="utf-8")
    code, lines = again()
    assert code == 1
    assert any("recorded nothing, found 'loss 0.1" in line for line in lines)


def test_a_changed_digit_in_the_record_is_named(again, recorded):
    file = record_of(recorded)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("0.123456", "0.123466"), encoding="utf-8")
    code, lines = again()
    assert code == 1
    assert any("recorded 'loss 0.123466" in line for line in lines)


@pytest.mark.parametrize("damage, says", [
    (None, "no record; run 'make record'"),
    ("", "not a record; run 'make record'"),
    ('{"entries": [{"id": "x"}]}', "not a record"),
])
def test_without_a_record_there_is_nothing_to_compare(
    again, recorded, damage, says
):
    if damage is None:
        record_of(recorded).unlink()
    else:
        record_of(recorded).write_text(damage, encoding="utf-8")
    with pytest.raises(BookError, match=says) as caught:
        again()
    assert caught.value.path == "book/recorded/outputs/01-one.json"


def test_a_result_without_its_class_cannot_be_recorded(
    tmp_path, quick_kernels
):
    root = write_book(tmp_path, {"01-one": "# T\n\n" + cell("print(1)")})
    with pytest.raises(BookErrors, match="add '#| reproduce: exact'"):
        reproduce.record(root, Reporter(quiet=True))
    assert not record_of(root).exists()


@pytest.mark.parametrize("expression, verdict, tolerance", [
    ("a", "close", 0.5),         # made by a cell that prints
    ("b", "exact", 0.0),
    ("a + b", "close", 0.5),     # as firm as the less firm of the two
    ("c", "machine", 0.0),       # made in silence before the cell that prints
    ("f(1)", "machine", 0.0),    # no variable: the cell before it
    ("[d for d in b]", "exact", 0.0),
    ("a + c", "machine", 0.0),
])
def test_an_inline_value_is_as_firm_as_what_it_names(
    book_of, quick_kernels, expression, verdict, tolerance
):
    text = "# T\n\n" + "\n".join([
        cell("a = 1\nprint(a)", reproduce="close", tolerance=0.5),
        cell("b = [2]\nprint(b)", reproduce="exact"),
        cell("c = 3\ndef f(x):\n    e = x\n    return e"),
        cell("print(c)", reproduce="machine"),
    ]) + f"\nIt is `{{python}} {expression}`.\n"
    chapter = book_of(text).chapters[-1]
    values = {key: "1" for key, _ in steps(chapter) if len(key) == 2}
    outputs = {i: [] for i in range(len(chapter.pieces))}
    result = Result(chapter, outputs, values, None, False)
    (found,) = [e for e, _ in entries(result)]
    assert (found.verdict, found.tolerance) == (verdict, tolerance)


def test_it_runs_with_other_settings(recorded, capsys, monkeypatch):
    seen = {}

    def run_all(book, **options):
        seen.update(book.settings)
        return []

    monkeypatch.setattr(reproduce, "run_all", run_all)
    monkeypatch.setattr(verbs, "ROOT", recorded)
    assert verbs.perform("reproduce", ["--set", "A=1", "--set", "B=x=y"]) == 0
    assert seen == {"A": "1", "B": "x=y"}
    with pytest.raises(SystemExit):
        verbs.perform("reproduce", ["--set", "A"])
    assert "'A' is not NAME=VALUE" in capsys.readouterr().err
