"""The style sheets that all pages link."""

import json
from pathlib import Path

from press.weave import svg
from press.weave.html import strict

CSS = Path(__file__).parent / "css"
# In this order: what stands below overrides what is as particular above.
PARTS = (
    "base",        # letters, links, buttons
    "frame",       # the bar, the contents, the page, the title
    "text",        # headings, prose, formulas, notes beside it
    "cells",       # code, output, annotations, marks
    "figures",     # figures, tables, simulations
    "exercises",   # claims, callouts, quizzes, exercises
    "ending",      # works cited, links to the neighbors, the foot
    "reading",     # what reading.js adds, the glossary, the search
    "screens",     # dark, narrow and wide screens, paper
)


def book_css() -> str:
    """The parts as one sheet, so that a page asks for one."""
    return "\n".join(
        (CSS / f"{name}.css").read_text(encoding="utf-8") for name in PARTS
    )


def palette_css() -> str:
    """The roles of palette.json as custom properties for both themes."""
    palette = json.loads(svg.PALETTE.read_text(encoding="utf-8"))

    def declared(theme: str) -> str:
        return "".join(
            f"--{role}:{color};" for role, color in palette[theme].items()
        )

    light = f"color-scheme:light;{declared('light')}"
    dark = f"color-scheme:dark;{declared('dark')}"
    roles = "".join(
        f".{role}{{color:var(--{role})}}" for role in palette["light"]
        if role not in svg.GROUNDS
    )
    return (
        f":root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f':root[data-theme="light"]{{{light}}}\n'
        f'@media screen{{:root[data-theme="dark"]{{{dark}}}}}\n'
        f"{roles}\n"
    )


def write_sheets(folder: Path) -> None:
    """Write both sheets to `folder`."""
    for name, text in (
        ("book.css", book_css()),
        ("palette.css", palette_css() + strict.stylesheet()),
    ):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
