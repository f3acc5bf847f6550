"""What bears a number bears the same one on the screen, on paper and in
the EPUB, and references lead to it."""

import re
import zipfile
from html.parser import HTMLParser

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from built import BOOK, PDF, SITE
from press.read.labels import sections
from press.weave.epub import epub

LABELS = {label.id: label for label in BOOK.labels}
KINDS = {"Figure", "Table", "Equation", "Exercise", "Section", "Chapter",
         "Appendix"}
EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link",
         "meta", "source", "track", "wbr"}
REFERENCE = re.compile(rf"({'|'.join(sorted(KINDS))}) ([A-Z]?[\d.]*\d|[A-Z])")


class Page(HTMLParser):
    """The words in each labelled element, and the references of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.references = [], {}, []
        self.kicker = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag in EMPTY:
            return
        attrs = dict(attrs)
        self.open.append((tag, attrs))
        if attrs.get("id") in LABELS:
            self.words[attrs["id"]] = ""
        if "reference" in (attrs.get("class") or "").split():
            target = attrs["href"].partition("#")[2]
            self.references.append([target, ""])

    def handle_startendtag(self, tag, attrs):
        pass  # an element of SVG or XHTML that holds nothing

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for _, attrs in self.open:
            if attrs.get("id") in self.words:
                self.words[attrs["id"]] += data
            classes = (attrs.get("class") or "").split()
            if "reference" in classes:
                self.references[-1][1] += data
            if "kicker" in classes:
                self.kicker += data


@pytest.fixture(scope="module")
def screen():
    return [
        Page((SITE / chapter.page).read_text(encoding="utf-8"))
        for chapter in BOOK.chapters
    ]


@pytest.fixture(scope="module")
def reader():
    with zipfile.ZipFile(SITE / epub.EPUB) as archive:
        return [
            Page(archive.read(name).decode())
            for name in sorted(archive.namelist())
            if re.search(r"ch\d+\.xhtml$", name)
        ]


def number_in(label, words):
    """The number that the words of a labelled element show, if any."""
    words = re.sub(r"\s+", " ", words).strip()
    if label.kind in ("Figure", "Table"):
        match = re.search(rf"\b{label.kind} ([A-Z\d.]+):", words)
    elif label.kind == "Exercise":
        match = re.match(r"Exercise ([A-Z\d.]*\d)", words)
    elif label.kind == "Equation":
        match = re.search(r"\(([A-Z\d.]+)\)$", words)
    elif label.kind == "Appendix":
        match = re.match(r"([A-Z]) ", words)
    else:
        match = re.match(r"((?:[A-Z]\.)?\d[\d.]*) ", words)
    return match[1] if match else ""


def numbers(pages):
    return {
        identifier: number_in(LABELS[identifier], words)
        for page in pages for identifier, words in page.words.items()
    }


WANTED = {label.id: label.number for label in LABELS.values()}


def test_the_epub_shows_every_number(reader):
    assert numbers(reader) == WANTED


def test_the_pages_show_every_number(screen):
    shown = numbers(screen)
    for chapter, page in zip(BOOK.chapters, screen, strict=True):
        kind = "Appendix" if chapter.appendix else "Chapter"
        name = f"{kind} {BOOK.shown_number(chapter)}"
        if name == "Chapter ":                   # the primer bears none
            name = ""
        assert page.kicker.strip() == name
        for label in LABELS.values():
            if label.path == chapter.path and label.kind == kind:
                shown[label.id] = chapter.number
    assert shown == WANTED


@pytest.mark.parametrize("where", ["screen", "reader"])
def test_every_reference_names_what_it_leads_to(where, request):
    count = 0
    for page in request.getfixturevalue(where):
        for target, words in page.references:
            label = LABELS[target]
            words = words.replace("\u00a0", " ")
            assert words in (
                label.reference.replace("\u00a0", " "), label.number), target
            count += 1
    assert count > 200


# ---------------------------------------------------------------- on paper


@pytest.fixture(scope="module")
def sheets():
    """The text of each sheet, and its links: words and target's sheet."""
    document = pypdfium2.PdfDocument(PDF)
    texts, links = [], []
    for sheet in document:
        text = sheet.get_textpage()
        texts.append(re.sub(
            r"\s+", " ", text.get_text_range().replace("\u00a0", " ")))
        links.append(list(links_of(document, sheet, text)))
    document.close()
    return texts, links


def links_of(document, sheet, text):
    import ctypes
    position, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(sheet, position, link):
        target = pdfium.FPDFLink_GetDest(document, link)
        if not target:
            continue
        area = pdfium.FS_RECTF()
        pdfium.FPDFLink_GetAnnotRect(link, area)
        words = text.get_text_bounded(
            area.left, area.bottom, area.right, area.top)
        yield (
            re.sub(r"\s+", " ", words.replace("\u00a0", " ")).strip(),
            pdfium.FPDFDest_GetDestPageIndex(document, target),
        )


def shown_as(label):
    """How paper shows what a label names."""
    if label.kind in ("Figure", "Table"):
        return f"{label.kind} {label.number}:"
    if label.kind == "Equation":
        return f"({label.number})"
    if label.kind in ("Chapter", "Appendix"):
        return f"{label.kind} {label.number}" if label.number else ""
    if label.kind == "Section":
        return f"{label.number} "
    return f"{label.kind} {label.number}"


def test_references_on_paper_lead_to_the_sheet_that_shows_the_number(sheets):
    texts, links = sheets
    by_name = {
        label.reference.replace("\u00a0", " "): label
        for label in LABELS.values() if label.number
    }
    count, opening, first = 0, [], 0
    for page in links:
        for words, target in page:
            match = REFERENCE.fullmatch(words)
            if not match:
                continue
            if words == "Chapter 0":  # a section without a number
                opening.append(target)
                continue
            if words == "Chapter 1":
                first = target
            label = by_name[words]
            assert shown_as(label) in texts[target], (words, target + 1)
            count += 1
    assert count > 200
    assert opening and all(target < first for target in opening)


def test_every_section_is_numbered_on_paper_as_on_the_screen(sheets, screen):
    whole = re.sub(r"\s", "", "".join(sheets[0]))
    for document in BOOK.documents:
        page = (SITE / document.chapter.page).read_text(encoding="utf-8")
        page = page[page.index("<main"):]
        shown = re.findall(r'class="section-number">([^<]+)<', page)
        wanted = [
            s for s in sections(document) if s.level > 1 and s.number
        ]
        assert shown == [h.number for h in wanted]
        for heading in wanted:
            if heading.on_paper and re.fullmatch(
                r"[\w ,]+", heading.title
            ):
                title = re.sub(r"\s", "", heading.number + heading.title)
                assert title in whole, heading
