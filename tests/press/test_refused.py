"""What would not come out right in all formats is refused with its line.

Each text is a chapter of its own, below its title and a blank line: it begins
on line 3.
"""

import pytest

from press.check import proof
from press.read.book import read_book
from press.weave import svg
from tiny import PNG, cell, write_book

# What the lines alone tell.
BLOCKS = [
    ("```{r}\n1\n```", 3, "no engine runs {r} here, only {python}"),
    ("```{r, echo=FALSE}\n1\n```", 3, "no engine runs {r}"),
    ("```{julia}\n1\n```", 3, "no engine runs {julia}"),
    ("```{ojs}\n1\n```", 3, "no engine runs {ojs}"),
    ("```{mermaid}\ngraph\n```", 3, "show the code with ```{.mermaid}"),
    ("```{dot}\ndigraph{}\n```", 3, "no engine runs {dot}"),
    ("text\n\n````{bash}\nls\n````", 5, "show the code with ````{.bash}"),
    ("- a\n\n  ```{sql}\n  x\n  ```", 5, "no engine runs {sql}"),
    ("1. ```{r}\n   1\n   ```", 3, "no engine runs {r}"),
    ("> ```{r}\n> 1\n> ```", 3, "no engine runs {r}"),
    ("~~~{python}\n1\n~~~", 3, "write ```{python}, on a line of its own"),
    ("```{Python}\n1\n```", 3, "write ```{python}, on a line"),
    ("> ```{python}\n> 1\n> ```", 3, "write ```{python}, in no quotation"),
    ("- ```{python}\n  1\n  ```", 3, "below the words of a list's item"),
    ("```{=html}\n<b>x</b>\n```", 3, "raw HTML"),
    ("```{=typst}\n#x\n```", 3, "raw typst"),
    ("~~~ {=latex}\nx\n~~~", 3, "raw TeX"),
    ("a\nin \\(x\\) b", 4, "a formula stands between $ and $"),
    ("in \\[x^2\\] b", 3, "a formula stands between $ and $"),
]
# What pandoc makes of the text.
DOCUMENTS = [
    ("```{.python .cell}\n1\n```", 3, "write ```{python}"),
    ("a\n`{r} 1`", 4, "no engine evaluates `{r} 1` here"),
    ("a\n`{python}x`", 4, "is not evaluated; write `{python} expression`"),
    ("a {{< include _x.qmd >}}", 3, "no shortcode of Quarto's is known"),
    ("a\n\n{{< pagebreak >}}", 5, "'{{< pagebreak >}}' would be printed"),
    ("{{% x %}}", 3, "no shortcode"),
    ("T\n:   d {{< x >}}", 4, "no shortcode"),
    ("| a\n| b {{< x >}}", 4, "no shortcode"),
    # Notes
    ("A[^zz] b", 3, "'[^zz]' would be printed as it stands; no such note"),
    ("B[^1]\n\n[^1]: first\n\n[^1]: second", 7, "note [^1] is defined twice"),
    ("a\n\n[^1]: first", 5, "no text refers to the note [^1]"),
    (cell("x = 1") + "\na\n\n[^1]: first", 9, "no text refers to the note"),
    ("a[^1]\n\n[^1]: b[^2]\n\n[^2]: c", 5, "'[^2]' would be printed"),
    ("a[^1]\n\n[^1]:", 3, "this note has no words"),
    ("## H[^1]\n\n[^1]: x", 3, "no note in a heading"),
    ("![A[^1]](t.png)\n\n[^1]: x", 3, "no note in a caption"),
    # Raw HTML and TeX
    ("<script>alert(1)</script>", 3, "a simulation in figures/sims/"),
    ("a\n\n<style>p{color:red}</style>", 5, "write a class, and its rule"),
    ('<p onclick="x()">hi</p>', 3, "leave a blank line"),
    ("<iframe src='x'></iframe>", 3, "raw HTML, <iframe"),
    ('a\n<img src="a.png" alt="x">', 4, "write ![what it shows](file)"),
    ("a\n<img src='a.png' alt=x>", 4, "write ![what it shows](file)"),
    ("a<br>b", 3, "end the line with a backslash"),
    ("a<br/>b", 3, "end the line with a backslash"),
    ("a <b>bold", 3, "write **words**"), ("a</b>", 3, "write **words**"),
    ("H<sub>2</sub>O", 3, "write H~2~O"),
    ("`<b>x</b>`{=html}", 3, "raw HTML, <b>x</b>"),
    ("<svg></svg>", 3, "put it into a file"),
    ("<?php x ?>", 3, "raw HTML"), ("<!DOCTYPE html>", 3, "no tag of HTML"),
    ("a\na <b", 4, "'<b' would be printed as it stands"),
    ("a &nbps; b", 3, "'&nbps;' would be printed"),
    ("\\newpage", 3, "raw TeX, \\newpage"),
    ("a\n\\textbf{x}", 4, "raw TeX, \\textbf{x}"),
    ("\\begin{align}\nx\n\\end{align}", 3, "a formula between $ and $"),
    ("a\n[x]{onclick='y'}", 4, "the attribute 'onclick' is not let through"),
    ("a\n[x]{style='color:red'}", 4, "the attribute 'style' is not"),
    ("::: {style='color:red'}\nx\n:::", 3, "the attribute 'style' is not"),
    ("## H {onclick='y'}", 3, "the attribute 'onclick'"),
    # Headings
    ("x\n\n# Two {#sec-b}", 5, "a second title in this chapter"),
    ("::: {.note}\n# Two\n:::", 4, "a second title in this chapter"),
    ("a\n\n## {#sec-q}\n", 5, "this heading has no words"),
    ("##\n", 3, "this heading has no words"),
    ("## A {#x}\n\n## B {#x}", 5, "the id 'x' is given twice"),
    # References and labels
    ("## U {#sec-u .unnumbered}\n\n@sec-u", 5, "'sec-u' bears no number"),
    ("## U {#sec-v -}\n\n[-@sec-v]", 5, "write [words](#sec-v)"),
    ("[x]{#fig-a} @fig-a", 3, "nothing is labelled 'fig-a'"),
    ("::: {#fig-b}\nx\n:::", 3, "'fig-b' is no label of a div"),
    ("::: {#tbl-b}\nx\n:::", 3, "'tbl-b' is no label of a div"),
    ("see\n@lst-a", 4, "nothing is counted as @lst-…; counted are @sec-…"),
    ("see\n@thm-a", 4, "nothing is counted as @thm-…"),
    ("$x$ {#eq-a}", 3, "an equation's stand behind its $$"),
    ("$$x$$ {#fig-c}", 3, "'{#' would be printed"),
    ("$$\nx\n$$\n\n{#eq-b}", 7, "'{#' would be printed"),
    ("a\na ![A](t.png){#fig-d} b", 4, "an image in a sentence bears no"),
    ("![A](t.png){#tbl-d}", 3, "'tbl-d' is no label of a figure"),
    ("a\n\nhttps://x.org/@u", 5, "write \\@u for the sign itself, an"),
    ("[x](javascript:y)", 3, "which no book can open"),
    ("[x](file:///etc)", 3, "which no book can open"),
    ("[x](//e.org/a)", 3, "which no book can open"),
    ("[x](b c)", 3, "the link leads to book/b c"),
    ("[x][nope]", 3, "a link is written [words](target)"),
    ("[a]: x\n\n[a]: https://y.z\n\n[a]", 5, "target of [a] is given twice"),
    # Markdown that is none
    ("> [!NOTE]\n> x", 3, "write ::: {.callout-note}"),
    ("text\n| a |\n|---|\n| 1 |", 4, "a blank line above"),
    ("| a | b |\n| 1 | 2 |", 3, "this is no table"),
    ("a **b", 3, "what is strong begins and ends beside its words"),
    ("a `b", 3, "lacks its other one"), ("$$x\n\ny$$", 3, "without a blank"),
    ("x :::", 3, "on a line of its own"), ("a {.x} b", 3, "attributes go"),
    ("a\x07b", 3, "'\\x07' would be printed"),
    ("a\n\x1b[31mb", 4, "no page can show this character"),
    ("---\ntitle: x\nlang: de\n...\n", 3, "no book reads what is said here"),
    ("::: {.panel-tabset}\n:::", 3, "'.panel-tabset' is Quarto's alone"),
    ("::: {layout-ncol=2}\n:::", 3, "'layout-ncol' is Quarto's alone"),
    ("::: {.callout-note collapse=false}\nx\n:::", 3, "is folded or is not"),
    ("::: {.callout-danger}\nx\n:::", 3, "no callout is called"),
    ("::: {.content-visible when-format='hmtl'}\nx\n:::", 3,
     "no format is called 'hmtl'; write html, typst, pdf"),
    ("::: {.content-visible when-profile='x'}\nx\n:::", 3, "Quarto alone"),
    ("a\n$\\foo{x}$ b", 4, "the formula \\foo{x} cannot be set"),
    ("a\n\n$$\n\\begin{nope}\nx\n\\end{nope}\n$$", 6, "cannot be set"),
    ("$x_{$", 3, "the formula x_{ cannot be set"),
    ("[see @sec-a1, p. 3]", 3, "the words beside a reference"),
    ("::: {.x data-y='{{< z >}}'}\nq\n:::", 3, "no shortcode"),
    ("[a]({{< x >}})", 3, "the link leads to"),
    ("a\n\n```{.python onclick='y'}\n1\n```", 5, "attribute 'onclick'"),
    # Images
    ("![A](https://e.org/x.png)", 3, "is no file of the book"),
    ("![A](//e.org/x.png)", 3, "is no file of the book"),
    ("![A](data:image/png;base64,xx)", 3, "is no file of the book"),
    ("![A](../../../etc/hosts)", 3, "no such image"),
    ("![A](t.gif)", 3, "make it an .svg, a .png or a .jpg"),
    ("![A](half.png)", 3, "is no whole png"),
    ("![A](text.jpg)", 3, "is no whole jpg"),
    ("a\n\n![A](text.svg)", 5, "no SVG"), ("![A](bare.svg)", 3, "xmlns"),
    ("![A](latin.svg)", 3, "is not UTF-8"),
    ("![A](some.svg)", 3, "<style> has rules for some elements"),
    ("![A](script.svg)", 3, "holds <script>"),
    ("![A](click.svg)", 3, 'holds onclick="x()"'),
    ("![A](away.svg)", 3, "holds href="),
    ("![A](my pic.png)", 3, "no such image: book/my pic.png"),
    ("![A][pic]\n\n[pic]: a.png", 5, "no such image: book/a.png"),
    ("![A][nope]", 3, "a name with spaces in it as <a name.png>"),
    ("![ ](t.png)", 3, "has no alt text"),
    # Cells
    (cell("1", label="fig-e", fig_cap="C", fig_alt="A", output="false"), 7,
     "'output: false' leaves 'fig-e' without what it names"),
    (cell("1", label="tbl-e", tbl_cap="C", eval="false"), 6,
     "'eval: false' leaves 'tbl-e'"),
    (cell("1", label="tbl-f", tbl_cap="C", include="false"), 6,
     "'include: false' leaves 'tbl-f'"),
    (cell("1", fig_cap="C"), 4, "add '#| label: fig-…'"),
    (cell("1", label="x", tbl_cap="C"), 5, "add '#| label: tbl-…'"),
    (cell("1", label="eq-e"), 4, "'eq-e' is no label of a cell"),
    (cell("1", label="fig-g", fig_cap="[a, b]", fig_alt="A"), 5,
     "'fig-cap' is text"),
    (cell("1", label="fig-h", fig_cap="'a ] b'", fig_alt="A"), 5,
     "a bracket in this caption lacks its other one"),
]
# What only looks like one of these, or is right.
ALLOWED = [
    "```mermaid\ngraph\n```\n\n```{.r}\n1\n```\n\n```{{r}}\n1\n```",
    "`{x} y`, `{r}`, `<b>`, `\\newpage`, `:::`, `![`, `{{< x >}}`, `[^1]`",
    "```md\n![A](nope.png) <img> [^x] {{< x >}}\n```",
    "A[^1] b.[^2]\n\n[^1]: first\n\n[^2]: second\n\n    in two",
    "a <!-- <b> --> b, 1 < 2, x<2, &amp; &nbsp; and 2\\*\\*3",
    "$a < b$, $$x$$ {#eq-z}\n\n@eq-z and x ![A](t.png) y",
    "![A](t.png){#fig-z}\n\n@fig-z ![A](<my own.png>) ![B](my%20own.png)",
    "::: {.callout-tip}\n# A\n:::\n\n::: {#exr-z}\n## T\n:::",
    "|x| is\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] a\n\na\\\nb",
    "a\\_b \\*\\* \\[x\\] \\`y\\` $\\alpha_{x}$ $$\\frac{a}{b}$$",
    "[a](mailto:x@y.z) <https://a.b/@u> \\@u [b]: c",
    "- a\n\n  ```python\n  1\n  ```\n- ```\n  # no\n  ```",
]
SVGS = {
    "text": b"not an svg", "bare": b'<svg width="9"><path d="M0 0h9"/></svg>',
    "latin": b"<svg>caf\xe9</svg>",
    "some": b'<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:red}'
            b'</style><path class="a" d="M0 0h9v9z"/></svg>',
    "script": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "click": b'<svg xmlns="http://www.w3.org/2000/svg" onclick="x()"/>',
    "away": b'<svg xmlns="http://www.w3.org/2000/svg"><image '
            b'href="https://e.org/x.png"/></svg>',
}


def found_in(root, texts):
    """The faults of a book of which each text is a chapter, by chapter."""
    write_book(root, {
        f"c{number:03}": f"# C{number}\n\n{text}\n"
        for number, text in enumerate(texts)
    })
    for name in ("t.png", "my own.png"):
        (root / "book" / name).write_bytes(PNG)
    (root / "book" / "half.png").write_bytes(PNG[:40])
    (root / "book" / "t.gif").write_bytes(b"GIF89a")
    (root / "book" / "text.jpg").write_bytes(b"text")
    for name, body in SVGS.items():
        (root / "book" / f"{name}.svg").write_bytes(body)
    found = {}
    for fault in proof.find_faults(read_book(root)):
        found.setdefault(int(fault.path[6:9]), []).append(
            (fault.line, fault.message))
    return found


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    return found_in(
        tmp_path_factory.mktemp("blocks"), [text for text, _, _ in BLOCKS])


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return found_in(tmp_path_factory.mktemp("documents"), [
        *(text for text, _, _ in DOCUMENTS), *ALLOWED])


def told(found, line, says):
    assert any(at == line and says in message for at, message in found), found


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_fence_that_is_none_of_ours_is_refused(blocks, number):
    told(blocks[number], *BLOCKS[number][1:])


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_what_would_come_out_wrong_is_refused(documents, number):
    told(documents.get(number), *DOCUMENTS[number][1:])


@pytest.mark.parametrize("number", range(len(ALLOWED)))
def test_what_comes_out_right_is_not_refused(documents, number):
    assert documents.get(number + len(DOCUMENTS)) is None


@pytest.mark.parametrize("text, line, says", [
    ("Words.\n\n# One\n", 1, "this stands above the title"),
    (cell("x = 1") + "\n# One\n", 1, "this stands above the title"),
    ("## Deep\n\n# One\n", 1, "this stands above the title"),
    ("# {#sec-one}\n", 1, "this heading has no words"),
    ("% Title\n\n# One\n", 1, "no book reads what is said here"),
])
def test_a_chapter_begins_with_its_title(book_of, text, line, says):
    told([(fault.line, fault.message) for fault in
          proof.find_faults(book_of(text))], line, says)


def test_a_chapter_without_number_is_not_referred_to_by_it(book_of):
    book = book_of({"01-one": "# U {#sec-u .unnumbered}\n\n@sec-u\n",
                    "02-two": "# Two {#sec-unnumbered}\n\n@sec-unnumbered\n"})
    (fault,) = proof.find_faults(book)
    assert str(fault).startswith(
        "book/01-one.qmd:3: 'sec-u' bears no number to refer to")
    assert [c.number for c in book.chapters] == ["", "", "1"]


def test_every_svg_of_the_tests_is_read_as_one_or_not():
    with pytest.raises(Exception, match="no SVG"):
        svg.read_svg(SVGS["text"].decode())
