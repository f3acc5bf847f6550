"""The picture of CONTRIBUTING: the stages of the press, and what flows.

`python -m figures.stages` writes `figures/stages.svg`. Its colors turn with
the reader's theme; its paper is its own, so that it reads on any page.
"""

import json
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / "stages.svg"
SIZE = (924, 388)
BOX = (164, 78)

# What flows: the upper left corner of its box, its name, what it is, a role.
BOXES = {
    "chapters": (16, 155, "the chapters", "index.qmd, book/*.qmd", "ink"),
    "document": (256, 155, "documents",
                 "cells, prose, labels,\neach with file and line", "ink"),
    "program": (506, 16, "the program", "code/scratch/*.py", "ours"),
    "outputs": (506, 155, "outputs", "text, figures, values", "forward"),
    "verdict": (506, 294, "a verdict",
                "faults with file and line,\nnumbers that differ", "weights"),
    "book": (744, 155, "the book", "_book/: pages, PDF,\nEPUB, notebooks",
             "forward"),
}
# A stage is a step from one thing to the next.
STAGES = {
    "read": ("chapters", "document"),
    "tangle": ("document", "program"),
    "run": ("document", "outputs"),
    "weave": ("outputs", "book"),
    "check": ("document", "verdict"),
}
# What a stage looks at besides, from above to below.
BESIDES = {
    ("program", "outputs"): "imported by the run",
    ("outputs", "verdict"): "compared with\nbook/recorded/",
}


def drawn() -> str:
    """The picture as SVG."""
    width, height = SIZE
    body = [
        *(box(*values) for values in BOXES.values()),
        *(step(name, *ends) for name, ends in STAGES.items()),
        *(look(*ends, words) for ends, words in BESIDES.items()),
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>\n{style()}</style>",
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="8" markerHeight="8" orient="auto"><path '
        'class="tip" d="M0 0L8 4L0 8z"/></marker>',
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *body, "</svg>\n",
    ])


def style() -> str:
    """The sheet of the picture, with a color for each role and theme."""
    palette = json.loads((HERE / "palette.json").read_text(encoding="utf-8"))

    def colors(theme: str) -> str:
        return "".join(
            f"--{role}: {palette[theme][role]}; " for role in
            ("paper", "ink", "muted", "forward", "weights", "ours")
        ).strip()

    return (
        f"svg {{ {colors('light')} }}\n"
        "@media screen and (prefers-color-scheme: dark) "
        f"{{ svg {{ {colors('dark')} }} }}\n"
        "text { font: 15px system-ui, sans-serif; text-anchor: middle; "
        "fill: var(--ink) }\n"
        ".detail { font-size: 12px; fill: var(--muted) }\n"
        ".side { text-anchor: start }\n"
        ".stage { font-weight: 600; font-style: italic }\n"
        ".paper { fill: var(--paper) }\n"
        ".tip { fill: var(--ink) }\n"
        ".box, .way { fill: none; stroke: var(--ink); stroke-width: 1.2 }\n"
        ".besides { stroke: var(--muted); stroke-dasharray: 4 3 }\n"
        + "".join(
            f".box.{role} {{ stroke: var(--{role}) }} "
            f"text.{role} {{ fill: var(--{role}) }}\n"
            for role in ("forward", "weights", "ours")
        )
    )


def box(x: int, y: int, name: str, detail: str, role: str) -> str:
    """A thing: its name, and below it what it is."""
    width, height = BOX
    lines = detail.split("\n")
    top = y + height / 2 - 9 * len(lines) + 5
    return "\n".join([
        f'<rect class="box {role}" x="{x}" y="{y}" width="{width}" '
        f'height="{height}" rx="5"/>',
        written(x + width / 2, top, name, role),
        *(written(x + width / 2, top + 20 + 16 * number, line, "detail")
          for number, line in enumerate(lines)),
    ])


def step(stage: str, start: str, end: str) -> str:
    """A stage: an arrow to the right, its name above its end."""
    width, height = BOX
    x, y = BOXES[start][0] + width, BOXES[start][1] + height / 2
    to_x, to_y = BOXES[end][0], BOXES[end][1] + height / 2
    bend = x + 22
    way = f"M{x} {y:g}H{to_x - 1}"
    if y != to_y:
        way = f"M{x} {y:g}H{bend}V{to_y:g}H{to_x - 1}"
    first = x if y == to_y and stage != "run" else bend
    return (
        f'<path class="way" d="{way}" marker-end="url(#tip)"/>\n'
        + written((first + to_x) / 2, to_y - 9, stage, "stage")
    )


def look(start: str, end: str, words: str) -> str:
    """A thing that a stage looks at besides: a dashed arrow down."""
    width, height = BOX
    x, y = BOXES[start][0] + width / 2, BOXES[start][1] + height
    to_y = BOXES[end][1]
    lines = words.split("\n")
    top = (y + to_y) / 2 + 4 - 8 * (len(lines) - 1)
    return "\n".join([
        f'<path class="way besides" d="M{x:g} {y}V{to_y - 1}" '
        'marker-end="url(#tip)"/>',
        *(written(x + 10, top + 16 * number, line, "detail side")
          for number, line in enumerate(lines)),
    ])


def written(x: float, y: float, words: str, role: str) -> str:
    """A line of text."""
    return f'<text class="{role}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8", newline="\n")
