"""The glossary, the notation and the index: each term in its places."""

import re
import zipfile
from html import unescape
from pathlib import Path

import pdfplumber
import pypdfium2
import pytest
from test_pages import browser, opened  # noqa: F401
from test_reading import rest_on

from press import epub, html, pdf, run, takeaways, weave, words
from press.chapters import read_book
from press.labels import labels

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_book"
BOOK = read_book(ROOT)
ENTRIES = words.entries(BOOK)
MARKS = [m for chapter in BOOK.chapters for m in words.marks(chapter)]

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
    return [str(fault) for fault in words.faults(book)]


# ----------------------------------------------------------- the sources


def test_marks_know_their_entry_their_section_and_their_line(book_of):
    book = small(book_of)
    found = [(m.key, m.introduces, m.section, m.line)
             for c in book.chapters for m in words.marks(c)]
    assert found == [
        ("ulp", True, "sec-floats", 5), ("grad-fn", False, "sec-floats", 5),
        ("grad-fn", True, "sec-floats", 7), ("fan-in", True, "sec-floats", 7),
        ("ulp", False, "sec-two", 3),
    ]
    assert faults(book) == []


def test_an_entry_says_its_meaning_without_markup(book_of):
    entries = words.entries(small(book_of))
    assert list(entries) == ["fan-in", "grad-fn", "ulp"]
    assert entries["ulp"].plain == "The gap between floats, see there."
    assert entries["grad-fn"].plain == "What made it, x * *y*, well."
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
    woven = [weave.weave(book, result) for result in results]
    known = labels(book)

    def make(name):
        site = book.root / name
        site.mkdir()
        html.set_pages(book, woven, known, site, site / "c1")
        pdf.set_pdf(book, woven, known, site / "b.pdf", site / "c2",
                    imprint=dict.fromkeys(
                        ("commit", "python", "torch", "typst", "machine"),
                        "x"))
        epub.set_epub(book, woven, known, site / "b.epub", site / "c3")
        takeaways.set_takeaways(book, results, known, site, site / "c4")
        return site

    return make


def test_a_small_book_in_all_its_forms(made):
    site, again = made("a"), made("b")
    for name in ("b.pdf", "b.epub", "book/01-one.html"):
        assert (site / name).read_bytes() == (again / name).read_bytes()

    page = (site / "book/01-one.html").read_text()
    assert re.search(
        r'<a href="glossary\.html#term-ulp" class="term"\s+data-title="The '
        r'gap between floats, see there\."><em>ulp</em></a>', page)
    assert re.search(
        r'class="forward term"\s+data-title="What made it, x \* \*y\*, '
        r'well\."', page)
    assert "<code>[code]{.term}</code>" in page and "entry=" not in page
    words_page = (site / "book/glossary.html").read_text()
    assert re.search(r'<dt><span id="term-ulp" class="entry">ulp</span>'
                     r"</dt>\s*<dd>\s*<p>The gap", words_page)

    notebook = (site / "notebooks/01-one.ipynb").read_text()
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


# -------------------------------------------------------- the whole book


def test_every_term_is_introduced_once():
    assert faults(BOOK) == []
    introduced = [mark.key for mark in MARKS if mark.introduces]
    assert sorted(introduced) == sorted(ENTRIES)
    assert len(ENTRIES) > 150


def test_each_mark_of_a_page_leads_to_its_entry():
    there = (SITE / "book/glossary.html").read_text(encoding="utf-8")
    assert re.findall(r'id="term-([\w-]+)"', there) == list(ENTRIES)
    link = re.compile(
        r'<a href="([^"]*)#term-([\w-]+)" class="[^"]*\bterm"\s+'
        r'data-title="([^"]*)"')
    for chapter in BOOK.chapters:
        page = SITE / chapter.page
        found = link.findall(page.read_text(encoding="utf-8"))
        assert [key for _, key, _ in found] == [
            mark.key for mark in words.marks(chapter)]
        for target, key, said in found:
            assert (page.parent / target).resolve() == (
                SITE / "book/glossary.html").resolve()
            assert " ".join(unescape(said).split()) == ENTRIES[key].plain
            assert not re.search(r"[`${}\\]|@sec-|\]\(", said)


def test_each_mark_of_the_epub_leads_to_its_entry():
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        pages = {Path(name).name: archive.read(name).decode()
                 for name in archive.namelist() if name.endswith(".xhtml")}
    links = [link for page in pages.values() for link in
             re.findall(r'href="([^"]*)#term-([\w-]+)"', page)]
    assert len(links) >= len(MARKS)
    for name, key in links:
        assert f'id="term-{key}"' in pages[name]


def bare(text):
    """Letters and digits alone: how lines break does not matter."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.fixture(scope="module")
def printed():
    """The printed book's pages: the number that each bears, its letters."""
    book = pypdfium2.PdfDocument(SITE / "pytorch-from-scratch.pdf")
    return [
        (book.get_page_label(i), bare(page.get_textpage().get_text_range()))
        for i, page in enumerate(book)
    ]


@pytest.fixture(scope="module")
def index(printed):
    """Each headword of the index with its link, and those of its pages;
    and the links of the other names."""
    start = next(i for i, (_, text) in enumerate(printed)
                 if "itselfleadstoitsmeaning" in text)
    with pdfplumber.open(SITE / "pytorch-from-scratch.pdf") as book:
        place = {p.page_obj.pageid: i for i, p in enumerate(book.pages)}
        result = []
        for page in book.pages[start:]:
            for link in page.annots:
                box = (link["x0"], link["top"], link["x1"], link["bottom"])
                text = page.crop(box, strict=False).extract_text().strip()
                target = place[link["data"]["Dest"][0].objid]
                if text.strip(", ").isdigit():
                    result[-1][1].append((text.strip(", "), target))
                else:
                    result.append(((text, target), []))
    return [entry for entry in result if entry[1]], {
        (name, target) for (name, target), pages in result if not pages
    }


def test_the_index_has_every_term_in_order(index):
    assert [bare(name) for (name, _), _ in index[0]] == [
        bare(entry.name) for entry in ENTRIES.values()]


def test_other_names_lead_to_where_their_entry_does(index):
    heads = {bare(name): target for (name, target), _ in index[0]}
    assert {bare(name) for name, _ in index[1]} == {
        bare(entry.name) for entry in ENTRIES.values() if entry.also}
    for name, target in index[1]:
        assert heads[bare(name)] == target


def test_a_headword_of_the_index_leads_to_its_entry(index, printed):
    for (head, _), entry in zip(index[0], ENTRIES.values(), strict=True):
        _, text = printed[head[1]]
        assert bare(entry.name + entry.text)[:40] in text, head


def test_the_pages_of_the_index_are_those_that_have_the_term(
    index, printed,
):
    marked = {key: [] for key in ENTRIES}
    for mark in MARKS:
        marked[mark.key].append(
            bare(re.sub(r"\{[^}]*\}", "", mark.text)))
    for (key, texts), (_, pages) in zip(
        marked.items(), index[0], strict=True
    ):
        assert 1 <= len(pages) <= len(texts), key
        assert len({number for number, _ in pages}) == len(pages), key
        for number, target in pages:
            label, text = printed[target]
            assert label == number, key
            assert any(part in text for part in texts), (key, number)


# ------------------------------------------------------------ in a browser


def test_resting_on_a_term_shows_its_meaning(opened):  # noqa: F811
    tab = opened("book/01-tensors.html")
    link = tab.locator("main a.term[href$='#term-stride']").first
    rest_on(tab, link)
    preview = tab.locator(".preview")
    preview.wait_for(state="visible")
    assert preview.inner_text() == ENTRIES["stride"].plain
    tab.keyboard.press("Escape")
    assert not preview.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_term_looks_like_text_with_a_dotted_line(
    opened, theme,  # noqa: F811
):
    tab = opened("book/01-tensors.html", theme=theme)
    link = tab.locator("main a.term[href$='#term-shape']").first
    style = link.evaluate(
        "e => [getComputedStyle(e).color, "
        "getComputedStyle(e.parentElement).color, "
        "getComputedStyle(e).textDecorationStyle]")
    assert style[0] == style[1] and style[2] == "dotted"


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


def formulas(chapter):
    for _, text in chapter.paragraphs():
        text = words.CODE_SPAN.sub("", text)
        for match in re.finditer(
            r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$]+?)\$", text, re.S
        ):
            yield match[1] or match[2]


def test_the_notation_has_every_symbol_of_the_formulas():
    glossary = words.glossary(BOOK)
    told = set().union(*(
        symbols(formula)
        for line in glossary.lines() if line.text.startswith("| $")
        for formula in re.findall(r"\$([^$]+)\$", line.text.split(" | ")[0])
    ))
    for chapter in BOOK.chapters:
        for formula in formulas(chapter):
            assert symbols(formula) <= told, (chapter.path, formula)
