"""The digit that goes through the book: our 7, or what the reader drew."""

import json

import pytest

from scratch.data import load_mnist
from stage import settled

READ = "() => Drawing.mine()"
KEEP = "(text) => localStorage.setItem(Drawing.KEY, text)"
DRAWN = [0, 255, 51] + [0] * 781
FORBID = """Object.defineProperty(window, 'localStorage', {
  get() { throw new DOMException('no', 'SecurityError'); }})"""


@pytest.fixture
def tab(on_stage):
    return on_stage("recognizer")


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


def test_what_is_drawn_in_the_first_chapter_goes_through_the_book(on_stage):
    tab = on_stage("recognizer", over="http")
    pad = tab.locator(".desk canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    tab.mouse.move(box["x"] + 60, box["y"] + 20)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 60, box["y"] + box["height"] - 20, steps=9)
    tab.mouse.up()
    settled(tab)
    drawn = tab.evaluate(READ)["pixels"]
    assert sum(drawn) > 10
    home = tab.url.rsplit("/", 1)[0]
    for name in ("cross-entropy", "computation-graph", "shape-propagation"):
        tab.goto(f"{home}/{name}.html")
        tab.wait_for_selector(".stage-body > *", state="attached")
        settled(tab)
        mine = tab.locator(".stage").text_content()
        tab.get_by_text("use our 7").click()
        settled(tab)
        assert tab.locator(".stage").text_content() != mine
        tab.get_by_text("use my drawing").click()
        settled(tab)
        assert tab.locator(".stage").text_content() == mine


def test_a_cleared_sheet_is_forgotten(on_stage):
    tab = on_stage("recognizer")
    tab.evaluate(KEEP, json.dumps(DRAWN))
    tab.locator("text=Clear").click()
    settled(tab)
    assert tab.evaluate(READ) is None
    assert tab.evaluate("() => localStorage.length") == 0


def test_where_nothing_can_be_kept_drawing_goes_on(on_stage):
    tab = on_stage("recognizer")
    tab.evaluate(FORBID)
    tab.locator("text=Clear").click()
    settled(tab)
    assert "empty" in tab.locator(".verdict").text_content()
