"""Chapter 9 shows what is recorded beside what it computes."""

import ast
import contextlib
import copy
import io
import json
import os
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

from parts import put
from press.read.book import read_book
from press.read.cells import Cell
from press.run.steps import steps
from scratch import timing

REPO = Path(__file__).parents[2]
CHAPTER = next(c for c in read_book(REPO).chapters if c.name == "09-gpu")
FOLDER = '"book/recorded/gpu"'


def time(seconds):
    return {"median": seconds, "low": seconds, "high": seconds, "turns": 5,
            "calls": 1}


@pytest.fixture
def synthetic(tmp_path):
    """A record such as no machine has made, for this test alone."""
    record = json.loads(
        (REPO / "book/recorded/timing/cpu.json").read_text(encoding="utf-8"))
    record |= {"date": "2001-02-03", "torch": "0.0", "gpu": {
        "name": "A Card", "driver": "12.34", "cuda": "0", "bytes": 1}}
    results = copy.deepcopy(record["results"]["cpu"])
    for row in results["products"]:      # slower up to 64, then faster
        factor = 5 if row["n"] < 64 else 0.01
        row["time"] = time(row["time"]["median"] * factor)
    for row in results["layers"]:
        row["time"] = time(row["batch"] * 1.11e-6)
    results["waiting"] = {"n": 8192, "returns": 7e-6, "done": 7e-3,
                          "event": 6e-3}
    results["roof"] = {"flops": 5e13, "bytes": 2e12, "launch": 4e-6}
    results["threads"] = {"absent": "a matter of CPUs"}
    results["transfers"] = {
        name: {"bytes": 4 * n, "time": time(n * 1e-6)}
        for n, name in enumerate(
            ("batch", "pinned batch", "images", "batch back", "item"), 31)}
    ways = list(results["epochs"])
    results["epochs"] = {
        name: time(0.801 + n / 1000) for n, name in enumerate(ways)}
    results["epochs"]["tape"] = {"absent": "needs CUDA"}
    results["launches"] = {name: {
        "operations": 70.0, "launches": 71.0, "copies": 72.0, "waits": 2.0,
        "graphs": 1.0, "kernels": 71.0, "busy": 1.5e-4} for name in ways}
    results["launches"]["tape"] = {"absent": "needs CUDA"}
    record["results"]["cuda"] = results
    timing.write(record, tmp_path / "card.json")
    return tmp_path


def run_chapter(folder, monkeypatch, cores):
    """What its cells show and its sentences say, by cell and in order.

    The program is taken from the package, and times are not taken.
    """
    monkeypatch.chdir(REPO)
    real = timing.time_op
    put(
        monkeypatch, timing, "time_op", lambda fn, device="cpu", **_: real(
            fn, device, turns=2, seconds=1e-6))
    put(monkeypatch, timing, "race", lambda runs, *_: {
        name: timing.Timing(0.1, 0.1, 0.1, 5) for name in runs})
    put(monkeypatch, timing, "cases", lambda *_, **__: {
        "eager": lambda steps: None, "resident": {"absent": "needs CUDA"},
        "no item": len, "torch.nn": len, "tape": len,
        "compile": {"absent": "left out"},
        "graph": {"absent": "needs CUDA"},
        "compiled graph": {"absent": "needs CUDA"}})
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    before = torch.get_num_threads()
    shown, said, names = {}, [], {}
    try:
        for _, step in steps(CHAPTER):
            if not isinstance(step, Cell):
                if "moved.grad" not in step.source:  # is None, and warns
                    said.append(str(eval(step.source, names)))
            elif step.filename is None:
                source = step.source.replace(FOLDER, repr(str(folder)))
                shown[step.name] = output(source, names)
    finally:
        torch.set_num_threads(before)
        plt.close("all")
    return shown, said


def output(source, names):
    """What a cell prints, and its last expression."""
    tree = ast.parse(source)
    last = None
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)
        value = last and eval(compile(last, "cell", "eval"), names)
    return printed.getvalue() + str(getattr(value, "data", ""))


@pytest.fixture(autouse=True)
def no_window():
    with matplotlib.rc_context({"backend": "agg"}):
        yield


def row(table, start):
    (line,) = [line for line in table.splitlines()
               if line.startswith(f"| {start} |")]
    return [entry.strip() for entry in line.strip("|").split("|")][1:]


pytestmark = [
    pytest.mark.daily,
    pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here"),
    pytest.mark.filterwarnings("ignore:The .grad attribute"),
]


NOTHING = ("None", "nan", "–", "not measured", "no GPU", "no run",
           "recorded yet", "dashes")


def test_a_record_is_shown_beside_what_was_computed(synthetic, monkeypatch):
    shown, said = run_chapter(synthetic, monkeypatch, 2)
    name = "A Card, driver 12.34, torch 0.0, 2001-02-03"
    prose = "\n".join(said)
    card = timing.H100["name"]
    paper = timing.predicted(timing.H100)
    assert f"computed for: {card}" in shown["records"]
    assert f"measured on: {name}" in shown["records"]
    assert "GPU, n = 8192: returns after 7 µs, done after 7 ms" in (
        shown["waiting"])
    assert "after 0.1% of the time" in prose
    computed, measured = shown["crossover"].splitlines()
    assert computed.startswith(f"{card}, computed is ahead from n =")
    assert measured.startswith(f"{name} is ahead from n = 64 and from batch")
    assert "50,000 billion operations" in shown["roof"]
    assert "67,000 billion operations" in shown["roof"]
    assert row(shown["tbl-bound"], "GPU")[-1].endswith("µs")
    assert row(shown["tbl-transfers"], "all images")[2:] == [
        "2.95 ms", "33 µs"]
    assert "A pinned batch took 32 µs" in prose
    for way, seconds in (("eager", "801 ms"), ("CUDA graph", "807 ms")):
        key = {"CUDA graph": "graph"}.get(way, way)
        assert row(shown["tbl-card"], way)[-2:] == [
            timing.shown(paper["epochs"][key]), seconds]
    graph = row(shown["tbl-ways"], "CUDA graph")
    assert graph == ["needs CUDA", "needs CUDA", "807 ms, 0.99×"]
    assert row(shown["tbl-ways"], "our tape")[2] == "needs CUDA"
    assert row(shown["tbl-ways"], "compiled")[0] == "left out"
    assert row(shown["tbl-launches"], "CUDA graph")[1:] == [
        "71", "72", "2", "1", "150 µs"]
    assert "starts 71 kernels and waits 2 times" in prose
    assert "The record says 801 ms for the eager epoch and 807 ms" in prose
    assert f"On {name} it trains" in prose
    for lane in ("GPU, eager", "H100, computed, graph"):
        assert lane in shown["rates-of-steps"]
    for word in NOTHING:
        assert word not in prose, word
        assert word not in shown["tbl-card"], word


@pytest.mark.parametrize("cores", [1, 2])
def test_without_a_record_no_column_waits_for_one(
    tmp_path, monkeypatch, cores
):
    shown, said = run_chapter(tmp_path, monkeypatch, cores)
    prose = "\n".join(said)
    assert "measured on" not in shown["records"]
    for name, text in shown.items():
        assert not any(word in text for word in NOTHING[2:]), name
        assert "| GPU |" not in text, name
    epochs = timing.predicted(timing.H100)["epochs"]
    for way in ("eager", "resident"):
        assert row(shown["tbl-card"], way)[-1] == timing.shown(epochs[way])
    assert "CUDA graph" not in shown["tbl-ways"]
    assert ("single core" in prose) is (cores == 1)
    assert "GPU," not in shown["rates-of-steps"]
    assert "A Card" not in prose
    for word in NOTHING:
        assert word not in prose, word


def test_no_sentence_of_the_book_waits_for_a_gpu():
    for chapter in read_book(REPO).chapters:
        text = (REPO / chapter.path).read_text(encoding="utf-8")
        for words in ("GPU is recorded", "GPU was recorded", "no GPU",
                      "once one is recorded", "not measured"):
            assert words not in text, (chapter.name, words)
