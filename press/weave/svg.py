"""Make the pictures that matplotlib writes fit for a page."""

import html
import json
import re
from pathlib import Path

from press.errors import BookError

PALETTE = Path(__file__).parents[2] / "figures" / "palette.json"
# Roles that color no word: what words stand on, and their plain colors.
GROUNDS = ("paper", "rule", "code", "muted", "ink")
NOISE = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>",
    re.DOTALL,
)
COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")
SHEET = re.compile(
    r"<style[^>]*>\s*\*\s*\{([^{}]*)\}\s*</style>|<style[^>]*/>"
)
STYLED = re.compile(r'<[a-zA-Z][^<>]*?\sstyle="([^"]*)"[^<>]*>')
ATTRIBUTES = (
    "fill", "stroke", "opacity", "color", "stop", "clip", "font", "text",
    "image", "shape", "dominant", "vector", "marker", "display",
    "visibility",
)  # what the names of presentation attributes begin with
SHORTHANDS = ("font", "marker")  # and these are none


def tidy(source: str, prefix: str) -> str:
    """An SVG without metadata, its ids made unique by a prefix."""
    source = NOISE.sub("", source).strip()
    source = re.sub(r'\bid="', f'id="{prefix}-', source)
    source = re.sub(r"url\(#", f"url(#{prefix}-", source)
    source = re.sub(r'href="#', f'href="#{prefix}-', source)
    return re.sub(r"\n\s*\n+", "\n", source) + "\n"


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

    opening = re.search(r"<svg\b[^>]*>", source)
    if not opening:
        raise BookError("a picture", None, "no SVG: no <svg> stands in it")
    attributes = re.sub(r'\s(?:role|aria-label)="[^"]*"', "", opening[0])
    label = html.escape(html.unescape(alt), quote=True)
    attributes = attributes.replace(
        "<svg", f'<svg role="img" aria-label="{label}"', 1
    )
    body = STYLED.sub(presented, source[opening.end():])
    if sheet := SHEET.search(body):
        everywhere = attributes_of(sheet[1] or "")
        attributes = attributes.replace(
            "<svg", f"<svg {written(everywhere)}".rstrip(), 1
        )
        body = SHEET.sub("", body).replace("<defs>\n  \n </defs>", "")
    body = re.sub(
        r'(?:fill|stroke|stop-color)="[^"]*"',
        lambda match: COLOR.sub(themed, match[0]), body,
    )
    return attributes + body.strip()


def presented(match: re.Match) -> str:
    """An element whose `style` is written as presentation attributes.

    Pages are set under a policy that allows no style in an element.
    """
    tag = match[0]
    values = attributes_of(match[1])
    tag = re.sub(r'\sstyle="[^"]*"', "", tag)
    for name in values:
        tag = re.sub(rf'\s{name}="[^"]*"', "", tag)
    return re.sub(
        r"\s*(/?>)$", lambda end: f" {written(values)}{end[1]}", tag
    )


def attributes_of(style: str) -> dict[str, str]:
    """The declarations of a style; each must be an attribute too."""
    values = {}
    for declaration in html.unescape(style).split(";"):
        name, colon, value = (
            part.strip() for part in declaration.partition(":")
        )
        if not colon:
            continue
        if name in SHORTHANDS or not name.startswith(ATTRIBUTES):
            raise BookError(
                "a picture", None,
                f"the style '{name}: {value}' has no attribute in SVG",
            )
        values[name] = value
    return values


def written(attributes: dict[str, str]) -> str:
    return " ".join(
        f'{name}="{html.escape(value)}"'
        for name, value in attributes.items()
    )
