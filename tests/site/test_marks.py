"""The small marks of the built book lead to what explains them."""

import re

import pytest

from built import PAGES, SITE
from stage import until

SIGNS = {"exact": "=", "close": "≈", "machine": "⌁"}
MARK = re.compile(
    r'<details class="mark mark-(\w+)" name="mark"><summary '
    r'aria-label="(\w+): what this mark means">'
    r'<span class="sign" aria-hidden="true">(.)</span> (\w+)</summary>\s*'
    r'<p>(\w+): [^<]*See\s<a href="([^"]*)"[^>]*>Appendix.[A-Z]</a>\.</p>'
)


def text_of(page):
    return (SITE / page).read_text(encoding="utf-8")


def test_every_mark_is_named_and_leads_to_the_appendix():
    seen = set()
    for page in PAGES:
        text = text_of(page)
        marks = MARK.findall(text)
        assert len(marks) == text.count('<details class="mark')
        for kind, name, sign, word, meaning, target in marks:
            assert kind == name == word == meaning.lower()
            assert sign == SIGNS[kind]
            assert (SITE / page).parent.joinpath(
                target.split("#")[0] or page.split("/")[-1]
            ).resolve() == (SITE / "book/exact.html").resolve()
            assert target.endswith("#sec-exact")
            seen.add(kind)
    assert seen == set(SIGNS)


def test_the_opening_chapter_says_what_the_marks_are():
    text = text_of("index.html")
    for word, sign in SIGNS.items():
        assert re.search(rf"<code>{sign}</code>\sis\s(<[^>]+>)*{word}", text)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_annotated_line_lights_up_with_its_note(opened, theme):
    tab = opened("book/05-optimizers.html", theme=theme)
    lit = "[...document.querySelectorAll('.lit')].map(e => e.textContent)"
    notes = tab.locator(".annotations a.annotation")
    assert notes.count() == 5 and tab.evaluate(lit) == []
    notes.nth(1).focus()
    line, note = tab.evaluate(lit)
    assert line.strip().startswith("v.mul_(beta2)") and "②" in line
    assert note.strip().startswith("②") and "addcmul_" in note
    notes.nth(2).focus()
    assert len(tab.evaluate(lit)) == 2 and tab.evaluate(lit)[0] != line
    tab.evaluate("document.activeElement.blur()")
    assert tab.evaluate(lit) == []
    tab.locator("pre a.annotation").nth(4).hover()
    assert "addcdiv_" in tab.evaluate(lit)[1]
    tab.locator("h1").hover()
    assert tab.evaluate(lit) == []


def test_copied_code_has_no_marks(opened):
    tab = opened("book/05-optimizers.html")
    tab.evaluate("""() => {
      window.copied = null;
      Object.defineProperty(navigator, "clipboard",
        {value: {writeText: async (text) => { window.copied = text; }}});
      const code = document.querySelector("pre a.annotation")
        .closest("div.sourceCode");
      code.querySelector("button.copy").click();
    }""")
    until(tab, "window.copied !== null")
    text = tab.evaluate("window.copied")
    assert "m.lerp_(p.grad, 1 - beta1)\n" in text
    assert not re.search("[①-⑩]|<1>", text)
