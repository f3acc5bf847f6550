"""What holds for every simulation, in a real browser."""

import pytest

from built import BOOK, SITE
from press.read.document import Div
from stage import FOLDER, SIMS, settled, snapshot, until, watched

FOCUSABLE = ".stage :is(button, input, select, [tabindex='0'])"
OUTSIDE = """() => {
  const frame = document.querySelector('.stage').getBoundingClientRect();
  return [...document.querySelectorAll('.stage-body *')].filter((part) => {
    const {left, right, width} = part.getBoundingClientRect();
    return width && (left < frame.left - 12 || right > frame.right + 12);
  }).map((part) => part.outerHTML.slice(0, 120));
}"""
DATA = ("weights", "digits", "rates", "layers")
HANDLES = ".stage .drag, .stage input[type=range]"
every_sim = pytest.mark.parametrize("name", SIMS)


def dragged(tab, handle):
    """Drag a handle from its middle, to the right and up."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + max(30, box["width"] / 4), y - 40, steps=12)
    tab.mouse.up()


def visible(tab, selector):
    return tab.locator(selector).first.is_visible()


# ---------------------------------------------------------------- the files


def test_all_scripts_together_are_small():
    size = {f.stem: f.stat().st_size for f in FOLDER.glob("*.js")}
    data = {name: size.pop(name) for name in DATA}
    assert sum(size.values()) < 140_000
    assert data.pop("weights") < 300_000
    assert sum(data.values()) < 40_000


@pytest.mark.parametrize("name", sorted(
    {file.stem for file in FOLDER.glob("*.js")} - set(DATA)))
def test_a_script_has_at_most_300_lines(name):
    text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert '"use strict";' in text
    text = text.replace("http://www.w3.org/2000/svg", "")
    assert not any(word in text for word in ("http", "eval(", "innerHTML"))


def places():
    """Where the chapters place simulations: page and name."""
    for document in BOOK.documents:
        for div in document.all(Div):
            if "sim" in div.classes:
                yield document.chapter.page, div.attributes["data-sim"]


def test_every_place_in_the_book_has_its_simulation():
    assert {name for _, name in places()} == set(SIMS)


# ---------------------------------------------------------------- the stage


@every_sim
@pytest.mark.parametrize("over, width, theme", [
    ("file", 390, "light"), ("file", 1280, "dark"),
    ("server", 390, "dark"), ("server", 1280, "light"),
])
def test_a_simulation_takes_the_stills_place(
    on_stage, name, over, width, theme
):
    tab = on_stage(name, width=width, theme=theme, over=over)
    assert not visible(tab, "text='The still.'")
    assert visible(tab, ".stage-head p") and visible(tab, "text='Figure 1.'")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(OUTSIDE) == []


@every_sim
def test_print_and_a_page_without_scripts_show_the_still(on_stage, name):
    tab = on_stage(name)
    tab.emulate_media(media="print")
    assert visible(tab, "text='The still.'") and not visible(tab, ".stage")
    tab = on_stage(name, script=False)
    assert visible(tab, "text='The still.'")
    assert visible(tab, "text='A caption.'")


@every_sim
def test_every_control_is_reached_and_moved_by_keys(on_stage, name):
    tab = on_stage(name)
    before, reached, changed = snapshot(tab), 0, False
    count = tab.locator(FOCUSABLE).count()
    tab.locator("h1").click()
    for _ in range(count + 2):
        tab.keyboard.press("Tab")
        if not tab.evaluate("!!document.activeElement.closest('.stage')"):
            continue
        reached += 1
        if tab.evaluate("document.activeElement.textContent") == "Reset":
            continue
        for key in ("ArrowRight", "ArrowUp", "Space"):
            tab.keyboard.press(key)
            changed = changed or snapshot(tab) != before
    assert reached >= 2 and changed
    tab.wait_for_selector(".stage-said:not(:empty)", state="attached")
    tab.locator("text=Reset").focus()
    tab.keyboard.press("Enter")
    assert snapshot(tab) == before
    assert tab.evaluate("document.activeElement.textContent") == "Reset"


@every_sim
@pytest.mark.parametrize("touch", [False, True])
def test_the_pointer_moves_what_is_drawn_and_reset_puts_it_back(
    on_stage, name, touch
):
    tab = on_stage(name, touch=touch, width=390 if touch else 1280)
    before, changed = snapshot(tab), False
    for handle in tab.locator(HANDLES).all()[:3]:
        dragged(tab, handle)
        changed = changed or snapshot(tab) != before
    for target in tab.locator(".stage-body :is(button, label)").all()[:6]:
        if target.is_visible() and target.is_enabled():
            target.tap() if touch else target.click()
            changed = changed or snapshot(tab) != before
    assert changed
    tab.locator("text=Reset").click()
    tab.mouse.move(0, 0)
    assert snapshot(tab) == before


@every_sim
def test_a_change_of_theme_is_followed(on_stage, name):
    tab = on_stage(name, theme="light")
    light = tab.locator(".stage").screenshot()
    tab.emulate_media(color_scheme="dark")
    settled(tab)
    assert tab.locator(".stage").screenshot() != light


@every_sim
def test_with_reduced_motion_nothing_moves_by_itself(on_stage, name):
    tab = on_stage(name, motion="reduce")
    before = snapshot(tab)
    tab.wait_for_timeout(400)
    assert snapshot(tab) == before


@every_sim
def test_how_long_a_frame_takes(on_stage, name, record_property, capsys):
    """Reported, not asserted: it is true of one machine only."""
    tab = on_stage(name)
    tab.evaluate("""() => {
      const gaps = globalThis.gaps = [];
      let last = performance.now();
      (function watch(now) {
        gaps.push(now - last);
        last = now;
        requestAnimationFrame(watch);
      })(last);
    }""")
    if tab.locator("text=/^Play/").count():
        tab.locator("text=/^Play/").first.click()
    else:
        dragged(tab, tab.locator(HANDLES).first)
    until(tab, "gaps.length > 40")
    gaps = sorted(tab.evaluate("gaps.slice(2)"))
    median = gaps[len(gaps) // 2]
    record_property("median frame in ms", median)
    with capsys.disabled():
        print(f"\n{name}: median frame {median:.1f} ms, "
              f"slowest {gaps[-1]:.1f} ms")


# ------------------------------------------------------- in the book itself


@pytest.mark.parametrize("page, name", list(places()))
@pytest.mark.parametrize("script", [True, False])
def test_a_page_of_the_book_shows_its_simulation(
    browser, page, name, script
):
    if not (SITE / page).exists():
        pytest.fail("no _book/; run 'make book' first ('make test' does)")
    context = browser.new_context(java_script_enabled=script)
    tab = watched(context)
    tab.goto((SITE / page).as_uri())
    place = tab.locator(f'.sim[data-sim="{name}"]')
    if script:
        place.locator(".stage-body > *").first.wait_for(
            state="attached")
    assert place.locator(".stage").count() == int(script)
    assert place.locator(".picture").first.is_visible() != script
    assert place.locator("figcaption").is_visible()
    assert tab.complaints == []
    context.close()
