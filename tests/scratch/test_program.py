"""The one program of the book: whose line is whose, chapter by chapter."""

import re

import pytest
import torch

from figures import program
from press.read.book import read_book
from tiny import REPO

CHAPTERS = range(13)


@pytest.fixture
def few(monkeypatch):
    """Hundreds of pictures in the place of 70,000."""
    g = torch.Generator().manual_seed(0)

    def load(split):
        return torch.rand(256, 784, generator=g), torch.arange(256) % 10
    monkeypatch.setattr("scratch.data.load_mnist", load)
    load.__module__ = "scratch.data"


def lines(chapter):
    """{line: whose}, of the lines that call something of somebody's."""
    now = program.run_after(chapter)
    return {line.strip(): owner for line, owner in zip(
        now.listing.splitlines(), now.owners, strict=True) if owner}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_program_runs_after_each_chapter(few, chapter):
    now = program.run_after(chapter)
    assert re.fullmatch(r"\d+\.\d% read correctly\n", now.said)
    assert len([x for x in now.listing.splitlines() if x]) <= 26
    assert max(map(len, now.listing.splitlines())) < 62


def test_chapter_by_chapter_torch_s_lines_become_ours(few):
    theirs = [program.run_after(n).count("torch's") for n in range(8)]
    assert theirs == sorted(theirs, reverse=True) and theirs[0] > 10
    assert len(set(theirs[:7])) == 7 and theirs[6] == theirs[7] == 0


def test_the_engine_is_the_last_line_to_become_ours(few):
    for chapter in (10, 11):
        found = lines(chapter)
        assert [x for x in found if found[x] != "ours"] == ["loss.backward()"]
    found = lines(12)
    assert found["loss.backward()"] == "ours"
    assert set(found.values()) == {"ours"}


@pytest.mark.parametrize("chapter, line, owner", [
    (0, "from scratch.data import load_mnist", "ours"),
    (0, "h = relu(linear(x, W1, b1))", "torch's"),
    (2, "h = relu(linear(x, W1, b1))", "ours"),
    (2, "loss.backward()", "torch's"),
    (3, "loss = cross_entropy(network(x), targets)", "ours"),
    (3, "loss.backward()", "torch's"),
    (4, "optimizer.step()", "torch's"),
    (5, "optimizer.step()", "ours"),
    (5, "for x, targets in loader:", "torch's"),
    (6, "for x, targets in loader:", "ours"),
])
def test_a_line_is_of_whom_it_calls(few, chapter, line, owner):
    assert lines(chapter)[line] == owner


def test_who_owns_a_line_is_looked_up_and_not_said(few, monkeypatch):
    """With Adam taken from torch, its lines are torch's, in any chapter."""
    monkeypatch.setitem(program.HOMES, "Adam", ("torch.optim", None, 99))
    found = lines(6)
    assert {x for x in found if found[x] == "torch's"} == {
        "from torch.optim import Adam", "optimizer = Adam(params, lr=1e-3)",
        "optimizer.step()"}


def test_lines_of_ours_bear_a_mark_and_no_other(few):
    now = program.run_after(3)
    shown = now._repr_markdown_().splitlines()[1:]
    for line, owner in zip(shown, now.owners, strict=False):
        assert line.endswith("# ours") == (owner == "ours")


def test_chance_and_threads_are_left_as_they_were(few):
    torch.manual_seed(5)
    before = torch.get_rng_state(), torch.get_num_threads()
    program.run_after(0)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == torch.get_num_threads()


@pytest.mark.daily
def test_the_first_program_reads_more_than_nine_in_ten():
    said = program.run_after(0).said
    assert float(said.split("%")[0]) > 94


def test_each_chapter_ends_with_its_own_program():
    shown = {n: call for c in read_book(REPO).chapters for n, call in [(
        c.number or c.path.stem, re.findall(r"run_after\((\d+)\)", (
            REPO / c.path).read_text(encoding="utf-8")))] if call}
    assert shown == {"index": ["0"], **{
        str(n): [str(n)] for n in CHAPTERS[1:]}}
