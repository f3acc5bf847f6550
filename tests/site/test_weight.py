"""A page is light, and it is drawn before any script has come."""

import base64
import gzip
import hashlib
import re

import pytest

from built import MODULES, PAGES, SITE
from stage import until, watched

BUDGET = 150_000  # bytes of a page with its styles and scripts, compressed
OWN = re.compile(
    r'<(?:script[^>]* src|link rel="stylesheet" href)="([^"]+)"')
SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


def packed(data):
    return len(gzip.compress(data, 9, mtime=0))


@pytest.mark.parametrize("page", PAGES + MODULES)
def test_a_page_with_its_styles_and_scripts_is_within_its_budget(page):
    file = SITE / page
    text = file.read_bytes()
    parts = OWN.findall(text.decode())
    assert len(parts) >= 4
    weight = packed(text) + sum(
        packed((file.parent / part).read_bytes()) for part in parts)
    assert weight < BUDGET, f"{page}: {weight}"


@pytest.mark.parametrize("page", PAGES + MODULES)
def test_no_script_keeps_a_page_waiting(page):
    text = (SITE / page).read_text(encoding="utf-8")
    scripts = SCRIPT.findall(text)
    assert len(scripts) >= 3
    for attributes, body in scripts:
        if "src=" in attributes:
            assert re.search(r"\bdefer\b", attributes), attributes
        else:
            digest = hashlib.sha256(body.encode()).digest()
            assert f"'sha256-{base64.b64encode(digest).decode()}'" in text
            assert len(body) < 600


def test_a_page_is_painted_and_themed_while_its_scripts_hang(browser):
    context = browser.new_context(color_scheme="light")
    tab = watched(context)
    page = (SITE / "book" / "03-loss.html").as_uri()
    tab.goto(page)
    tab.evaluate("localStorage.setItem('theme', 'dark')")
    tab.evaluate("localStorage.setItem('text-size', '125')")
    tab.route("**/*.js", lambda route: None)
    tab.goto(page, wait_until="commit")
    tab.locator("h1").wait_for()
    until(tab, "performance.getEntriesByType('paint').length")
    assert tab.evaluate("document.readyState") != "complete"
    root = "document.documentElement"
    assert tab.evaluate(f"{root}.dataset.theme") == "dark"
    assert tab.evaluate(f"{root}.style.fontSize") == "125%"
    assert tab.complaints == []
    context.close()
