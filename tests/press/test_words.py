"""The words of a book are marked, explained and listed; so are symbols."""

import re

import pypdfium2
import pytest

from built import BOOK
from press import build
from press.read import words
from press.read.document import Formula
from press.run import run
from press.weave import weave
from press.weave.epub import epub
from press.weave.html import pages
from press.weave.notebook import takeaways
from press.weave.typst import pdf

ONE = """# One {#sec-one}

## Floats {#sec-floats}

The gap is called its [*ulp*]{.term}. Every [gradients]{.forward .index
entry="grad-fn"} in `[code]{.term}`, and
[`grad_fn`]{.term} too. [Aside, [fan-in]{.term} in it.]{.aside}
"""
TWO = """# Two {#sec-two}

Two [ulps]{.index entry="ulp"} apart.
"""
GLOSSARY = """# Words {#sec-words}

::: {.glossary}
[fan-in]{#term-fan-in .entry also="width"} Its "inputs" are. @sec-floats.

[`grad_fn`]{#term-grad-fn .entry} What made it, `x * *y*`, *well*. @sec-floats.

[ulp]{#term-ulp .entry} The gap between
floats, [see there](02-two.qmd). @sec-floats.
:::
"""


def small(book_of, one=ONE, two=TWO, glossary=GLOSSARY):
    return book_of({"01-one": one, "02-two": two},
                   appendices={"glossary": glossary})


def faults(book):
    return [str(fault) for fault in words.word_faults(
        book.documents, book.entries)]


# ----------------------------------------------------------- the sources


def test_marks_know_their_entry_their_section_and_their_line(book_of):
    book = small(book_of)
    found = [(m.key, m.introduces, m.section, m.line)
             for c in book.documents for m in words.read_marks(c)]
    assert found == [
        ("ulp", True, "sec-floats", 5), ("grad-fn", False, "sec-floats", 5),
        ("grad-fn", True, "sec-floats", 7), ("fan-in", True, "sec-floats", 7),
        ("ulp", False, "sec-two", 3),
    ]
    assert faults(book) == []


def test_an_entry_says_its_meaning_without_markup(book_of):
    entries = small(book_of).entries
    assert list(entries) == ["fan-in", "grad-fn", "ulp"]
    assert entries["ulp"].text == "The gap between floats, see there."
    assert entries["grad-fn"].text == "What made it, x * *y*, well."
    assert {e.section for e in entries.values()} == {"sec-floats"}


@pytest.mark.parametrize("change, message", [
    (dict(one=ONE.replace("*ulp*", "*upl*")),
     "book/01-one.qmd:5: the glossary has no entry 'upl'; write "
     'entry="ulp"'),
    (dict(two=TWO.replace("[ulps]", "[leaf]{.index} [ulps]")),
     "book/02-two.qmd:3: the glossary has no entry 'leaf'; write one"),
    (dict(two=TWO.replace(".index", ".term")),
     "book/02-two.qmd:3: 'ulp' is introduced at book/01-one.qmd:5 already; "
     "mark this place .index"),
    (dict(one=ONE.replace("[fan-in]{.term}", "fan-in")),
     "book/glossary.qmd:4: no chapter introduces 'fan-in'; mark it there "
     "with […]{.term}, or remove the entry"),
    (dict(glossary=GLOSSARY.replace("are. @sec-floats", "are. @sec-two")),
     "book/glossary.qmd:4: 'fan-in' is introduced at book/01-one.qmd:7; end "
     "its entry with '@sec-floats.'"),
    (dict(glossary=GLOSSARY.replace("are. @sec-floats.", "are.")),
     "book/glossary.qmd:4: 'fan-in' is introduced at book/01-one.qmd:7; end "
     "its entry with '@sec-floats.'"),
    (dict(one=ONE.replace("# One {#sec-one}\n\n## Floats {#sec-floats}",
                          "# One\n\n## Floats")),
     "book/glossary.qmd:4: 'fan-in' is introduced at book/01-one.qmd:7; give "
     "that section a label"),
    (dict(glossary=GLOSSARY.replace("[ulp]{#term-ulp .entry}", "Or: ")),
     "book/glossary.qmd:8: this is no entry; write '[ulp]{#term-ulp .entry} "
     "The gap … @sec-marks.'"),
    (dict(glossary=GLOSSARY.replace(
        "[`grad_fn`]{#term-grad-fn .entry}",
        "[fan-in]{#term-fan-in .entry} Twice. @sec-floats.\n\n"
        "[`grad_fn`]{#term-grad-fn .entry}")),
     "book/glossary.qmd:6: 'fan-in' stands after 'fan-in'; keep the entries "
     "in order, each once"),
    (dict(one=ONE.replace("## Floats", "## [Floats]{.index entry=\"ulp\"}")),
     "book/01-one.qmd:3: no mark in a heading: contents repeat it; mark the "
     "term in the text below"),
    (dict(one=ONE.replace("The gap", "::: {.solution}\nThe gap")
          .replace("forward", "x").replace("too.", "too.\n:::\n")),
     "book/01-one.qmd:6: no term is introduced in a quiz or a solution; mark "
     "it where the text explains it"),
    (dict(two=TWO + "\n```{python}\n#| label: fig-x\n#| fig-cap: \"An "
          "[ulp]{.index}\"\n1\n```\n"),
     "book/02-two.qmd:7: no mark in a caption; mark the term in the text"),
])
def test_a_fault_is_named_with_file_and_line(book_of, change, message):
    assert message in faults(small(book_of, **change))


def test_without_a_glossary_every_mark_is_a_fault(book_of):
    book = book_of("# One {#sec-one}\n\nAn [ulp]{.term}.\n")
    assert faults(book) == [
        "book/01-one.qmd:3: the glossary has no entry 'ulp'; write one"]


# --------------------------------------------------- set in each of forms


@pytest.fixture
def made(book_of):
    """A small book, set as page, PDF, EPUB and notebook."""
    book = small(book_of)
    results = run.run_all(book)
    woven = weave.weave_book(book, results)

    def make(name):
        site = book.root / name
        site.mkdir()
        pages.set_pages(woven, site, site / "c1")
        pdf.set_pdf(woven, site / "b.pdf", site / "c2",
                    imprint=build.imprint(book))
        epub.set_epub(woven, site / "b.epub", site / "c3")
        takeaways.set_takeaways(woven, site, site / "c4")
        return site

    return make


def test_a_small_book_in_all_its_forms(made):
    site, again = made("a"), made("b")
    for name in ("b.pdf", "b.epub", "book/01-one.html"):
        assert (site / name).read_bytes() == (again / name).read_bytes()

    page = (site / "book/01-one.html").read_text(encoding="utf-8")
    assert re.search(
        r'<a href="glossary\.html#term-ulp" class="term"\s+data-title="The '
        r'gap between floats, see there\."><em>ulp</em></a>', page)
    assert re.search(
        r'class="forward term"\s+data-title="What made it, x \* \*y\*, '
        r'well\."', page)
    assert "<code>[code]{.term}</code>" in page and "entry=" not in page
    words_page = (site / "book/glossary.html").read_text(encoding="utf-8")
    assert re.search(r'<dt><span id="term-ulp" class="entry">ulp</span>'
                     r"</dt>\s*<dd>\s*<p>The gap", words_page)

    notebook = (site / "notebooks/01-one.ipynb").read_text(encoding="utf-8")
    assert "term" not in notebook.replace("[code]{.term}", "")
    assert "*ulp*" in notebook

    paper = pypdfium2.PdfDocument(site / "b.pdf")
    text = [page.get_textpage().get_text_range() for page in paper]
    first, second = (
        paper.get_page_label(i) for i, page in enumerate(text)
        if "The gap is called" in page or "apart." in page)
    shown = text[-1].split("itself leads to its meaning.")[1].split()
    assert shown[:10] == [
        "fan-in", first, "grad_fn", first, "ulp", first + ",", second,
        "width,", "see", "fan-in"]


# ---------------------------------------------------------------- symbols

SHAPES = {
    "frac", "tfrac", "sum", "sqrt", "left", "right", "operatorname", "text",
    "qquad", "quad", "begin", "end", "cdot", "cdots", "ldots", "le", "ne",
    "approx", "pm", "infty", "in", "bigl", "bigr", "Bigl", "Bigr", "mathbb",
    "overline", "bar", "partial", "leftarrow", "lVert", "rVert", "lvert",
    "rvert", "lceil", "rceil", "ln", "max", "tanh",
}


def symbols(formula):
    """The letters, Latin and Greek, that a formula is written with."""
    formula = re.sub(r"\\(operatorname|text|begin|end)\{[^}]*\}", "", formula)
    commands = set(re.findall(r"\\([A-Za-z]+)", formula))
    return commands - SHAPES | set(
        re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula)))


def test_the_notation_has_every_symbol_of_the_formulas():
    glossary = next(c for c in BOOK.chapters if c.path == words.GLOSSARY)
    told = set().union(*(
        symbols(formula)
        for line in glossary.scan.shown if line.startswith("| $")
        for formula in re.findall(r"\$([^$]+)\$", line.split(" | ")[0])
    ))
    found = [(document.chapter.path, formula.tex)
             for document in BOOK.documents
             for formula in document.all(Formula)]
    assert len(found) > 100
    for path, tex in found:
        assert symbols(tex) <= told, (path, tex)


# --------------------------------------------------------------- the book


def test_every_term_is_introduced_once():
    assert faults(BOOK) == []
    entries = BOOK.entries
    introduced = [mark.key for document in BOOK.documents
                  for mark in words.read_marks(document) if mark.introduces]
    assert sorted(introduced) == sorted(entries)
    assert len(entries) > 150
