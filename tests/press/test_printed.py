"""What is made is looked at: no page, PDF or EPUB shows source for words."""

import json
import zipfile
from io import BytesIO

import pytest
from lxml import etree, html

from press.build import ALL, build
from press.errors import BookError
from press.progress import Reporter
from press.read.book import read_book
from press.run import run
from press.weave import printed, weave
from press.weave.epub import epub
from press.weave.html import pages
from press.weave.typst import pdf
from tiny import PNG, cell, write_book

SVG = (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
       b'<path d="M0 0h9v9z"/></svg>')
PLOT = """\
%config InlineBackend.figure_format = "svg"
import matplotlib.pyplot as plt
plt.plot([1]);"""
ROWS = 'from IPython.display import Markdown\nMarkdown("|a|\\n|-|\\n|1|")'
RIGHT = (
    "# One {#sec-one}\n\n![A](<my pic.png>) and ![B](/my%20pic.png) and "
    "![C](my%20pic.png)\n\n![D][pic]\n\n[pic]: drawn.svg\n\n"
    "```md\n![A](figures/no.png) ::: {#q} {{< x >}}\n```\n\n"
    "Code `![` `:::` `{#`, a note[^1] and $\\text{a ![b}$.\n\n"
    "[^1]: with `{{< code >}}`.\n\n1. Item\n\n"
    + "".join(f"   {line}\n" if line else "\n" for line in cell(
        PLOT, label="fig-a", fig_cap='"A cap\\n\\nof [two]"',
        fig_alt="A").split("\n"))
    + "\n2. Next\n\n" + cell(ROWS, label="tbl-a", reproduce="exact",
                             tbl_cap='"Of\\n\\nthree\\nlines"')
    + cell("from tqdm import tqdm\nfor i in tqdm(range(3)):\n    pass")
    + cell('print("::: ![ \\x1b[31m{#red\\x1b[0m")', reproduce="exact")
    + "\n@fig-a, @tbl-a and [@sec-one].\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory, quick_kernels):
    """A book that holds all that only looks like source, in all formats."""
    root = write_book(tmp_path_factory.mktemp("right"), {"01-one": RIGHT})
    for folder in (root, root / "book"):
        (folder / "my pic.png").write_bytes(PNG)
    (root / "book" / "drawn.svg").write_bytes(SVG)
    return build(read_book(root), Reporter(), formats=ALL)


def test_pictures_of_one_name_or_with_a_space_stay_themselves(site):
    page = html.parse(site / "book/01-one.html")
    sources = [image.get("src") for image in page.iter("img")]
    assert sources[0] == sources[2] != sources[1]
    for source in sources:
        assert (site / "book" / source).read_bytes() == PNG
        assert " " not in source and "%" not in source


def test_a_notebook_embeds_pictures_and_leaves_listings_alone(site):
    made = json.loads((site / "notebooks/01-one.ipynb").read_text("utf-8"))
    words = "".join("".join(one["source"]) for one in made["cells"]
                    if one["cell_type"] == "markdown")
    assert words.count("data:image/png;base64,") == 3
    assert words.count("data:image/svg+xml;base64,") == 1
    assert "![A](figures/no.png) :::" in words


def test_captions_of_several_lines_are_one(site):
    page = html.parse(site / "book/01-one.html").getroot()
    for name, words in (
        ("fig-a", "A cap of [two]"), ("tbl-a", "Of three lines"),
    ):
        (float_,) = page.xpath(f"//*[@id='{name}']")
        assert words in " ".join(float_.text_content().split())


def test_bars_and_colors_end_in_every_format(site):
    page = (site / "book/01-one.html").read_text("utf-8")
    book = (site / "notebooks/01-one.ipynb").read_text("utf-8")
    assert page.count("| 3/3 [") == book.count("| 3/3 [") == 1
    with zipfile.ZipFile(site / epub.EPUB) as package:
        whole = b"".join(map(package.read, package.namelist())).decode(
            "utf-8", "replace")
    for text in (page, book, whole):
        assert "\x1b" not in text and "\\u001b" not in text
        assert "::: ![ {#red" in text


# ------------------------------------------------------------- the one check


def words(text):
    return html.document_fromstring(f"<body><p>{text}</p></body>")


@pytest.mark.parametrize("text", [
    "a ::: b", "![x](y)", "T {#sec-x}", "a `{python} x`", "x]{.y}",
    "{{&lt; x &gt;}}", "&lt;a.B object at 0x7f01020304&gt;",
    "&lt;IPython.core.display.HTML object&gt;", "<b>a</b> ::: b",
    "<code>x</code> ::: b", "<span>{#fig-x}</span>",
])
def test_source_on_a_page_is_named(text):
    with pytest.raises(BookError, match="would show source among its words"):
        printed.check_page(words(text), "book/x.html", [])


@pytest.mark.parametrize("text", [
    "a : b", "<code>:::</code>", "<pre>![ {#</pre>", "x[1] {a} 2 &lt; 3",
    "<math><annotation>]{.x</annotation></math>", "<script>':::'</script>",
    "an object at 0x803", "<a title='{#x'>y</a>",
])
def test_code_on_a_page_is_no_source(text):
    printed.check_page(words(text), "book/x.html", [])


@pytest.fixture
def woven(book_of, quick_kernels):
    """What weaving makes of a chapter with this text."""
    def make(text):
        book = book_of("# One {#sec-one}\n\nWords.\n\n" + text)
        return weave.weave_book(book, run.run_all(book))
    return make


def made_in(format_, woven, folder):
    match format_:
        case "page":
            pages.page(woven, woven.chapters[1], folder)
        case "epub":
            epub.make(woven, woven.told(
                woven.chapters, lambda label: f"#{label.id}"), {})
        case "pdf":
            pdf.typst_source(woven, folder)


@pytest.mark.parametrize("format_", ["page", "epub", "pdf"])
@pytest.mark.parametrize("text, line", [
    ("a\n`{python} '![x'` b\n\n" + cell("x = 1"), 6),
    ("::: {.callout-note title='A :::'}\nx\n:::\n", 5),
])
def test_source_that_only_weaving_makes_is_named_with_its_line(
    woven, tmp_path, format_, text, line
):
    with pytest.raises(BookError, match="would show source") as caught:
        made_in(format_, woven(text), tmp_path)
    assert (caught.value.path, caught.value.line) == ("book/01-one.qmd", line)


def test_a_picture_of_a_cell_that_acts_is_refused(woven):
    drawn = cell(
        "from IPython.display import SVG\n"
        "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\">'\n"
        "    '<script/></svg>')", fig_alt="A")
    with pytest.raises(BookError, match=r"qmd:5: .* it holds <script>"):
        woven(drawn)


def test_what_is_refused_is_not_kept(woven, tmp_path):
    whole = woven("a\n`{python} '![x'` b\n\n" + cell("x = 1"))
    for _ in range(2):
        with pytest.raises(BookError, match="would show source"):
            made_in("page", whole, tmp_path)
        with pytest.raises(BookError, match="would show source"):
            made_in("pdf", whole, tmp_path)


def test_a_page_holds_each_label_once(woven):
    whole = woven("$$x$$ {#eq-x}\n")
    (label,) = (one for one in whole.book.labels if one.id == "eq-x")
    for ids, says in (("", "shows nothing"), ("<i id='eq-x'></i>", None)):
        page = words(f"a{ids}")
        if says:
            with pytest.raises(BookError, match=r"qmd:5: x shows nothing"):
                printed.check_page(page, "x", whole.chapters, [label])
        else:
            printed.check_page(page, "x", whole.chapters, [label])
    with pytest.raises(BookError, match="holds '#b' 2 times"):
        printed.check_page(
            words("<i id='b'></i><i id='b'></i>"), "x", whole.chapters)


def test_a_document_of_an_epub_that_is_no_xml_is_named():
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as package:
        package.writestr("EPUB/text/ch001.xhtml", "<p>a<br>b</p>")
    with pytest.raises(BookError, match="EPUB/text/ch001.xhtml is no XML"):
        printed.check_epub(body.getvalue(), [])
    assert etree.fromstring("<p/>").tag == "p"
