"""Marks and lists of the PDF and the EPUB lead to what they name."""

import re
import zipfile

import pdfplumber

from built import PDF, SITE

SIGNS = {"exact": "=", "close": "≈", "machine": "⌁"}


def test_marks_of_the_epub_lead_to_the_appendix():
    with zipfile.ZipFile(SITE / "pytorch-from-scratch.epub") as archive:
        texts = {name: archive.read(name).decode()
                 for name in archive.namelist() if name.endswith(".xhtml")}
    (appendix,) = [name.split("/")[-1] for name, text in texts.items()
                   if re.search(r'id="sec-exact"', text)]
    marks = re.findall(
        r'<a\s[^>]*class="mark mark-[^>]*>', "".join(texts.values()))
    assert len(marks) > 100
    for mark in marks:
        assert re.search(rf'href="({appendix})?#sec-exact"', mark), mark
        assert 'title="' in mark


def test_marks_of_the_pdf_lead_to_the_appendix():
    with pdfplumber.open(PDF) as pdf:
        start = next(
            n for n, page in enumerate(pdf.pages)
            if "What “from scratch” means" in (page.extract_text() or "")
            and n > 7)
        pages = pdf.pages[start:start + 5]
        marked = [
            word for page in pages for word in page.extract_words()
            if word["text"] in SIGNS and word["x0"] > 250
            and word["bottom"] - word["top"] < 8
        ]
        linked = [
            a for page in pages for a in page.annots
            if a["data"]["Subtype"].name == "Link" and a["width"] < 60
        ]
    assert marked and len(linked) >= len(marked)


def test_simulations_are_listed_on_paper_with_their_pages():
    with pdfplumber.open(PDF) as pdf:
        texts = [page.extract_text() or "" for page in pdf.pages[:12]]
        front = next(
            n for n, text in enumerate(texts)
            if text.startswith("Simulations"))
        listed = re.findall(
            r"^Figure ([\d.]+) .* (\d+)$", texts[front], re.MULTILINE)
        first = next(
            n for n, text in enumerate(texts)
            if n > front and text.lower().startswith("chapter 0"))
        for number, page in listed:
            text = pdf.pages[first + int(page) - 1].extract_text()
            assert f"Figure {number}:" in text, number
    assert len(listed) == 12
