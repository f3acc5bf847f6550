"""`_quarto.yml` is read by its schema, and its titles and names are text."""

import json
import re
import zipfile

import jsonschema
import pypdfium2
import pytest
from lxml import etree, html

from press import serve
from press.build import ALL, build
from press.errors import BookError, BookErrors
from press.progress import Reporter
from press.read import config
from press.read.book import read_book
from tiny import REPO, cell, write_book

GOOD = "book:\n  title: x\n  chapters:\n    - index.qmd\n"
PART = GOOD + "    - part: P\n      chapters:\n        - book/01-one.qmd\n"
# A whole file, and of each fault its line and what is said of it.
WRONG = [
    ("", (1, "no chapters; list them under book: chapters:")),
    ("# nothing\n", (1, "no chapters")), ("null\n", (1, "no chapters")),
    ("hello\n", (1, "this is text; write book:, and below it title:")),
    ("- a\n", (1, "this is a list; write book:")), ("3\n", (1, "a number")),
    ("book: [\n", (2, "not YAML")), ("a: b: c\n", (1, "quotes around")),
    ("\tbook: x\n", (1, "indent by spaces")),
    (b'book:\n  title: "caf\xe9"\n', (2, "not UTF-8; save the file")),
    ("book: !!python/object:os.system {}\n", (1, "not YAML")),
    ("book: x\n", (1, "'book:' is text; write book:, and below it")),
    ("book:\n  chapters:\n    - index.qmd\n", (1, "no title; write title:")),
    (GOOD.replace("x", "2024", 1), (2, "is a number; write title: \"The title"
                                    "\", in quotes")),
    (GOOD.replace(" x", "", 1), (2, "'book: title:' is empty; write title:")),
    (GOOD.replace("x", '" "', 1), (2, "'book: title:' cannot be \" \"")),
    (GOOD.replace("x", "[a]", 1), (2, "'book: title:' is a list")),
    (GOOD.replace("x", "2024-01-02", 1), (2, "'book: title:' is a date")),
    (GOOD + "  subtitle: true\n", (5, "'book: subtitle:' is true or false")),
    (GOOD + "  title: y\n", (5, "'title' already stands at line 2; keep")),
    (GOOD + "lang: en\nlang: de\n", (6, "'lang' already stands at line 5")),
    (GOOD + "  autor: Ann\n", (5, "unknown key 'autor' under book:, which "
                               "would do nothing; write 'author'")),
    (GOOD + "  cover-image: x.png\n", (5, "unknown key 'cover-image'")),
    (GOOD + "number-sections: false\n", (5, "the press reads bibliography,")),
    (GOOD + "toc: true\n5: x\n", (5, "unknown key 'toc'"),
     (6, "unknown key '5'")),
    (GOOD + "lang: english!\n", (5, "'lang:' cannot be \"english!\"")),
    (GOOD + "lang: no\n", (5, "'lang:' is true or false; write lang: en")),
    (GOOD + "execute:\n  echo: false\n", (6, "unknown key 'echo' under exec")),
    (GOOD + "project:\n  type: website\n", (6, "cannot be \"website\"; write"
                                            " type: book")),
    (GOOD + "project:\n  execute-dir: file\n", (6, "write execute-dir:")),
    (GOOD + "format:\n  docx: default\n", (6, "unknown key 'docx'")),
    (GOOD + "format:\n  html: 3\n", (6, "write html: default")),
    (GOOD + "filters: 3\n", (5, "write filters: [")),
    (GOOD + "bibliography: [a.bib, b.bib]\n", (5, "all works in one file")),
    (GOOD + "bibliography:\n", (5, "'bibliography:' is empty")),
    (GOOD + "  author: []\n", (5, "'book: author:' is empty; write auth")),
    (GOOD + "  author: 3\n", (5, "'book: author:' is a number")),
    (GOOD + "  author:\n    - name: Ann\n      email: a@b\n", (7, "'email'")),
    (GOOD + "  author:\n    - Ann\n    - 3\n", (7, "write - Ann, or - name:")),
    (GOOD + "  author:\n    orcid: 3\n", (5, "no name; write name: \"Ann\""),
     (6, "unknown key 'orcid'")),
    (GOOD + "  appendices:\n", (5, "'book: appendices:' is empty; write app")),
    (GOOD + "  appendices: []\n", (5, "is empty")),
    (GOOD + "    - part: P\n      chapters:\n", (6, "'book: chapters: chapt")),
    (GOOD + "    - part: P\n", (5, "no chapters")),
    (GOOD + "    - chapters:\n        - book/01-one.qmd\n", (5, "no part;")),
    (PART.replace(" P", " 3"), (5, "part:' is a number; write part: \"A")),
    (PART.replace(" P", " p.qmd"), (5, "part:' cannot be \"p.qmd\"")),
    (PART.replace("part:", "prat:"), (5, "unknown key 'prat'"),
     (5, "no part")),
    (GOOD + "    - book\n", (5, "cannot be \"book\"; write - book/name.qmd")),
    (GOOD + "    - 3\n", (5, "is a number; write - book/name.qmd")),
    (GOOD + "    - a.ipynb\n", (5, "cannot be \"a.ipynb\"")),
    (GOOD + "    - ../a.qmd\n", (5, "cannot be \"../a.qmd\"")),
    (GOOD + "    - /a.qmd\n", (5, "cannot be \"/a.qmd\"")),
    (GOOD + "    - no.qmd\n    - no/no.qmd\n", (5, "no such chapter: no.qmd"),
     (6, "no such chapter: no/no.qmd"), (6, "bear one name")),
    (GOOD + "    - folder.qmd\n", (5, "no such chapter: folder.qmd")),
    (GOOD + "    - index.qmd\n", (5, "index.qmd and index.qmd bear one name")),
    (GOOD.replace("index", "book/01-one"), (4, "begin with index.qmd")),
    ("book: &b\n  title: x\n  chapters: [index.qmd]\n  author: *b\n",
     (1, "this holds itself; write it out")),
]


def faults(root):
    """The faults of a configuration, each with its line."""
    try:
        read_book(root)
    except BookError as error:
        return [(error.path, error.line, error.message)]
    except BookErrors as errors:
        return [(e.path, e.line, e.message) for e in errors.errors]
    return []


def put(root, text):
    (root / "_quarto.yml").write_bytes(
        text if isinstance(text, bytes) else text.encode())
    return root


@pytest.fixture
def tiny_book(tmp_path):
    (tmp_path / "folder.qmd").mkdir()
    return write_book(tmp_path, {"01-one": "# One\n"})


@pytest.mark.parametrize("text, said", [(one[0], one[1:]) for one in WRONG])
def test_a_wrong_configuration_is_told_by_its_lines(tiny_book, text, said):
    found = faults(put(tiny_book, text))
    for line, words in said:
        assert any(
            path == "_quarto.yml" and at == line and words in message
            and ";" in message for path, at, message in found
        ), found
    assert len(found) == len(said), found


@pytest.mark.parametrize("text", [
    GOOD, PART, "\ufeff" + GOOD, GOOD.replace("\n", "\r\n"),
    GOOD + "  author: Ann\n", GOOD + "  author: [Ann, Bob]\n",
    GOOD + "  author:\n    - name: Ann\n    - Bob\n",
    GOOD + "  author:\n    name: Ann\n", GOOD + "lang: de-CH\n",
    GOOD + "bibliography: book/works.bib\nfilters: a.lua\n",
    GOOD + "format: {html: default, typst: {citeproc: true}}\n",
    GOOD + "execute:\n  freeze: auto\n", GOOD + "  subtitle: |\n    a\n    b",
])
def test_what_quarto_and_the_press_both_read_passes(tiny_book, text):
    assert faults(put(tiny_book, text)) == []


def test_a_bibliography_that_is_not_there_is_told(perform, tiny_book):
    put(tiny_book, GOOD + "bibliography: no.bib\n")
    assert perform("proof") == (1, (
        "_quarto.yml:5: no such bibliography: no.bib; name a file that is "
        "there\n"))


def test_the_schema_is_one_and_has_an_example_for_each_key():
    schema = config.config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["description"]
    for name, kind in schema["properties"].items():
        assert kind["examples"] and (
            name in ("book",) or kind.get("description")), name
    assert read_book(REPO).config["project"]["type"] == "book"


# --------------------------------------------------------------- the preview


@pytest.mark.parametrize("text", [
    one[0] for one in WRONG if isinstance(one[0], bytes) or "no" not in one[0]
])
def test_the_preview_outlives_a_wrong_configuration(
    tiny_book, monkeypatch, text
):
    """It says what is wrong, and builds again once that is mended."""
    said, built = [], []
    report = Reporter()
    monkeypatch.setattr(report, "say", said.append)
    monkeypatch.setattr(
        serve, "build", lambda book, *_, **__: built.append(book.title))
    texts = iter([GOOD, text, GOOD.replace("x", "mended", 1)])

    class Over(Exception):
        pass

    def wait():
        try:
            put(tiny_book, next(texts))
        except StopIteration:
            raise Over

    wait()
    with pytest.raises(Over):
        serve.watch(lambda: serve.attempt(tiny_book, report),
                    lambda: serve.snapshot(tiny_book), wait)
    assert built == ["x", "mended"]
    first, *wrong, last = said
    assert first == last == "built"
    assert wrong and all(words.startswith("_quarto.yml:") for words in wrong)
    assert not any("Traceback" in words for words in wrong)


# ------------------------------------------------------------ words as written

TITLES = [
    ("C# and [x", "<b>Bold</b> & co", "a_b*c*d", ["$5 & `x`", "A <b>"]),
    ('"Quoted" -- \'it\'', "$x$, {y}", "# 1. not_a_list", ["O'Neil", "*B*"]),
    ("[x](y) \\n @z", "true", "- #emph[x] \\", ["true", "[a, b]"]),
]


@pytest.fixture(params=TITLES, ids=["signs", "quotes", "typst"])
def named(request, tmp_path, quick_kernels):
    """A book with such words, built in all formats."""
    title, subtitle, part, authors = request.param
    root = write_book(tmp_path, {"01-one": "# One\n\nWords.\n\n" + cell(
        "x = 1", filename="scratch/one.py")})
    put(root, json.dumps({"book": {
        "title": title, "subtitle": subtitle,
        "author": [authors[0], {"name": authors[1]}],
        "chapters": ["index.qmd", {
            "part": part, "chapters": ["book/01-one.qmd"]}],
    }}))
    return build(read_book(root), Reporter(), formats=ALL), request.param


def test_titles_parts_and_authors_come_out_as_written(named):
    site, (title, subtitle, part, authors) = named
    for file, name in (("book/01-one.html", "One"), ("index.html", "Start"),
                       ("code/scratch/one.py.html", "scratch/one.py")):
        page = html.fromstring((site / file).read_bytes())
        assert page.findtext(".//title") == (
            f"{name} · {title}" if "/" in file else title)
        words = " ".join(page.text_content().split())
        assert title in words and part in words
    assert subtitle in " ".join(html.fromstring(
        (site / "index.html").read_bytes()).text_content().split())

    with zipfile.ZipFile(site / "pytorch-from-scratch.epub") as package:
        said = etree.fromstring(package.read("EPUB/content.opf"))
        front = etree.fromstring(package.read("EPUB/text/title_page.xhtml"))
    spoken = said.xpath("//dc:title/text() | //dc:creator/text()", namespaces={
        "dc": "http://purl.org/dc/elements/1.1/"})
    assert {title, *authors} <= {*spoken}
    assert {title, subtitle, *authors} <= {*front.xpath(
        "//*[local-name()='h1' or local-name()='p']/text()")}

    document = pypdfium2.PdfDocument(site / "pytorch-from-scratch.pdf")
    assert document.get_metadata_dict()["Title"] == title
    for name in authors:
        assert name in document.get_metadata_dict()["Author"]
    assert part in [
        mark.get_title() for mark in document.get_toc()]
    text = "".join(
        page.get_textpage().get_text_range() for page in document)
    for words in (title, subtitle, part):
        assert re.sub(r"\s", "", words) in re.sub(r"\s", "", text)

    made = json.loads((site / "notebooks/01-one.ipynb").read_text("utf-8"))
    about = "".join(made["cells"][0]["source"])
    assert re.sub(r"\\([^\w\s])", r"\1", about).startswith(f"*From {title}.")
