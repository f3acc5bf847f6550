"""What pandoc reads in a chapter has its line, or is refused with one."""


import pytest

from built import BOOK
from press.check import proof
from press.errors import BookErrors
from press.read.document import (
    Anchor,
    Definition,
    Div,
    Heading,
    Image,
    Link,
    Prose,
    Quiz,
    Reference,
    Shown,
    Span,
    Value,
)
from press.read.labels import label_of, sections
from tiny import cell

TEXT = """# One {#sec-one}

<!-- ## Not a heading -->

A word, `code`, and
`{python} 1 + 1`; see @sec-two, [there](../index.qmd), @sec-two.

::: {#exr-a .hard key="v"}
## A title

[a term
over lines]{.term entry="x"} and $$y$$ {#eq-y}
:::

{cell}
1. A note.

> ::: {.quiz}
> **Which?**
>
> - [x] This. [So.]{.why}
> - [ ] That.
> :::

## Two {#sec-two}

| a |
|---|
| @eq-y |

: A table of @sec-one {#tbl-t}

![A picture](x.png){#fig-x}

[ulp]{#term-ulp .entry also="gap"} A *gap*. @sec-one.
""".replace("{cell}", cell(
    "1  # <1>", label="fig-c", **{"fig-cap": "As @exr-a"}))
FOUND = [   # what stands in it, and on which line
    (Heading, 1, "sec-one"), (Value, 6, "1 + 1"), (Reference, 6, "sec-two"),
    (Link, 6, "../index.qmd"), (Reference, 6, "sec-two"),
    (Div, 8, "exr-a"), (Heading, 9, ""), (Span, 11, "a term over lines"),
    (Anchor, 12, "eq-y"), (Shown, 15, "fig-c"), (Reference, 17, "exr-a"),
    (Div, 23, ""), (Quiz, 23, ((True, True), (False, False))),
    (Span, 26, "So."), (Heading, 30, "sec-two"), (Anchor, 36, "tbl-t"),
    (Reference, 36, "sec-one"), (Reference, 34, "eq-y"),
    (Anchor, 38, "fig-x"), (Image, 38, "x.png"),
    (Definition, 40, "term-ulp"), (Span, 40, "ulp"),
    (Reference, 40, "sec-one"),
]


def said(part):
    match part:
        case Value(source=words) | Reference(key=words) | Image(target=words):
            return words
        case Link(target=words) | Span(words=words) | Quiz(options=words):
            return words
        case Shown(cell=shown):
            return shown.label
    return part.id


def test_everything_is_found_on_its_line(book_of):
    (_, document) = book_of(TEXT).documents
    kinds = tuple({kind for kind, _, _ in FOUND})
    assert [(type(part), part.line, said(part)) for part in document.parts
            if isinstance(part, kinds)] == FOUND
    (exercise, _) = document.all(Div)
    assert exercise.classes == ("hard",)
    assert exercise.attributes == {"key": "v"}
    assert document.all(Shown)[0].notes == 1
    assert document.all(Definition)[0].text == "A gap."
    (title,) = [h for h in document.all(Heading) if h.within]
    assert title.within == (exercise,)
    assert [s.number for s in sections(document)] == ["1", "1.1"]


# ------------------------------------------- the scanner and pandoc agree


def exact(document):
    """Each thing that names itself stands on the line that is told."""
    lines = document.chapter.text.replace("\r\n", "\n").split("\n")
    seen = 0
    for part in document.parts:
        name, line = label_of(part)
        if isinstance(part, Reference):
            name, line = f"@{part.key}", part.line
        elif isinstance(part, Link | Image):
            name, line = part.target, part.line
        elif isinstance(part, Span) and part.classes:
            name, line = f".{part.classes[0]}", part.line
        elif isinstance(part, Value):
            name, line = part.source, part.line
        elif isinstance(part, Prose):
            continue
        if not name:
            continue
        seen += 1
        here = " ".join(lines[line - 1:line + 4])   # it may take several
        if isinstance(part, Span | Link | Value | Image | Reference):
            assert "".join(name.split()) in "".join(here.split()), part
        else:
            assert name in lines[line - 1], part
    return seen


@pytest.mark.parametrize("document", BOOK.documents,
                         ids=lambda document: document.chapter.name)
def test_pandoc_and_the_scanner_agree_on_every_chapter(document):
    scan = document.chapter.scan
    headings = [(h.line, h.level) for h in document.all(Heading)]
    assert headings == [
        (s.line, s.level) for s in scan.stamps if s.kind == "heading"]
    assert [d.line for d in document.all(Div)] == [
        s.line for s in scan.stamps if s.kind == "div"]
    assert tuple(s.cell for s in document.all(Shown)) == (
        document.chapter.cells)
    exact(document)


def test_every_expression_that_runs_is_seen_by_pandoc():
    count = 0
    for document in BOOK.documents:
        ran = [inline for piece in document.chapter.pieces
               if hasattr(piece, "inlines") for inline in piece.inlines()]
        assert [(v.line, " ".join(v.source.split())) for v in (
            document.all(Value))] == [
            (i.line, " ".join(i.source.split())) for i in ran]
        count += len(ran)
    assert count > 350
    assert sum(map(exact, BOOK.documents)) > 2000




@pytest.mark.parametrize("text, place, says", [
    ("# A\n\n<div>\n\nx\n\n</div>\n", 3, "a div that is not written as one"),
    ("# A\n\n- x\n\n  ## In a list\n", 5, "a heading that is not written"),
    ("# A\n\nx\n::: {.a}\ny\n:::\n", 4, "pandoc sees no div here"),
    ("# A\n\n1. a\n\n        ```{python}\n        1\n        ```\n", 5,
     "pandoc sees no cell here"),
    ("# A\n\n<!--\n```{python}\n1\n```\n-->\n", 4,
     "it stands in the comment of line 3"),
    ("# A\n\n<!--\n`{python} 1`\n-->\n\n" + cell("1"), 4,
     "stands in a comment"),
    ("# A\n\n<!-- open\n", 3, "this comment is never closed"),
    ("# A\n\n::: {#sec-x}\n\nx\n\n:::\n", 3, "'sec-x' is a section's label"),
    ("# A\n\n" + cell("1", label="sec-x"), 4, "'sec-x' is a section's label"),
    ("# A {#fig-a}\n", 1, "'fig-a' is no section's label"),
    ("# A\n\n" + cell("1  # <0>") + "\n1. x\n", 4, "marks go from # <1>"),
    ("# A\n\n" + cell("1  # <1>\n2  # <11>") + "\n" + "".join(
        f"{n}. x\n" for n in range(1, 12)), 5, "and this is # <11>"),
])
def test_what_is_read_in_two_ways_is_refused_with_its_line(
    book_of, text, place, says
):
    with pytest.raises(BookErrors) as raised:
        proof.check_sources(book_of(text))
    told = [(error.path, error.line) for error in raised.value.errors
            if says in error.message]
    assert ("book/01-one.qmd", place) in told, raised.value


def test_what_stands_in_a_comment_is_no_part_of_the_book(book_of):
    book = book_of(
        "# One {#sec-one}\n\n<!--\n## Hidden {#sec-hidden}\n\n@sec-no\n\n"
        "::: {.quiz}\n-->\n\n## Shown {#sec-shown}\n\n`<!--` @sec-shown\n")
    proof.check_sources(book)
    assert [(x.id, x.number, x.line) for x in book.labels] == [
        ("sec-one", "1", 1), ("sec-shown", "1.1", 11)]


def test_a_heading_in_a_quiz_keeps_its_place(book_of):
    (_, document) = book_of(
        "# One\n\n::: {.quiz}\n## *Which*?\n\n- [x] a [b]{.why}\n:::\n\n"
        "## After\n").documents
    kinds = [(type(part), said(part)) for part in document.parts
             if isinstance(part, Heading | Quiz)]
    assert kinds == [
        (Heading, ""), (Quiz, ((True, True),)), (Heading, ""), (Heading, "")]
    assert [h.title for h in document.all(Heading)] == [
        "One", "Which?", "After"]
