"""A page of its own for each simulation, and what tests ask of it."""

import functools
import re

from built import ROOT

FOLDER = ROOT / "figures" / "sims"
PATIENCE = 300_000  # milliseconds: the machine may be busy
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


def watched(context):
    """A new tab that keeps what it complains of."""
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.reload = functools.partial(reload_whole, tab, tab.reload)
    tab.complaints = []
    tab.on("console", lambda m: m.type in ("error", "warning")
           and tab.complaints.append(m.text))
    tab.on("pageerror", lambda e: tab.complaints.append(f"{e}\n{e.stack}"))
    return tab


KEPT = "() => Object.entries(localStorage)"
KEEP = """(entries) => {
  localStorage.clear();
  for (const [name, value] of entries) localStorage.setItem(name, value);
}"""


def reload_whole(tab, reload):
    """Reload with all that the page has kept.

    A busy Chromium may read its storage before the last write has come to
    it. So where something is missing afterwards it is put back, and the page
    loaded again, until nothing is missing or the page itself takes it away:
    then it is gone three times.
    """
    before, after = sorted(tab.evaluate(KEPT)), []
    while True:
        reload()
        after.append(sorted(tab.evaluate(KEPT)))
        if after[-1] == before or after[-3:] == after[-1:] * 3:
            return
        tab.evaluate(KEEP, before)


def until(tab, condition):
    """Wait until an expression of the page is true, some frames or many."""
    tab.evaluate(f"""() => new Promise((done, fail) => {{
      let frames = 0;
      const look = () => {{
        if ({condition}) done();
        else if (frames++ > 36_000) fail(Error("it never came"));
        else requestAnimationFrame(look);
      }};
      look();
    }})""")


def still(tab):
    """Wait until every simulation has its place and nothing moves."""
    until(tab, "[...document.querySelectorAll('.sim')].every("
          "(sim) => sim.querySelector('.stage-body > *'))")
    tab.evaluate("""(n) => new Promise((done) => {
      let last = "", same = 0;
      const look = () => {
        const now = `${scrollY} ${document.documentElement.scrollHeight}`;
        same = now === last ? same + 1 : 0;
        last = now;
        same < n ? requestAnimationFrame(look) : done();
      };
      look();
    })""", 20)


def settled(tab):
    """Wait until what was asked for is painted."""
    tab.evaluate(FRAMES, 3)


def snapshot(tab):
    """All that a stage shows, as text."""
    settled(tab)
    return tab.evaluate(SNAPSHOT)
