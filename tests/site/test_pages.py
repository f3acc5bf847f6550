"""The HTML book, opened from file:// in a real browser."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlparse

import pytest

from built import BOOK, MODULES, PAGES, SITE
from press.read import edition
from stage import PATIENCE


class Links(HTMLParser):
    """What a page links to, and the ids it offers."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.ids, self.repeated = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if identifier := attrs.get("id"):
            if identifier in self.ids:
                self.repeated.append(identifier)
            self.ids.add(identifier)
        for name in ("href", "src"):
            if attrs.get(name) and tag in ("a", "img", "link", "script"):
                self.targets.append(attrs[name])


@pytest.fixture(scope="module")
def site():
    if not (SITE / "index.html").exists():
        pytest.fail("no _book/; run 'make book' first ('make test' does)")
    return {
        page: Links((SITE / page).read_text(encoding="utf-8"))
        for page in PAGES
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(site, page):
    for target in site[page].targets:
        url = urlparse(target)
        if url.scheme:
            continue
        file = (SITE / page).parent / unquote(url.path)
        file = (SITE / page) if not url.path else file.resolve()
        assert file.exists(), f"{page} links to {target}"
        name = file.resolve().relative_to(SITE.resolve()).as_posix()
        if url.fragment and name in site:
            assert unquote(url.fragment) in site[name].ids, target


@pytest.mark.parametrize("page", [*PAGES, *MODULES])
def test_every_page_shows_the_version_at_its_foot(page):
    text = (SITE / page).read_text(encoding="utf-8")
    foot = re.search(r"<footer\b[^>]*>(.*?)</footer>", text, re.DOTALL)[1]
    assert re.sub(r"<[^>]+>", "", foot) == (
        f"Version {BOOK.version}. {edition.LICENSES}")


@pytest.mark.parametrize("page", PAGES)
def test_no_id_stands_twice_on_a_page(site, page):
    assert site[page].repeated == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_of_the_dialect_is_left_on_a_page(page):
    text = (SITE / page).read_text(encoding="utf-8")
    prose = re.sub(r"<(pre|code|annotation|svg|math)\b.*?</\1>", "", text,
                   flags=re.DOTALL)
    for leftover in (":::", "{#", "{python}", "@fig-", "@tbl-", "@eq-",
                     "@sec-", "@exr-", "]{.", "citation not found", "(???)",
                     "**???**"):
        assert leftover not in prose, leftover


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_opens_from_disk_without_a_complaint(opened, page, theme):
    tab = opened(page, theme=theme)
    assert tab.complaints == []
    assert tab.requests and all(
        url.startswith(("file:", "data:")) for url in tab.requests
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_the_screen(opened, page, width):
    tab = opened(page, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_without_javascript(opened, page):
    tab = opened(page, script=False)
    assert tab.locator("h1").first.is_visible()
    assert tab.locator("main").inner_text().strip()


def test_the_theme_button_is_remembered(opened):
    tab = opened("index.html", theme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(paper)
    for _ in range(3):
        tab.locator("button.theme").click()
        if tab.evaluate(paper) != before:
            break
    dark = tab.evaluate(paper)
    assert dark != before
    tab.reload()
    assert tab.evaluate(paper) == dark


def test_the_policy_of_a_page_stops_what_is_written_into_it(opened):
    page = (SITE / "index.html").read_text(encoding="utf-8").replace(
        "</body>", '<script>document.title = "x"</script>'
        '<p id="red" style="color:red">r</p></body>',
    )
    tab = opened("index.html")
    tab.route("**/index.html", lambda route: route.fulfill(
        body=page, content_type="text/html"
    ))
    tab.reload()
    assert tab.title() != "x"
    assert len([c for c in tab.complaints if "style-src" in c]) == 1
    assert len([c for c in tab.complaints if "script-src" in c]) == 1


def test_a_quiz_says_why_when_an_answer_is_chosen(opened):
    tab = opened("book/03-loss.html")
    quiz = tab.locator(".quiz").first
    for kind in ("wrong", "right"):
        option = quiz.locator(f".option.{kind}").first
        why = option.locator(".why")
        assert not why.is_visible()
        option.locator("input").check()
        assert why.is_visible()


@pytest.mark.parametrize("label", BOOK.labels, ids=lambda x: x.id)
def test_a_label_bears_its_number_on_its_page(opened_text, label):
    if not label.number:
        pytest.skip("not numbered")
    number = label.number
    if label.kind in ("Chapter", "Appendix"):
        text = opened_text(label, ".kicker").lower()
        assert text == f"{label.kind} {number}".lower()
        return
    text = opened_text(label)
    if label.kind == "Section":
        assert text.startswith(number)
    elif label.kind == "Equation":
        assert f"({number})" in text
    else:
        assert f"{label.kind} {number}" in text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def opened_text(browser):
    """The text of a labelled element, from its page."""
    tabs = {}

    def text(label, selector=None):
        if label.page not in tabs:
            tabs[label.page] = browser.new_page()
            tabs[label.page].set_default_timeout(PATIENCE)
            tabs[label.page].goto((SITE / label.page).as_uri())
        selector = selector or f'[id="{label.id}"]'
        found = tabs[label.page].locator(selector)
        assert found.count() == 1, f"{label.id} is not on {label.page}"
        return found.inner_text().strip() or found.text_content().strip()

    yield text
    for tab in tabs.values():
        tab.close()
