"""One browser for all tests of pages and simulations.

`opened(page)` opens a page of the built book. `on_stage(name)` opens a page
that holds one simulation around a still, under a strict content security
policy, and ends in a failure if the page complained. `numbers` calls the
simulation's mathematics:

    def test_it(numbers):
        assert numbers("cross-entropy", "crossEntropy", [1, 2], 0)["loss"]
"""

import functools
import http.server
import os
import shutil
import threading

import pytest

from built import SITE
from press.weave.html import style
from stage import FOLDER, PAGE, SIMS, settled, watched

CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium-headless-shell")  # the same without windows
    or shutil.which("chromium")
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """A site with one page a simulation."""
    site = tmp_path_factory.mktemp("house")
    (site / "site").mkdir()
    (site / "book").mkdir()
    shutil.copytree(FOLDER, site / "figures" / "sims")
    style.write_sheets(site / "site")
    for name in SIMS:
        page = site / "book" / f"{name}.html"
        page.write_text(PAGE.format(name=name), encoding="utf-8")
    return site


def serving(folder):
    """Serve a folder on this machine: the address, then the end."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def served(house):
    """The address of a server of the site of simulations."""
    yield from serving(house)


@pytest.fixture(scope="session")
def address():
    """The address of a server of the book, which searching needs."""
    yield from serving(SITE)


@pytest.fixture
def opened(browser):
    """Open a page; what it complained of and asked for is kept."""
    contexts = []

    def open_page(page, *, width=1280, theme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme,
            java_script_enabled=script,
        )
        contexts.append(context)
        tab = watched(context)
        tab.requests = []
        tab.on("request", lambda r: tab.requests.append(r.url))
        tab.goto((SITE / page).as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def on_stage(browser, house, request):
    """Open a simulation; at the end nothing may have been complained of."""
    tabs = []

    def open_stage(name, *, width=1280, theme="light", over="file",
                   script=True, motion="no-preference", touch=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme,
            java_script_enabled=script, reduced_motion=motion,
            has_touch=touch,
        )
        tab = watched(context)
        tabs.append(tab)
        page = f"book/{name}.html"
        if over == "file":
            tab.goto((house / page).as_uri())
        else:
            tab.goto(f"{request.getfixturevalue('served')}/{page}")
        if script:
            tab.wait_for_selector(".stage-body > *", state="attached")
            settled(tab)
        return tab

    yield open_stage
    complaints = [complaint for tab in tabs for complaint in tab.complaints]
    for tab in tabs:
        tab.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def math_pages(browser, house):
    """One open page a simulation, for its mathematics alone."""
    context, tabs = browser.new_context(), {}

    def page_of(name):
        if name not in tabs:
            tabs[name] = watched(context)
            tabs[name].goto((house / "book" / f"{name}.html").as_uri())
            tabs[name].wait_for_selector(".stage-body > *", state="attached")
        return tabs[name]

    yield page_of
    context.close()


@pytest.fixture
def numbers(math_pages):
    """Call a function of a simulation's `math` with plain arguments."""
    def call(name, function, *given):
        return math_pages(name).evaluate(
            "([name, f, given]) => scratchSims[name].math[f](...given)",
            [name, function, list(given)],
        )

    return call
