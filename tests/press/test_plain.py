"""Attributes, titles, bookmarks and metadata show words, not markup."""

import json
import re
import zipfile
from html.parser import HTMLParser

import pypdfium2
import pytest

from press import build
from press.check import proof
from press.errors import BookErrors
from press.read import plain
from press.run import run
from press.tangle.tangle import tangle
from press.weave import weave
from press.weave.epub import epub
from press.weave.html import modules, pages
from press.weave.notebook import takeaways
from press.weave.typst import pdf
from tiny import cell

LEFT = re.compile(r"`|\*\*|\*\w|\w\*|\$|\\|@\w|\]\(|\]\{|&\w+;|#{2}|~~")


@pytest.mark.parametrize("markdown, words", [
    ("What `requires_grad` does", "What requires_grad does"),
    ("`` a`b `` and `**x**`", "a`b and **x**"),
    ("*em*, **strong**, _both_ a_b_c", "em, strong, both a_b_c"),
    ("3. Third", "3. Third"), ("- a", "- a"), ("# a", "# a"), ("C#", "C#"),
    ("> quoted", "> quoted"), (": a", ": a"), ("x | y", "x | y"),
    (r"a \* b \_c\_ \$5", "a * b _c_ $5"),
    ('"It\'s" -- so...', "“It’s” – so…"),
    ("$W_1 x^2$, $$y$$", "W₁x², y"), (r"$\beta_1$ in $10^{-3}$", "β₁ in 10⁻³"),
    (r"$\frac{a}{b}$ and $\sqrt{x}$", "a/b and √x"),
    (r"$\operatorname{softmax}(x)$", "softmax (x)"),
    ("H~2~O, x^2^, ~~gone~~", "H₂O, x², gone"),
    ("[l **b**](u.qmd) [ulps]{.index entry=\"ulp\"}", "l b ulps"),
    ("![a *pic*](x.png)", "a pic"),
    ("<b>q</b> &amp; A&B 1 < 2", "q & A&B 1 < 2"),
    ("see^[or not] so [it is]{.aside}", "see so"),
    ("so [@he2015] it is", "so it is"),
    ("see @sec-x [@fig-y]", "see @sec-x, @fig-y"),
    ("a\\ b", "a b"), ("x <div>abc</div> def", "x abc def"), ("", ""),
    ("Ünï", "Ünï"), ("*", "*"), ("`", "`"),
])
def test_a_line_of_markdown_says_its_words(markdown, words):
    assert plain.plain(markdown) == words


def test_all_lines_are_asked_at_once_and_once(monkeypatch):
    asked = []
    monkeypatch.setattr(plain, "_said", {})
    monkeypatch.setattr(
        plain, "read_lines", lambda lines: asked.append(lines) or [
            line.strip("*") for line in lines])
    lines = ["*a*", "plain words", "*b*", "*a*"]
    assert plain.plain_each(lines) == ["a", "plain words", "b", "a"]
    assert plain.plain("*b*") == "b"
    assert asked == [["*a*", "*b*"]]


# ------------------------------------------------- a book marked everywhere

TITLE = r"`code_a` *em* **st** $x^2$ [l](02-two.qmd) \* A&B <i>r</i>"
WORDS = "code_a em st x² l * A&B r"
ONE = (
    f"# {TITLE} {{#sec-one}}\n\nSee @sec-one, @sec-in, @exr-a and [ulp]"
    "{.term}.\n\n"
    f"## In {TITLE} of @sec-two {{#sec-in}}\n\n"
    + cell("from IPython.display import SVG\nSVG('<svg xmlns=\""
           "http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>')",
           label="fig-a", fig_cap='"A `cap` of $x$"',
           fig_alt='"An `alt` of **$x^2$**"')
    + cell("a = 1", filename="scratch/__init__.py")
    + f"\n::: {{#exr-a}}\n## Do {TITLE}\n\nDo.\n:::\n\n"
    "::: {.solution}\nDone.\n:::\n"
)
TWO = "# Two {#sec-two}\n\nSee @sec-one and @sec-in.\n"
GLOSSARY = (
    "# Words {#sec-words}\n\n::: {.glossary}\n[ulp]{#term-ulp .entry} It is "
    f"{TITLE} of @sec-two, and more. @sec-one.\n:::\n"
)
ANSWERS = "# Answers {#sec-answers}\n\n::: {.solutions}\n:::\n"


class Attributes(HTMLParser):
    """The attributes of a page that are read, and its <title>."""

    def __init__(self, text):
        super().__init__()
        self.found, self.title = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "title" and self.title is None:
            self.title = ""
        self.found += [
            value for name, value in attributes
            if name in ("title", "data-title", "alt", "aria-label")
            or (tag, name) == ("meta", "content")
        ]

    def handle_data(self, data):
        if self.title == "":
            self.title = data


@pytest.fixture(scope="module")
def made(tmp_path_factory, quick_kernels):
    from press.read.book import read_book
    from tiny import write_book

    root = write_book(
        tmp_path_factory.mktemp("marked"), {"01-one": ONE, "02-two": TWO},
        appendices={"glossary": GLOSSARY, "answers": ANSWERS},
    )
    config = root / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("title: Tiny", f"title: 'T {WORDS}'\n"
                     f"  subtitle: 'S {WORDS}'")
        .replace("part: One", f"part: 'P {WORDS} #p ]['"), encoding="utf-8")
    book = read_book(root)
    tangle(book)
    results = run.run_all(book)
    woven = weave.weave_book(book, results)
    site = root / "site"
    site.mkdir()
    pages.set_pages(woven, site, site / "c1")
    modules.set_modules(woven, site, site / "c1")
    pdf.set_pdf(woven, site / "b.pdf", site / "c2",
                imprint=build.imprint(book))
    epub.set_epub(woven, site / "b.epub", site / "c3")
    takeaways.set_takeaways(woven, site, site / "c4")
    return site


PAGES = ["book/01-one.html", "book/02-two.html", "book/glossary.html",
         "book/answers.html", "code/scratch/__init__.py.html", "index.html"]


@pytest.mark.parametrize("page", PAGES)
def test_no_attribute_of_a_page_shows_markup(made, page):
    found = Attributes((made / page).read_text(encoding="utf-8"))
    for said in [found.title, *found.found]:
        assert not LEFT.search(said.replace("l * A&B", "")), said
    assert f"T {WORDS}: S {WORDS}." in found.found
    if page != "index.html":
        assert found.title.endswith(f" · T {WORDS}")


def test_references_terms_and_pictures_are_described_in_words(made):
    one = Attributes((made / "book/01-one.html").read_text(encoding="utf-8"))
    two = Attributes((made / "book/02-two.html").read_text(encoding="utf-8"))
    assert {WORDS, f"In {WORDS} of Chapter\u00a02", f"Do {WORDS}"} <= set(
        one.found)
    assert {WORDS, f"In {WORDS} of Chapter\u00a02"} <= set(two.found)
    assert f"It is {WORDS} of Chapter\u00a02, and more." in one.found
    assert "An alt of x²" in one.found
    assert one.title == f"{WORDS} · T {WORDS}"


def test_contents_and_neighbours_show_words(made):
    page = (made / "book/02-two.html").read_text(encoding="utf-8")
    shown = WORDS.replace("&", "&amp;")
    assert f'<span class="n">1</span> {shown}</a>' in page
    assert f'<span class="way">Previous</span> {shown}</a>' in page
    assert f'<p class="part">P {shown} #p ][</p>' in page
    module = (made / "code/scratch/__init__.py.html").read_text(
        encoding="utf-8")
    assert ">scratch/__init__.py</h1>" in module
    assert "<title>scratch/__init__.py · T code_a" in module
    listed = (made / "book/answers.html").read_text(encoding="utf-8")
    assert re.search(rf"Exercise.1\.1</a>\s+Do {re.escape(shown)}\s*</li>",
                     listed)


def test_the_bookmarks_of_the_pdf_show_words(made):
    book = pypdfium2.PdfDocument(made / "b.pdf")
    told = [item.get_title() for item in book.get_toc()]
    told.append(book.get_metadata_dict()["Title"])
    assert f"P {WORDS} #p ][" in told and f"T {WORDS}" in told
    for title in told:
        assert not LEFT.search(title.replace(" * A&B", "")), title
    pages = "".join(p.get_textpage().get_text_range() for p in book)
    assert f"P {WORDS} #p ][".replace(" ", "") in re.sub(r"\s", "", pages)


def test_the_contents_and_metadata_of_the_epub_show_words(made):
    with zipfile.ZipFile(made / "b.epub") as archive:
        texts = {name: archive.read(name).decode()
                 for name in archive.namelist()
                 if name.endswith((".xhtml", ".opf", ".ncx"))}
    shown = f"T {WORDS}".replace("&", "&amp;")
    (package,) = (t for n, t in texts.items() if n.endswith(".opf"))
    assert re.search(rf"<dc:title[^>]*>{re.escape(shown)}</dc:title>", package)
    for name, text in texts.items():
        titles = re.findall(r"<title>(.*?)</title>", text, re.S)
        titles += re.findall(r"<text>(.*?)</text>", text, re.S)
        titles += re.findall(r'\b(?:title|alt|aria-label)="([^"]*)"', text)
        for title in titles:
            title = title.replace(" * A&amp;B", "")
            assert "x^2" not in title
            assert not LEFT.search(title), (name, title)


def test_a_notebook_is_called_by_words(made):
    notebook = json.loads(
        (made / "notebooks/01-one.ipynb").read_text(encoding="utf-8"))
    assert notebook["metadata"]["title"] == WORDS


def test_a_value_in_a_heading_is_refused(book_of):
    book = book_of("# One\n\n" + cell("n = 1") + "\n## All `{python} n`\n")
    with pytest.raises(BookErrors) as found:
        proof.check_sources(book)
    assert str(found.value).startswith(
        "book/01-one.qmd:7: no value in a heading: ")
