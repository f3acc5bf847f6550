"""A page of its own for each simulation, in a real browser.

`from sims_harness import *` brings the fixtures. `on_stage(name)` opens a
page that holds one simulation around a still, under a strict content
security policy, and ends in a failure if the page complained. `numbers`
calls the simulation's mathematics:

    def test_it(numbers):
        assert numbers("cross-entropy", "crossEntropy", [1, 2], 0)["loss"]
"""

import functools
import http.server
import os
import re
import shutil
import threading
from pathlib import Path

import pytest

from press.html import TEMPLATES, palette_css

__all__ = [
    "SIMS", "browser", "house", "math_pages", "numbers", "on_stage",
    "served", "snapshot", "settled",
]
ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "figures" / "sims"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]
STAGED = re.compile(r'^\s*stage\("([\w-]+)", \{$', re.MULTILINE)
SIMS = sorted(
    file.stem for file in FOLDER.glob("*.js")
    if STAGED.search(file.read_text(encoding="utf-8"))
    and file.stem != "stage"
)
PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'self'; style-src 'self'">
<link rel="stylesheet" href="../site/palette.css">
<link rel="stylesheet" href="../site/book.css">
<link rel="stylesheet" href="../figures/sims/stage.css">
<script src="../figures/sims/stage.js" defer></script></head>
<body><div class="page"><main><h1>{name}</h1>
<div class="sim" data-sim="{name}"><div class="cell">
<figure id="fig-still"><span class="picture"><b>The still.</b></span>
<figcaption><p><span class="caption-label">Figure 1.</span> A caption.</p>
</figcaption></figure></div></div>
<p>After.</p></main></div></body></html>
"""
SNAPSHOT = """() => {
  const body = document.querySelector('.stage-body');
  const values = [...body.querySelectorAll('input')]
    .map((input) => `${input.value} ${input.checked}`);
  const canvases = [...body.querySelectorAll('canvas')]
    .map((canvas) => canvas.toDataURL());
  return [body.innerHTML.replace(/choice-\\d+/g, ''), ...values,
    ...canvases].join('\\n');
}"""
FRAMES = """(n) => new Promise((done) => {
  const wait = () => n-- > 0 ? requestAnimationFrame(wait) : done();
  wait();
})"""


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A site with one page a simulation."""
    site = tmp_path_factory.mktemp("house")
    (site / "site").mkdir()
    (site / "book").mkdir()
    shutil.copytree(FOLDER, site / "figures" / "sims")
    shutil.copy(TEMPLATES / "book.css", site / "site")
    (site / "site" / "palette.css").write_text(palette_css())
    for name in SIMS:
        page = site / "book" / f"{name}.html"
        page.write_text(PAGE.format(name=name), encoding="utf-8")
    return site


@pytest.fixture(scope="module")
def served(house):
    """The address of a server of that site."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(house))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def watched(context):
    """A new tab that keeps what it complains of."""
    tab = context.new_page()
    tab.complaints = []
    tab.on("console", lambda m: m.type in ("error", "warning")
           and tab.complaints.append(m.text))
    tab.on("pageerror", lambda e: tab.complaints.append(str(e)))
    return tab


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


def settled(tab):
    """Wait until what was asked for is painted."""
    tab.evaluate(FRAMES, 3)


def snapshot(tab):
    """All that a stage shows, as text."""
    settled(tab)
    return tab.evaluate(SNAPSHOT)
