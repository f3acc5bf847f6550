"""The digit that goes through the book: our 7, or what the reader drew."""

import json

import pytest

from scratch.data import load_mnist

READ = "() => Drawing.mine()"
KEEP = "(text) => localStorage.setItem(Drawing.KEY, text)"
DRAWN = [0, 255, 51] + [0] * 781
FORBID = """Object.defineProperty(window, 'localStorage', {
  get() { throw new DOMException('no', 'SecurityError'); }})"""


@pytest.fixture
def tab(on_stage):
    found = on_stage("recognizer")         # it has the digits
    found.add_script_tag(url="../figures/sims/mine.js")
    return found


def test_our_7_is_the_first_test_image(tab):
    X, y = load_mnist(split="test")
    found = tab.evaluate("() => Drawing.seven()")
    assert found["label"] == y[0].item() == 7
    assert found["pixels"] == pytest.approx(X[0].tolist(), abs=1e-7)


def test_a_drawing_is_read_where_one_is_kept(tab):
    assert tab.evaluate(READ) is None
    tab.evaluate(KEEP, json.dumps(DRAWN))
    found = tab.evaluate(READ)
    assert found["label"] is None
    assert found["pixels"] == [v / 255 for v in DRAWN]


@pytest.mark.parametrize("kept", [
    "", "not JSON", "null", "{}", "[]", json.dumps(DRAWN[1:]),
    json.dumps([*DRAWN[1:], 256]), json.dumps([*DRAWN[1:], -1]),
    json.dumps([*DRAWN[1:], 0.5]), json.dumps([*DRAWN[1:], "1"]),
    json.dumps([0] * 784),
])
def test_what_is_no_drawing_is_none(tab, kept):
    tab.evaluate(KEEP, kept)
    assert tab.evaluate(READ) is None


def test_a_browser_that_keeps_nothing_has_no_drawing(tab):
    tab.evaluate(KEEP, json.dumps(DRAWN))
    tab.evaluate(FORBID)
    assert tab.evaluate(READ) is None
