"""Make the pictures that matplotlib writes fit for a page."""

import html
import json
import re
from pathlib import Path

PALETTE = Path(__file__).parent.parent / "figures" / "palette.json"
NOISE = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>",
    re.DOTALL,
)
COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")


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
            json.loads(PALETTE.read_text())["light"].items()
        )
    }

    def themed(match: re.Match) -> str:
        role = roles.get(match[0].lower())
        return f"var(--{role})" if role else match[0]

    opening = re.search(r"<svg\b[^>]*>", source)
    attributes = re.sub(r'\s(?:role|aria-label)="[^"]*"', "", opening[0])
    label = html.escape(html.unescape(alt), quote=True)
    attributes = attributes.replace(
        "<svg", f'<svg role="img" aria-label="{label}"', 1
    )
    body = re.sub(
        r'style="[^"]*"|(?:fill|stroke|stop-color)="[^"]*"',
        lambda match: COLOR.sub(themed, match[0]),
        source[opening.end():],
    )
    return attributes + body.strip()
