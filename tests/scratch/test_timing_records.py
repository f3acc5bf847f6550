"""The record of a machine, and the command that writes it."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from parts import put
from scratch import timing as module
from scratch.data import load_mnist
from scratch.timing import (
    Sizes,
    Timing,
    crossover,
    digits,
    label,
    make_record,
    measure,
    plain,
    read,
    shown,
    write,
)
from scratch.timing.__main__ import main
from timings import check_results, fast, some_data

REPO = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture
def small(monkeypatch):
    """Records of small sizes, without a compiler."""
    fast(monkeypatch)
    put(
        monkeypatch, module, "digits", lambda: (*some_data(), "a few numbers"))
    monkeypatch.setattr(torch, "compile", lambda step: step)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    put(monkeypatch, module, "Sizes", partial(Sizes, 2, 1, 32, 4096))


def test_the_digits_are_mnist_where_its_files_are():
    X, y, name = digits(REPO / "data")
    wanted = load_mnist(REPO / "data")
    assert torch.equal(X, wanted[0]) and torch.equal(y, wanted[1])
    assert X.dtype == torch.float32 and y.dtype == torch.int64
    assert name == "MNIST"


def test_random_numbers_take_the_place_of_absent_digits(tmp_path):
    X, y, name = digits(tmp_path)
    assert X.shape == (60_000, 784) and y.shape == (60_000,)
    assert 0 <= X.min() < 0.1 and 0.9 < X.max() <= 1
    assert y.unique().tolist() == list(range(10))
    assert "random" in name


# -------------------------------------------------------------- the record


def test_the_committed_record_has_the_form_it_says():
    found = json.loads(
        (REPO / "book" / "recorded" / "timing" / "cpu.json")
        .read_text(encoding="utf-8"))
    assert set(found) == {
        "format", "date", "torch", "python", "system", "load", "cpu", "gpu",
        "data", "steps", "batch", "results"}
    assert (found["format"], found["steps"], found["batch"]) == (1, 938, 64)
    check_results(found["results"]["cpu"])


def test_everything_in_a_record_becomes_json():
    found = plain({"a": [Timing(1.0, 1.0, 1.0, 2, 3)], "b": {"c": None}})
    assert found == {"a": [{"median": 1.0, "low": 1.0, "high": 1.0,
                            "turns": 2, "calls": 3}], "b": {"c": None}}


def test_a_record_of_this_machine(small, capsys):
    found = make_record(module.Sizes())
    assert json.loads(json.dumps(found)) == found
    assert found["data"] == "a few numbers"
    assert (found["steps"], found["batch"]) == (2, 64)
    assert list(found["results"]) == ["cpu"]
    check_results(found["results"]["cpu"])
    assert found["results"]["cpu"]["transfers"] == {"absent": "needs CUDA"}
    assert found["results"]["cpu"]["products"][-1]["n"] == 32
    assert found["results"]["cpu"]["launches"]["eager"]["operations"] > 20
    assert capsys.readouterr().err.count("cpu:") == 3


def test_with_a_gpu_a_record_has_two_devices(small, monkeypatch):
    asked = []

    def measured(device, X, y, sizes):
        asked.append((device.type, sizes.largest, sizes.copy, sizes.steps))
        return {}

    put(monkeypatch, module, "measure", measured)
    put(monkeypatch, module, "pick_device", lambda: torch.device("cuda"))
    put(monkeypatch, module, "about", lambda: {"gpu": {"name": "H100"}})
    found = make_record(module.Sizes(), largest_gpu=77)
    assert asked == [("cuda", 77, 2**30, 2), ("cpu", 32, 4096, 2)]
    assert set(found["results"]) == {"cpu", "cuda"}


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write({"format": 1, "x": [1.5]}, path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept == {"format": 1, "x": [1.5]}
    with pytest.raises(TypeError):
        write({"x": object()}, path)
    assert json.loads(path.read_text(encoding="utf-8"))["x"] == [1.5]
    assert [f.name for f in tmp_path.iterdir()] == ["a.json"]


def test_records_are_read_newest_first(tmp_path):
    assert read(tmp_path) == read(tmp_path / "nowhere") == []
    for name, date in (("a", "2026-01-02"), ("b", "2027-01-01"),
                       ("c", "2025-12-31")):
        write({"format": 1, "date": date}, tmp_path / f"{name}.json")
    (tmp_path / "notes.txt").write_text("no record", encoding="utf-8")
    assert [r["date"][:4] for r in read(tmp_path)] == [
        "2027", "2026", "2025"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 2}'])
def test_what_is_no_record_is_named(tmp_path, text):
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.json: not a record"):
        read(tmp_path)


def test_a_cpu_is_named_with_its_threads():
    assert label({
        "gpu": None, "torch": "2.15.0", "date": "2026-11-25",
        "cpu": {"name": "EPYC", "cores": 4, "threads": 2},
    }) == "EPYC, 2 of 4 cores, torch 2.15.0, 2026-11-25"


@pytest.mark.parametrize("result, text", [
    ({"absent": "needs CUDA"}, "needs CUDA"), ({"median": 0.25}, "250 ms"),
])
def test_what_is_absent_says_why(result, text):
    assert shown(result) == text


@pytest.mark.parametrize("first, second, found", [
    ([1, 2, 4, 8], [2, 2, 2, 2], 4),      # equal is not faster
    ([1, 2, 4, 8], [3, 1, 9, 2], 8),      # once faster is not enough
    ([1, 2, 4, 8], [9, 9, 9, 9], None),
    ([5, 5, 5, 5], [1, 1, 1, 1], 1),
    ([1, 2, 4], [2, 2, 2, 2], 3),         # only what both were given
    ([], [2, 2], None),
])
def test_a_crossover_is_where_the_second_stays_faster(
    first, second, found
):
    def rows(times):
        return [{"n": n, "time": {"median": t}}
                for n, t in enumerate(times, 1)]

    wanted = {4: 3, 8: 4}.get(found, found)
    assert crossover(rows(first), rows(second)[::-1], "n") == wanted


def test_a_measured_gpu_has_every_result(cuda, monkeypatch):
    fast(monkeypatch)
    monkeypatch.setattr(torch, "compile", lambda step: step)
    seen = []
    put(
        monkeypatch, module, "profiled",
        lambda fn, device: seen.append(fn()) or {"launches": len(seen)})
    X, y = some_data()
    found = plain(measure(CPU, X, y, Sizes(2, 1, 32, 4096)))
    check_results(found, gpu=True)
    assert found["threads"] == {"absent": "a matter of CPUs"}
    assert found["launches"]["graph"] == {"launches": 0.1}


# -------------------------------------------------------- the command line


def test_the_command_writes_a_record(small, tmp_path, capsys):
    path = tmp_path / "deep" / "here.json"
    main(["--json", str(path)])
    (found,) = read(path.parent)
    check_results(found["results"]["cpu"])
    assert capsys.readouterr().out == f"{path}: {label(found)}\n"


@pytest.mark.parametrize("options, says", [
    ([], "--json"),
    (["--json", "."], ". cannot be written"),
    (["--json", "file/x.json"], "file"),
    (["--js", "x.json"], "--json"),
])
def test_what_cannot_be_written_ends_before_measuring(
    tmp_path, monkeypatch, capsys, options, says
):
    def too_late(*_):
        raise AssertionError("measured")

    put(monkeypatch, module, "make_record", too_late)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(options)
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_it_needs_torch_alone():
    program = (
        "import sys\n"
        "for name in ("
        "'numpy', 'tqdm', 'torchvision', 'matplotlib', 'IPython'):\n"
        "    sys.modules[name] = None\n"
        "import scratch.timing\n"
        "print(*sorted(n for n in sys.modules if n.startswith('scratch.')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(REPO / "code")})
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [
        *("scratch." + name for name in (
            "backward", "data", "functional", "init", "mnist",
            "mnist.fetch", "mnist.files", "mnist.sources",
            "optim", "shapes")),
        *("scratch.timing" + name for name in (
            "", ".clocks", ".loops", ".machine", ".prediction",
            ".profiler", ".records", ".replay", ".roofline", ".ways"))]


def test_it_runs_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "scratch.timing", "--help"],
        env=os.environ | {"PYTHONPATH": str(REPO / "code")},
        capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0 and "--json" in run.stdout
