"""Pages that a strict content security policy lets through."""

import base64
import hashlib
from pathlib import Path

from lxml.html import HtmlElement

from press.errors import BookError

# What a page wears from its first paint on is chosen in the page itself,
# so that the paint waits for no file. The policy lets this one script
# through, by its digest.
WEAR = (Path(__file__).parent / "wear.js").read_text(
    encoding="utf-8").strip()
DIGEST = base64.b64encode(hashlib.sha256(WEAR.encode()).digest()).decode()
POLICY = "; ".join([
    "default-src 'none'",
    # The search is WebAssembly.
    f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{DIGEST}'",
    "style-src 'self'",
    "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'",
    "form-action 'none'",
])
ALIGNED = {
    f"text-align: {side}": f"to-{side}"
    for side in ("left", "right", "center")
}
PADDED = {
    f"padding-{side}: 0": f"flush-{side}" for side in ("left", "right")
}


def without_styles(name: Path | str, page: HtmlElement) -> None:
    """Make the `style` attributes of a page classes of `stylesheet`."""
    for element in page.xpath("//*[@style]"):
        style = element.attrib.pop("style")
        for declaration in declarations(style):
            element.classes.add(class_of(name, declaration))


def declarations(style: str) -> list[str]:
    """The declarations of a `style` attribute, evenly spaced."""
    return [
        ": ".join(half.strip() for half in part.split(":", 1))
        for part in style.split(";") if part.strip()
    ]


def class_of(name: Path | str, declaration: str) -> str:
    try:
        return (ALIGNED | PADDED)[declaration]
    except KeyError:
        raise BookError(
            name, None,
            f'style="{declaration}" is not let through by the policy of '
            "the pages; write a class and a rule in press/weave/html/css",
        )


def stylesheet() -> str:
    """The rules of the classes that stand for `style` attributes.

    As firm as the attributes were: no other rule is above them.
    """
    return "".join(
        f".{name}{{{declaration}!important}}\n"
        for declaration, name in (ALIGNED | PADDED).items()
    )
