"""Find what is wrong with the pictures that chapters show from files."""

from pathlib import Path

from press.errors import BookError
from press.weave import svg

# What a file of each kind begins with, and how it ends.
SIGNED = {
    ".png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    ".jpg": (b"\xff\xd8\xff", b"\xff\xd9"),
    ".jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
}


def image_fault(root: Path, target: str, file: str | None) -> str | None:
    """Why an image cannot be shown; `file` is its path in the book."""
    if file is None or target.startswith("//"):
        return (
            f"the image {target[:60]} is no file of the book, and a page "
            "fetches nothing from elsewhere; put it beside the chapter and "
            "write its name"
        )
    picture = root / file
    if not picture.is_file():
        return f"no such image: {file}"
    if not picture.resolve().is_relative_to(root.resolve()):
        return f"the image {file} is no file of the book; put it there"
    suffix = picture.suffix
    if suffix == ".svg":
        return svg_fault(picture.read_bytes(), file)
    if suffix not in SIGNED:
        return (
            f"the image {file} is of a kind that not all formats show; make "
            "it an .svg, a .png or a .jpg"
        )
    start, end = SIGNED[suffix]
    body = picture.read_bytes()
    if not body.startswith(start) or end not in body[-64:]:
        return f"the image {file} is no whole {suffix[1:]}; save it anew"
    return None


def svg_fault(body: bytes, file: str) -> str | None:
    """Why an SVG cannot be drawn in a page, in a PDF and in an EPUB."""
    try:
        text = body.decode("utf-8")
        svg.inline(text, "")
    except UnicodeDecodeError:
        return f"the image {file} is not UTF-8; save it as UTF-8"
    except BookError as error:
        return f"the image {file}: {error.message}"
    root = svg.read_svg(text)
    if any("{" not in str(element.tag) for element in root.iter()):
        return (
            f"the image {file} does not say that it is SVG; write "
            '<svg xmlns="http://www.w3.org/2000/svg" …>'
        )
    if lively := svg.lively_part(root):
        return (
            f"the image {file} holds {lively}, which no page lets through; "
            "draw it with paths and text"
        )
    return None
