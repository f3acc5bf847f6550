"""Make the pictures that matplotlib writes fit for a page."""

import json
import re
from pathlib import Path

from lxml import etree

from press.errors import BookError

PALETTE = Path(__file__).parents[2] / "figures" / "palette.json"
# Roles that color no word: what words stand on, and their plain colors.
GROUNDS = ("paper", "rule", "code", "muted", "ink")
COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")
EVERYWHERE = re.compile(r"\s*\*\s*\{([^{}]*)\}\s*")
SVG = "{http://www.w3.org/2000/svg}"
PRESENTATION = (
    "fill", "stroke", "opacity", "color", "stop", "clip", "font", "text",
    "image", "shape", "dominant", "vector", "marker", "display",
    "visibility",
)  # what the names of presentation attributes begin with
SHORTHANDS = ("font", "marker")  # and these are none


def read_svg(source: str) -> etree._Element:
    """The root of an SVG, without comments and instructions."""
    parser = etree.XMLParser(
        remove_comments=True, remove_pis=True, resolve_entities=False,
        no_network=True, huge_tree=True,
    )
    try:
        root = etree.fromstring(source.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise BookError("a picture", None, f"no SVG: {error.msg}")
    if etree.QName(root).localname != "svg":
        raise BookError("a picture", None, "no SVG: no <svg> stands in it")
    return root


def lively_part(root: etree._Element) -> str | None:
    """What of an SVG would act, or fetch something: no page lets it."""
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2]
        if name in ("script", "foreignObject", "iframe"):
            return f"<{name}>"
        for attribute, value in element.attrib.items():
            short = str(attribute).rpartition("}")[2]
            if re.match(r"on[a-z]+$", short) or short == "href" and (
                not re.match(r"#|data:image/", str(value))
            ):
                return f'{short}="{str(value)[:40]}"'
    return None


def tidy(source: str, prefix: str) -> str:
    """An SVG without metadata, its ids made unique by a prefix."""
    root = read_svg(source)
    if lively := lively_part(root):
        raise BookError(
            "a picture", None, f"it holds {lively}, which no page lets "
            "through; draw it with paths and text")
    for element in list(root.iter()):
        if etree.QName(element).localname == "metadata":
            remove(element)
            continue
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, f"{prefix}-{value}")
            elif etree.QName(name).localname == "href":
                element.set(name, re.sub(r"^#", f"#{prefix}-", value))
            else:
                element.set(name, value.replace("url(#", f"url(#{prefix}-"))
    return etree.tostring(root, encoding="unicode") + "\n"


def inline(source: str, alt: str) -> str:
    """An SVG to stand in an HTML page, in the colors of its theme."""
    roles = {
        color.lower(): role
        for role, color in reversed(
            json.loads(PALETTE.read_text(encoding="utf-8"))["light"].items()
        )
    }

    def themed(match: re.Match) -> str:
        role = roles.get(match[0].lower())
        return f"var(--{role})" if role else match[0]

    root = read_svg(source)
    everywhere: dict[str, str] = {}
    for sheet in list(root.iter(f"{SVG}style", "style")):
        everywhere |= attributes_of_all(sheet.text or "")
        remove(sheet)
    for element in root.iter():
        present(element)
        for name in ("fill", "stroke", "stop-color"):
            if value := element.get(name):
                element.set(name, COLOR.sub(themed, value))
    own = {name: value for name, value in root.attrib.items()
           if name not in ("role", "aria-label")}
    root.attrib.clear()
    for name, value in (
        everywhere | {"role": "img", "aria-label": alt} | own
    ).items():
        root.set(name, value)
    return etree.tostring(root, encoding="unicode")


def remove(element: etree._Element) -> None:
    """Take an element out, and what it alone filled."""
    around = element.getparent()
    if around is None:
        return
    around.remove(element)
    if etree.QName(around).localname == "defs" and not len(around):
        remove(around)


def present(element: etree._Element) -> None:
    """Write an element's `style` as presentation attributes.

    Pages are set under a policy that allows no style in an element.
    """
    style = element.attrib.pop("style", "")
    for name, value in attributes_of(style).items():
        element.attrib.pop(name, None)
        element.set(name, value)


def attributes_of_all(sheet: str) -> dict[str, str]:
    """The declarations of a sheet that speaks of all elements."""
    found = EVERYWHERE.fullmatch(sheet)
    if not found and sheet.strip():
        raise BookError(
            "a picture", None, "its <style> has rules for some elements; "
            "write them as attributes of these",
        )
    return attributes_of(found[1]) if found else {}


def attributes_of(style: str) -> dict[str, str]:
    """The declarations of a style; each must be an attribute too."""
    values = {}
    for declaration in style.split(";"):
        name, colon, value = (
            part.strip() for part in declaration.partition(":")
        )
        if not colon:
            continue
        if name in SHORTHANDS or not name.startswith(PRESENTATION):
            raise BookError(
                "a picture", None,
                f"the style '{name}: {value}' has no attribute in SVG",
            )
        values[name] = value
    return values
