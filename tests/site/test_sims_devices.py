"""The race of CPU and GPU takes the times that were recorded."""

import json

import pytest

from built import ROOT
from figures import rates
from scratch import timing
from stage import settled

RECORDS = ROOT / "book" / "recorded"
WITHOUT_GPU = """() => {
  const [{names: {cuda, ...names}, devices: {cpu, paper}, ...rest}] = RATES;
  RATES.splice(0, RATES.length, {...rest, names, devices: {cpu, paper}});
}"""
WITH_GPU = """() => {
  const [record] = RATES, {cpu} = record.devices;
  const cuda = {
    products: [[16, 8e-6], [256, 8e-6], [2048, 2e-4], [8192, 1e-2]],
    batches: {eager: 1000, graph: 20000},
  };
  RATES.push({...record, names: {...record.names, cuda: "A card"},
    devices: {cpu, cuda, paper: record.devices.paper}});
}"""


def test_the_rates_are_those_of_the_records(math_pages):
    """The newest first, as scratch.timing reads them."""
    records = sorted(
        (json.loads(file.read_text(encoding="utf-8"))
         for name in ("timing", "gpu")
         for file in sorted((RECORDS / name).glob("*.json"))),
        key=lambda record: record["date"], reverse=True,
    )
    assert records
    paper = timing.predicted(timing.H100)
    assert math_pages("devices").evaluate("RATES") == rates.rates(
        records, paper)


def test_a_lane_takes_the_time_that_was_measured(numbers, math_pages):
    [record, *_] = math_pages("devices").evaluate("RATES")
    for device, found in record["devices"].items():
        for n, seconds in found["products"]:
            lanes = numbers("devices", "lanes", record, "products", n)
            assert seconds in [
                lane["seconds"] for lane in lanes if lane["device"] == device
            ]
        lanes = numbers("devices", "lanes", record, "batches", 0)
        assert [lane["seconds"] for lane in lanes
                if lane["device"] == device] == pytest.approx(
            [1 / rate for rate in found["batches"].values()])


def test_what_is_finished_is_whole(numbers):
    assert numbers("devices", "finished", 1.0, 0.3) == 3
    assert numbers("devices", "finished", 0.9, 0.3) == 3
    lanes = [{"seconds": 0.5}, {"seconds": 0.02}]
    assert numbers("devices", "span", lanes) == pytest.approx(4.0)


def test_two_curves_meet_where_their_logarithms_do(numbers):
    slow = [[2**k, 2.0 ** (3 * k)] for k in range(4, 12)]
    flat = [[2**k, 2.0**18] for k in range(4, 13)]
    assert numbers("devices", "crossover", slow, flat) == pytest.approx(64)
    assert numbers("devices", "crossover", flat, slow) is None
    between = [[n, t * 2.0**-1.5] for n, t in slow]
    assert numbers("devices", "crossover", between, flat) == pytest.approx(
        2**6.5)


def test_a_book_without_a_recorded_gpu_computes_one(on_stage):
    tab = on_stage("devices")
    tab.evaluate(WITHOUT_GPU)
    tab.locator("text=Reset").click()
    settled(tab)
    text = tab.locator(".stage-body").text_content()
    assert "GPU, computed, graph finishes" in text
    assert "GPU, graph" not in text
    assert "published figures of an NVIDIA H100" in text
    tab.get_by_label("products of matrices").check(force=True)
    settled(tab)
    assert "The two meet near n" in tab.locator(
        ".stage-body").text_content()


def test_with_a_gpu_measured_and_computed_run_side_by_side(on_stage):
    tab = on_stage("devices")
    tab.evaluate(WITHOUT_GPU)
    tab.evaluate(WITH_GPU)
    tab.locator("text=Reset").click()
    settled(tab)
    text = tab.locator(".stage-body").text_content()
    assert "GPU, graph" in text and "GPU, computed, graph" in text
    tab.get_by_label("products of matrices").check(force=True)
    settled(tab)
    text = tab.locator(".stage-body").text_content()
    assert "The two meet near n" in text and "A card" in text
    before = tab.locator("text=/finished, /").first.text_content()
    tab.get_by_label("matrix size n").fill("0")
    settled(tab)
    assert tab.locator("text=/finished, /").first.text_content() != before


def test_a_replay_begins_anew_and_ends(on_stage):
    tab = on_stage("devices")
    finished = tab.locator("svg text.end").first
    whole = finished.text_content()
    tab.locator("text=Play again").click()
    settled(tab)
    assert finished.text_content() != whole
    tab.wait_for_selector("text=Play again", timeout=20_000)
    settled(tab)
    assert finished.text_content() == whole
