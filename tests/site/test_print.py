"""A printed page is dark on light, whatever its reader's screen was."""

import re

import pytest

from built import MODULES, PAGES, SITE
from press.weave.html.style import palette_css

# Colors of all that is shown, as text: of each element by its place.
SHOWN = """() => [...document.querySelectorAll("html, body, body *")]
  .filter((e) => e.checkVisibility()).map((e, place) => {
    const s = getComputedStyle(e);
    return [place, e.tagName, s.color, s.backgroundColor, s.backgroundImage,
      s.borderTopColor, s.borderLeftColor, s.outlineColor, s.fill, s.stroke,
      s.filter, s.opacity, s.colorScheme, s.fontSize].join(" ");
  })"""
# The least contrast with white of text on a page, and whose it is.
FAINTEST = """() => {
  const context = document.createElement("canvas").getContext("2d",
    {willReadFrequently: true});
  const seen = new Map();
  const light = (color) => {
    if (!seen.has(color)) {
      context.fillStyle = "#fff";
      context.fillRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data]
        .map((v) => v / 255)
        .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
      seen.set(color, 1.05 / (.2126 * r + .7152 * g + .0722 * b + .05));
    }
    return seen.get(color);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = [21, "nothing"];
  while (texts.nextNode()) {
    const {data, parentElement: e} = texts.currentNode;
    if (!data.trim() || !e.checkVisibility() || e.closest("script")) continue;
    const s = getComputedStyle(e);
    const found = light(e.closest("svg") ? s.fill : s.color);
    if (found < least[0]) least = [found, `${e.outerHTML.slice(0, 90)}`];
  }
  return least;
}"""
READERS = [(scheme, chosen) for scheme in ("light", "dark")
           for chosen in (None, "light", "dark")]


@pytest.fixture(scope="module")
def printed(browser):
    """A page as it is printed, by the system's theme and the reader's."""
    contexts = {}

    def open_page(page, scheme, chosen, media="print"):
        key = scheme, chosen, media
        if key not in contexts:
            context = browser.new_context(color_scheme=scheme)
            if chosen:
                context.add_init_script(
                    f"localStorage.setItem('theme', '{chosen}')")
            contexts[key] = context.new_page()
            contexts[key].emulate_media(media=media, color_scheme=scheme)
        tab = contexts[key]
        tab.goto((SITE / page).as_uri())
        assert tab.evaluate("document.documentElement.dataset.theme") == chosen
        return tab

    yield open_page
    for tab in contexts.values():
        tab.context.close()


@pytest.mark.parametrize("page", [
    "index.html", "book/03-loss.html", "book/06-data.html",
    "book/11-mastery.html", MODULES[0],
])
def test_paper_looks_the_same_whatever_theme_the_screen_had(printed, page):
    wanted = printed(page, "light", None).evaluate(SHOWN)
    assert " none 1 light " in wanted[0]
    for scheme, chosen in READERS[1:]:
        found = printed(page, scheme, chosen).evaluate(SHOWN)
        assert len(found) == len(wanted)
        assert [(a, b) for a, b in zip(found, wanted, strict=True)
                if a != b][:3] == [], (scheme, chosen)


def test_a_dark_screen_would_be_told_from_paper(printed):
    page = "index.html"
    paper = printed(page, "dark", "dark")
    assert paper.locator(".picture image").count() > 0
    screen = printed(page, "dark", "dark", media="screen")
    least = screen.evaluate(FAINTEST)[0]
    assert least < 1.5 < 4.5 <= paper.evaluate(FAINTEST)[0]
    assert " dark " in screen.evaluate(SHOWN)[0]
    for tab, turned in ((paper, False), (screen, True)):
        filters = set(tab.locator(".picture image").evaluate_all(
            "all => all.map(e => getComputedStyle(e).filter)"))
        assert (filters != {"none"}) is turned


@pytest.mark.parametrize("page", PAGES + MODULES[:1])
def test_all_text_can_be_read_on_white_paper(printed, page):
    """Browsers print without backgrounds."""
    contrast, where = printed(page, "dark", "dark").evaluate(FAINTEST)
    assert contrast >= 4.5, where


def test_paper_has_one_text_size(opened):
    tab = opened("book/03-loss.html")
    size = "getComputedStyle(document.documentElement).fontSize"
    screen = tab.evaluate(size)
    tab.emulate_media(media="print")
    before = tab.evaluate(size)
    tab.emulate_media(media="screen")
    tab.locator("button.size").click()
    assert tab.evaluate(size) != screen
    tab.emulate_media(media="print")
    assert tab.evaluate(size) == before


def test_a_dark_palette_is_for_screens_alone():
    """No rule outside `@media screen` holds a dark color."""
    rules = re.sub(r"@media screen[^{]*\{[^{}]*\{[^{}]*\}\}", "",
                   palette_css())
    assert palette_css() != rules and "dark" not in rules
    css = (SITE / "site" / "book.css").read_text(encoding="utf-8")
    for match in re.finditer(r"^(.*)\[data-theme=\"dark\"\]|"
                             r"@media ([^{]*)prefers-color-scheme", css, re.M):
        above = css[:match.start()].rsplit("@media", 1)[-1]
        assert "screen" in (match[2] or above.split("{")[0]), match[0]
