"""Finish a page: what pandoc's writer cannot be told to do.

pandoc's page is read as a tree, each step here changes one kind of thing in
it, and the tree is written again.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import html
from lxml.html import HtmlElement, builder

from press.errors import BookError
from press.read.labels import Label
from press.weave import svg
from press.weave.html import strict
from press.weave.printed import check_page
from press.weave.shared import CIRCLED
from press.weave.weave import Woven

LONG = 14   # letters of a name that may break where its parts meet
JOINT = re.compile(r"(?<=\w)([._/(,]+)(?=\w)")
APPLIED = "\u2061"   # what MathML puts between ln and 10


def finish(
    text: str, woven: Woven | None = None, labels: Iterable[Label] = (),
) -> str:
    """pandoc's page as our pages are; `woven` has its pictures, and it
    shows what bears these labels."""
    page = html.document_fromstring(text)
    flatten_contents(page)
    lower_bibliography(page)
    drop_line_anchors(page)
    space_functions(page)
    break_names(page)
    wrap_captions(page)
    link_annotations(page)
    strict.without_styles(woven.chapter.path if woven else "code", page)
    wrap_tables(page)
    drawn = draw_pictures(page, woven) if woven else {}
    check_page(
        page, woven.chapter.page if woven else "a page of the program",
        [woven] if woven else [], labels,
    )
    text = html.tostring(
        page, encoding="unicode", doctype="<!DOCTYPE html>")
    for place, picture in drawn.items():
        text = text.replace(place, picture)
    return text + "\n"


def all_of(page: HtmlElement, path: str) -> Iterator[HtmlElement]:
    """What an XPath finds, in a list of its own: the tree may change."""
    yield from list(page.xpath(path))


def flatten_contents(page: HtmlElement) -> None:
    """The sections in pandoc's contents; the chapter is its first line."""
    for contents in all_of(page, "//div[@class='onpage']"):
        links = contents.xpath("./ul/li/ul/li/a | ./ul/li[position() > 1]/a")
        flat = builder.OL({"class": "onpage"})
        flat.tail = contents.tail
        flat.text = "\n"
        for link in links:
            item = builder.LI(link)
            link.tail, item.tail = None, "\n"
            link.attrib.pop("id", None)
            flat.append(item)
        if links:
            contents.addprevious(flat)
        contents.drop_tree()


def lower_bibliography(page: HtmlElement) -> None:
    """A page has one heading of the first level."""
    for heading in all_of(page, "//h1[@id='bibliography']"):
        heading.tag = "h2"


def drop_line_anchors(page: HtmlElement) -> None:
    """Nobody links to a line, and a line begins with what it says."""
    for anchor in all_of(
        page, "//pre//a[@aria-hidden='true' and @tabindex='-1']"
    ):
        anchor.drop_tree()


def space_functions(page: HtmlElement) -> None:
    """pandoc puts no space between ln and 10, as in ln 10."""
    for applied in all_of(page, f"//mo[.='{APPLIED}']"):
        place = applied
        around = place.getparent()
        if place.getnext() is None and around is not None and (
            around.tag == "mrow"
        ):
            place = around
        after = place.getnext()
        if after is not None and after.tag != "mo":
            applied.addnext(html.Element("mspace", width="0.17em"))


def break_names(page: HtmlElement) -> None:
    for code in all_of(page, "//code[not(parent::pre) and not(*)]"):
        text = code.text or ""
        if len(text) < LONG or re.search(r"\s", text):
            continue
        pieces = JOINT.sub("\\1\n", text).split("\n")
        code.text = pieces[0]
        for piece in pieces[1:]:
            pause = html.Element("wbr")
            pause.tail = piece
            code.append(pause)


def wrap_captions(page: HtmlElement) -> None:
    """A caption stays where its table scrolls."""
    for caption in all_of(page, "//caption"):
        words = builder.SPAN({"class": "words"}, *caption)
        words.text, caption.text = caption.text, None
        caption.append(words)


def link_annotations(page: HtmlElement) -> None:
    """A line of code whose mark leads to its note below the cell."""
    for line in all_of(page, "//span[starts-with(@id, 'annotated-')]"):
        name = line.get("id", "").rpartition("-")[0]
        for comment in line[-1:]:
            found = re.fullmatch(r"(.*)# (\S)", comment.text or "", re.DOTALL)
            if not found or found[2] not in CIRCLED:
                continue
            number = CIRCLED.index(found[2]) + 1
            comment.text = found[1]
            comment.addnext(builder.A(found[2], {
                "class": "annotation", "href": f"#{name}-note-{number}",
                "aria-label": f"Note {number}",
            }))


def draw_pictures(page: HtmlElement, woven: Woven) -> dict[str, str]:
    """Leave a place for each picture that is drawn in the page, in the
    colors of its theme: the places, and what is drawn there."""
    drawn: dict[str, str] = {}
    for image in all_of(page, "//img[starts-with(@src, 'figures/')]"):
        name = image.get("src", "")
        if not name.endswith(".svg"):
            continue
        place = f"\ue000{len(drawn)}\ue001"
        put(builder.SPAN({"class": "picture"}, place), image)
        try:
            drawn[place] = svg.inline(
                woven.pictures[name].decode(), image.get("alt", ""))
        except BookError as error:
            stem = Path(name).stem
            line = next((c.line for c in woven.chapter.cells
                         if c.label == stem or stem.startswith(
                             f"{c.path.stem}-{c.line}-")), None)
            raise BookError(
                woven.chapter.path, line, f"in {name}: {error.message}"
            )
    return drawn


def wrap_tables(page: HtmlElement) -> None:
    """A table scrolls by itself; an empty cell in its head is no heading."""
    for table in all_of(page, "//table"):
        for cell in all_of(table, ".//th[not(node())]"):
            cell.tag = "td"
        frame = builder.DIV({"class": "table"})
        put(frame, table)
        frame.append(table)


def put(new: HtmlElement, old: HtmlElement) -> None:
    """Put an element in the place of another, before what follows it."""
    new.tail, old.tail = old.tail, None
    old.addprevious(new)
    around = old.getparent()
    if around is not None:
        around.remove(old)
