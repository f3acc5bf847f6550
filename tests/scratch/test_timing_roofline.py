"""The ledger of a step, and the rates that a machine reaches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parts import put
from scratch import timing as module
from scratch.timing import (
    Ledger,
    Timing,
    bound,
    fresh,
    gradients,
    layers,
    multiply_adds,
    powers_to,
    products,
    roof,
    threads,
    transfers,
)
from timings import some_data

# ------------------------------------------------------------ the ledger


@settings(max_examples=25)
@given(*[st.integers(1, 20)] * 3, st.sampled_from([torch.float32,
                                                  torch.float64]))
def test_products_are_counted_from_their_shapes(n, k, m, dtype):
    a, b = torch.zeros(n, k, dtype=dtype), torch.zeros(k, m, dtype=dtype)
    c = torch.zeros(m, dtype=dtype)
    with Ledger() as ledger:
        a @ b
        torch.addmm(c, a, b)
        a.T + 1.0
    size = a.itemsize
    assert ledger.rows == [
        ("mm", n * k * m, size * (n * k + k * m + n * m)),
        ("addmm", n * k * m, size * (m + n * k + k * m + n * m)),
        ("add", 0, size * 2 * n * k),
    ]


def test_only_chosen_rows_count_as_read():
    X, idx = torch.zeros(1000, 6), torch.arange(5)
    with Ledger() as ledger:
        X.index_select(0, idx)
    assert ledger.rows == [("index_select", 0, 2 * 5 * 6 * 4 + 5 * 8)]


def test_results_and_arguments_in_lists_are_counted():
    a, b = torch.zeros(2, 3), torch.zeros(2, 3)
    with Ledger() as ledger:
        torch.cat([a, b])
        a.max(1)
    assert ledger.rows == [("cat", 0, 4 * (6 + 6 + 12)),
                           ("max", 0, 4 * 6 + 2 * 4 + 2 * 8)]


def test_views_are_not_in_the_ledger():
    a = torch.zeros(2, 3)
    with Ledger() as ledger:
        a.T[1:].unsqueeze(0).expand(4, 2, 2)
    assert ledger.rows == []


def test_no_other_kernel_has_multiply_adds():
    assert multiply_adds("mul", [torch.zeros(2, 3), torch.zeros(2, 3)]) == 0


def test_a_step_has_the_multiply_adds_of_its_five_products():
    X, y = some_data(64)
    with Ledger() as ledger:
        gradients(X, y, *fresh("cpu"))
    first, second = 64 * 784 * 128, 64 * 128 * 10
    assert sum(w for _, w, _ in ledger.rows) == 2 * first + 3 * second


def test_a_kernel_multiplies_or_moves_and_each_is_started():
    roof = {"flops": 100.0, "bytes": 10.0, "launch": 2.0}
    rows = [("mm", 500, 50), ("add", 0, 40), ("neg", 0, 1), ("add", 0, 70)]
    held = bound(rows, roof)
    assert held == {"flops": 10.0, "bytes": 4.0 + 0.1 + 7.0, "launch": 8.0}
    assert bound([], roof) == dict.fromkeys(roof, 0.0)


# ---------------------------------------------------------- measurements


@pytest.fixture
def timed(monkeypatch):
    """time_op runs its function once, and keeps it."""
    kept = []

    def once(fn, device="cpu", **_):
        kept.append((fn(), device, torch.get_num_threads()))
        return Timing(0.5, 0.4, 0.6, 3)

    put(monkeypatch, module, "time_op", once)
    return kept


def test_products_are_square_and_double(timed):
    rows = products("cpu", 100)
    assert [r["n"] for r in rows] == [16, 32, 64]
    assert [tuple(out.shape) for out, *_ in timed] == [
        (16, 16), (32, 32), (64, 64)]
    assert rows[0]["time"] == Timing(0.5, 0.4, 0.6, 3)
    assert [r["n"] for r in products("cpu", 128)] == [16, 32, 64, 128]


def test_layers_are_the_first_of_the_network(timed):
    rows = layers("cpu", (1, 5))
    assert [r["batch"] for r in rows] == [1, 5]
    assert [tuple(out.shape) for out, *_ in timed] == [(1, 128), (5, 128)]


@pytest.mark.parametrize("most, counts", [
    (1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]),
    (8, [1, 2, 4, 8]),
])
def test_thread_counts_are_powers_of_two_and_the_most(most, counts):
    assert powers_to(most) == counts


def test_threads_are_set_and_put_back(timed):
    before = torch.get_num_threads()
    rows = threads(2, (8, 16))
    assert [(r["threads"], r["n"]) for r in rows] == [
        (1, 8), (2, 8), (1, 16), (2, 16)]
    assert [(tuple(out.shape), n) for out, _, n in timed] == [
        ((8, 8), 1), ((8, 8), 2), ((16, 16), 1), ((16, 16), 2)]
    assert torch.get_num_threads() == before


def test_threads_are_put_back_after_an_error(monkeypatch):
    def broken(fn, device="cpu"):
        raise ValueError

    put(monkeypatch, module, "time_op", broken)
    before = torch.get_num_threads()
    with pytest.raises(ValueError):
        threads(before + 1)
    assert torch.get_num_threads() == before


def test_a_roof_is_made_of_rates(timed):
    assert roof("cpu", 12, 4000) == {
        "flops": 2 * 12**3 / 0.5, "bytes": 2 * 4000 / 0.5, "launch": 0.5}
    shapes = [tuple(out.shape) for out, *_ in timed]
    assert shapes == [(12, 12), (6, 6), (3, 3), (1000,), (1,)]


def test_a_roof_takes_the_product_with_the_best_rate(monkeypatch):
    seconds = {8: 1.0, 4: 0.001, 2: 1.0, 1000: 1.0, 1: 1.0}
    put(monkeypatch, module, "time_op", lambda fn, device: Timing(
        seconds[len(fn())], 0.0, 0.0, 1))
    assert roof("cpu", 8, 4000)["flops"] == 2 * 4**3 / 0.001


def test_transfers_move_what_they_name(cuda, monkeypatch):
    moved = []

    def timed(fn, device):
        assert device == "cpu"
        fn()
        moved.append(fn())
        return "time"

    put(monkeypatch, module, "time_op", timed)
    X, _ = some_data(100)
    found = transfers(X, "cpu")
    assert {k: v["bytes"] for k, v in found.items()} == {
        "batch": 64 * 784 * 4, "pinned batch": 64 * 784 * 4,
        "images": X.nbytes, "batch back": 64 * 784 * 4, "item": 4}
    assert all(v["time"] == "time" for v in found.values())
    batch, (pinned, waited), images, back, item = moved
    assert all(torch.equal(t, X[:64]) for t in (batch, pinned, back))
    assert torch.equal(images, X) and item == 0.0 and waited is None
    assert cuda.log == ["synchronize"] * 2  # one for each pinned batch
