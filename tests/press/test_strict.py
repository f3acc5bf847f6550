"""Pages say the same under a policy that allows no style in an element."""

import re

import pytest
from lxml import html

from press import build
from press.errors import BookError
from press.progress import Reporter
from press.weave import svg
from press.weave.html import strict
from tiny import cell

pytestmark = pytest.mark.usefixtures("quick_kernels")
TABLE = """\
# T

| Name | Value | Middle |
|:-----|------:|:------:|
| a    |     1 |   x    |

| A long column | Another |
|:--------------|---------|
| The words of this cell are more than a line can hold, so that the \
widths are given. | b |

$$
\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}
$$
"""


def page_of(book):
    site = build.build(book, Reporter(quiet=True), formats=("html",))
    return (site / "book/01-one.html").read_text(encoding="utf-8"), site


def test_no_page_carries_a_style_or_a_script_but_the_one_it_wears(book_of):
    page, site = page_of(book_of(TABLE))
    assert " style=" not in page and "<style" not in page
    scripts = re.findall(
        r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    assert scripts == [strict.WEAR]
    assert not re.search(r"\son\w+=", page)
    assert ('<meta http-equiv="Content-Security-Policy" '
            f'content="{strict.POLICY}">') in page
    assert page.index("Content-Security-Policy") < page.index("<link")


def test_every_class_that_stands_for_a_style_has_its_rule(book_of):
    page, site = page_of(book_of(TABLE))
    sheet = (site / "site/palette.css").read_text(encoding="utf-8")
    for side in ("left", "right", "center"):
        assert re.search(rf'<td class="to-{side}">', page)
        assert f".to-{side}{{text-align: {side}!important}}" in sheet
    assert "<col" not in page and '<table class="wide">' in page
    assert re.search(r'<mtd [^>]*class="to-right[ "]', page)


@pytest.mark.parametrize("before, after", [
    ('<p style="text-align: right;">a</p>', '<p class="to-right">a</p>'),
    ('<p style="text-align:right">a</p>', '<p class="to-right">a</p>'),
    ('<p class="a" style="text-align: left;">a</p>',
     '<p class="a to-left">a</p>'),
    ('<p style="text-align: left;" class="a">a</p>',
     '<p class="a to-left">a</p>'),
    ('<mtd style="text-align: right; padding-right: 0">a</mtd>',
     '<mtd class="to-right flush-right">a</mtd>'),
    ('<pre>style="a"</pre>', '<pre>style="a"</pre>'),
    ('<mstyle displaystyle="true">a</mstyle>',
     '<mstyle displaystyle="true">a</mstyle>'),
])
def test_a_style_becomes_a_class(before, after):
    page = html.fragment_fromstring(before)
    strict.without_styles("a", page)
    assert html.tostring(page, encoding="unicode") == after


@pytest.mark.parametrize("style", ["color: red", "width: 3em", "width: 1%x"])
def test_a_style_without_a_class_is_named(style):
    with pytest.raises(BookError, match=re.escape(style)):
        strict.without_styles("book/a.qmd", html.fragment_fromstring(
            f'<p style="{style}">a</p>'))


# ----------------------------------------------------------------- pictures


def drawn(body, root='<svg xmlns="http://www.w3.org/2000/svg" width="9">'):
    return svg.inline(f"{root}{body}</svg>", "x")


@pytest.mark.parametrize("before, after", [
    ('<path d="M0" style="fill: none; stroke: red"/>',
     '<path d="M0" fill="none" stroke="red"/>'),
    ('<g style="opacity: 0.5" id="a"/>', '<g id="a" opacity="0.5"/>'),
    ('<use fill="blue" style="fill:red"/>', '<use fill="red"/>'),
    ("<path\n d='M0'\n style=\"stroke-dasharray: 3.7,1.6;\"\n/>",
     '<path d="M0" stroke-dasharray="3.7,1.6"/>'),
    ('<text style="font-family: &quot;A&quot;"/>',
     '<text font-family="&quot;A&quot;"/>'),
])
def test_a_style_in_a_picture_becomes_attributes(before, after):
    assert after in drawn(before)
    assert "style=" not in drawn(before)


def test_the_sheet_of_a_picture_becomes_attributes_of_its_root():
    picture = drawn(
        '<defs>\n  <style type="text/css">*{stroke-linejoin: round; '
        'stroke-linecap: butt}</style>\n </defs><path/>'
    )
    assert re.match(
        r'<svg xmlns="[^"]*" stroke-linejoin="round" '
        r'stroke-linecap="butt" role="img"', picture,
    )
    assert "<style" not in picture and "<defs" not in picture
    assert picture.endswith("<path/></svg>")


@pytest.mark.parametrize("style", ["font: 12px serif", "z-index: 1"])
def test_a_style_that_svg_has_no_attribute_for_is_named(style):
    with pytest.raises(BookError, match=style.split(":")[0]):
        drawn(f'<text style="{style}"/>')


@pytest.mark.parametrize("text, says", [
    ("<html>404</html>", "no <svg> stands in it"),
    ("Not found", "no SVG"), ("", "no SVG"), ("<svg><g></svg>", "mismatch"),
])
def test_a_picture_file_that_is_no_svg_is_refused(text, says):
    for use in (svg.inline, svg.tidy):
        with pytest.raises(BookError, match=says):
            use(text, "A")


def test_a_sheet_with_rules_of_its_own_is_refused():
    with pytest.raises(BookError, match="rules for some elements"):
        drawn("<style>path {fill: red}</style>")


def test_what_matplotlib_draws_needs_no_style(book_of, monkeypatch):
    monkeypatch.setattr(
        "press.run.kernel.SETUP",
        "%config InlineBackend.figure_formats=['svg']",
    )
    page, _ = page_of(book_of("# T\n\n" + cell(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2], '--');",
        label="fig-a", fig_cap="A", fig_alt="A",
    )))
    assert "stroke-dasharray=" in page and "<svg" in page
    assert " style=" not in page and "<style" not in page
