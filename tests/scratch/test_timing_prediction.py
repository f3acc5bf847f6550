"""What a card would take, by its figures and by counting."""

import pytest
import torch

from scratch.optim import Adam
from scratch.timing import (
    BATCH,
    H100,
    IMAGES,
    STEPS,
    Learner,
    Ledger,
    bound,
    counted,
    fresh,
    gain,
    gradients,
    predict,
    predicted,
    readable,
    shown,
    together,
    ways_on,
)
from timings import some_data

CARD = {"name": "A card", "flops": 100.0, "bytes": 10.0, "carry": 4.0,
        "launch": 2.0, "wait": 0.5, "gap": 0.25}
ROWS = [("mm", 500, 50), ("add", 0, 40)]       # 10 s of flops, 4 of bytes


def test_a_processor_starts_and_runs_in_turn_and_a_queue_side_by_side():
    held = {"flops": 1.0, "bytes": 2.0, "launch": 4.0}
    assert together(held, queue=False) == 7.0
    assert together(held, queue=True) == 4.0
    assert together(held | {"launch": 2.5}, queue=True) == 3.0


def test_the_longer_of_two_sums_is_not_the_sum_of_the_longer():
    """Kernel by kernel it would be 2 + 10 = 12."""
    rows = [("add", 0, 10), ("mm", 500, 1)]    # runs 1 and 10, starts 2
    assert predict(rows, CARD)["step"] == 11.0


def test_a_step_orders_runs_and_waits():
    assert predict(ROWS, CARD) == {
        "orders": 2, "waits": 0, "ordering": 4.0, "running": 14.0,
        "step": 14.0}
    found = predict(ROWS, CARD, 9, waits=3, carried=8)
    assert found["ordering"] == 18.0 and found["running"] == 14.0
    assert found["step"] == 18.0 + 1.5 + 2.0
    assert predict(ROWS, CARD, 1, gap=0.25)["step"] == 14.5


def test_counting_without_numbers_counts_the_same():
    X, y = some_data(64)
    params = fresh("cpu")
    adam = Adam(params)
    for _ in range(2):
        with Ledger() as ledger:
            *_, grads = gradients(X, y, *params)
            for p, grad in zip(params, grads, strict=True):
                p.grad = grad
            adam.step()
    assert counted() == ledger.rows
    assert sum(w for _, w, _ in counted(10, 7)) == 10 * 7 * (
        2 * 784 + 3 * 10)


def test_each_way_has_its_orders_and_its_waits():
    ways = ways_on(CARD)
    X, y = some_data(64)
    learner = Learner(X, y, "cpu")
    with Ledger() as ledger:
        learner.step()
    kernels = len(counted())
    assert {name: (way["orders"], way["waits"])
            for name, way in ways.items()} == {
        "eager": (kernels + 4, 4), "resident": (kernels + 4, 2),
        "no item": (len(ledger.rows) + 1, 0), "graph": (2, 0)}
    carried = BATCH * 784 * 4 + BATCH * 8
    held = bound(counted(), CARD)
    running = held["flops"] + held["bytes"]
    assert ways["eager"]["step"] == pytest.approx(
        max(2.0 * (kernels + 4), running) + 2.0 + carried / 4.0)
    assert ways["graph"]["running"] - ways["no item"]["running"] == (
        pytest.approx(0.25 * len(ledger.rows)))


def test_a_prediction_is_shown_as_a_record_is():
    found = predicted(H100)
    assert found["name"] == "NVIDIA H100 SXM"
    assert found["roof"] == {k: H100[k] for k in (
        "flops", "bytes", "launch")}
    for name, way in ways_on(H100).items():
        assert shown(found["epochs"][name]) == readable(STEPS * way["step"])
    small, large = found["products"][0], found["products"][-1]
    assert (small["n"], large["n"]) == (16, 8192)
    assert small["time"]["median"] == H100["launch"]
    assert large["time"]["median"] == pytest.approx(2 * 8192**3 / 67e12)
    assert [r["batch"] for r in found["layers"]] == [
        1, 4, 16, 64, 256, 1024, 4096]
    assert found["layers"][-1]["time"]["median"] == pytest.approx(
        2 * 4096 * 784 * 128 / 67e12)
    moves = found["transfers"]
    assert moves["images"]["bytes"] == IMAGES * 784 * 4
    assert moves["images"]["time"]["median"] == pytest.approx(
        IMAGES * 784 * 4 / 64e9 + 3.8e-6 + 2.9e-6)
    assert moves["item"]["bytes"] == 4


def test_a_larger_network_gains_more_up_to_the_ratio_of_the_roofs():
    slow = {"flops": 67e10, "bytes": 3.35e10, "launch": 3.8e-6}
    found = [gain(H100, slow, 64, hidden) for hidden in (8, 512, 16384)]
    assert found == sorted(found) and found[0] < 5 < 50 < found[-1] < 100
    rows = counted(64, 512)
    assert found[1] == pytest.approx(
        together(bound(rows, slow), False)
        / predict(rows, H100, len(rows) + 2, waits=2)["step"])


def test_nothing_is_drawn_for_a_count():
    before = torch.get_rng_state()
    counted(4, 5)
    assert torch.equal(before, torch.get_rng_state())
