"""What stands where on the pages of a PDF, read with PDFium."""

import ctypes
from collections import defaultdict
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium


@dataclass(frozen=True)
class Char:
    """A letter: its box from the page's top left corner, and its font."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    base: float    # the line that it stands on
    size: float
    font: str
    upright: bool


@dataclass(frozen=True)
class Box:
    x0: float
    top: float
    x1: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """The smaller side of what both cover; 0 where they are apart."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, min(width, height))


@dataclass
class Page:
    number: int
    width: float
    height: float
    text: str
    chars: list[Char] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    code: list[Box] = field(default_factory=list)

    def lines(self, left: float, right: float) -> list[list[Char]]:
        """The lines that begin between two edges, from the top down."""
        rows = defaultdict(list)
        for char in self.chars:
            if char.upright and left <= char.x0 < right:
                rows[round(char.base * 2)].append(char)
        joined: list[list[Char]] = []
        for key in sorted(rows):
            if joined and abs(rows[key][0].base - joined[-1][0].base) < 1:
                joined[-1] += rows[key]
            else:
                joined.append(rows[key])
        return [sorted(line, key=lambda c: c.x0) for line in joined]


def read(file, code_color) -> list[Page]:
    """Every page; `code_color` is what code is printed on."""
    document = pypdfium2.PdfDocument(file)
    fonts: dict[bytes, str] = {}
    try:
        return [
            page_of(document[index], index + 1, code_color, fonts)
            for index in range(len(document))
        ]
    finally:
        document.close()


def page_of(sheet, number, code_color, fonts) -> Page:
    width, height = sheet.get_size()
    text = sheet.get_textpage()
    page = Page(number, width, height, text.get_text_range())
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    for index in range(text.count_chars()):
        letter = chr(pdfium.FPDFText_GetUnicode(text, index))
        if not letter.strip() or pdfium.FPDFText_IsGenerated(text, index) == 1:
            continue
        pdfium.FPDFText_GetCharBox(text, index, left, right, bottom, top)
        pdfium.FPDFText_GetCharOrigin(text, index, x, y)
        pdfium.FPDFText_GetFontInfo(text, index, name, 128, flags)
        if (font := fonts.get(name.value)) is None:
            font = fonts[name.value] = name.value.decode().split("+")[-1]
        page.chars.append(Char(
            letter, left.value, height - top.value, right.value,
            height - bottom.value, height - y.value,
            pdfium.FPDFText_GetFontSize(text, index), font,
            abs(pdfium.FPDFText_GetCharAngle(text, index)) < 0.01,
        ))
    for thing in sheet.get_objects(max_depth=1):
        if thing.type == pdfium.FPDF_PAGEOBJ_TEXT:
            continue
        x0, low, x1, high = thing.get_bounds()
        box = Box(x0, height - high, x1, height - low)
        if thing.type in (pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_IMAGE):
            page.pictures.append(box)
        elif filled(thing) == code_color:
            page.code.append(box)
    return page


def filled(path) -> str | None:
    """The color that a path is filled with, as in palette.json."""
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(path, mode, stroked) or not mode.value:
        return None
    parts = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(path, *parts)
    return "#" + "".join(f"{part.value:02x}" for part in parts[:3])
