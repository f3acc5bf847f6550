"""Everything that bears a number bears the one Quarto gives it."""

from press.read.labels import sections as numbered
from tiny import cell


def numbers(book):
    return {label.id: label.number for label in book.labels}


def sections(book, index=1):
    return [(h.title, h.number) for h in numbered(book.documents[index])]


def test_sections_are_numbered_within_their_chapter(book_of):
    book = book_of({"01-one": """
# One
## A
### B
### C
## D {#sec-d}
### E
#### F
"""})
    assert sections(book) == [
        ("One", "1"), ("A", "1.1"), ("B", "1.1.1"), ("C", "1.1.2"),
        ("D", "1.2"), ("E", "1.2.1"), ("F", "1.2.1.1"),
    ]


def test_unnumbered_sections_are_not_counted(book_of):
    book = book_of("# One\n\n## A {.unnumbered}\n\n## B\n\n## C {-}\n\n## D\n")
    assert sections(book) == [
        ("One", "1"), ("A", ""), ("B", "1.1"), ("C", ""), ("D", "1.2"),
    ]


def test_an_unnumbered_chapter_numbers_none_of_its_sections(book_of):
    book = book_of({"index": "# Start {.unnumbered}\n\n## A\n"})
    assert sections(book, 0) == [("Start", ""), ("A", "")]


def test_titles_of_exercises_and_callouts_are_no_sections(book_of):
    book = book_of("""# One

::: {#exr-one}
## An exercise
:::

::: {.solution}
## A solution
:::

::: {.callout-note}
## A note
:::

::: {.column-margin}
## A section
:::
""")
    assert sections(book) == [("One", "1"), ("A section", "1.1")]


def test_each_kind_is_counted_by_itself_and_anew_in_each_chapter(book_of):
    book = book_of({
        "01-one": "# One {#sec-one}\n\n" + "\n".join([
            cell("1", label="fig-a"), cell("1", label="tbl-a"),
            cell("1", label="fig-b"), "$$x$$ {#eq-a}\n",
            "::: {#exr-a}\n:::\n", "## S {#sec-s}\n", "$$y$$ {#eq-b}\n",
        ]),
        "02-two": "# Two {#sec-two}\n\n" + cell("1", label="fig-c"),
    })
    assert numbers(book) == {
        "sec-one": "1", "fig-a": "1.1", "tbl-a": "1.1", "fig-b": "1.2",
        "eq-a": "1.1", "exr-a": "1.1", "sec-s": "1.1", "eq-b": "1.2",
        "sec-two": "2", "fig-c": "2.1",
    }


def test_numbers_follow_the_order_of_the_page_whatever_makes_them(book_of):
    (one, two, three) = book_of(
        "# One\n\n![A](a.png){#fig-image}\n\n"
        + cell("1", label="fig-cell")
        + "\n::: {#fig-div}\nx\n\nA caption\n:::\n"
    ).labels
    assert [(one.id, one.number, one.line), (two.id, two.number, two.line),
            (three.id, three.number, three.line)] == [
        ("fig-image", "1.1", 3), ("fig-cell", "1.2", 6),
        ("fig-div", "1.3", 10),
    ]


def test_references_name_the_kind_and_the_number(book_of):
    book = book_of(
        {"index": "# Start {.unnumbered}\n\n" + cell("1", label="fig-start"),
         "01-one": "# One {#sec-one}\n\n## A {#sec-a}\n\n$$x$$ {#eq-x}\n"},
        appendices={"data": "# Data {#sec-data}\n\n## B {#sec-b}\n\n"
                            + cell("1", label="tbl-x")},
    )
    assert {x.id: x.reference.replace("\xa0", " ") for x in book.labels} == {
        "fig-start": "Figure 1", "sec-one": "Chapter 1",
        "sec-a": "Section 1.1", "eq-x": "Equation 1.1",
        "sec-data": "Appendix A", "sec-b": "Section A.1",
        "tbl-x": "Table A.1",
    }


def test_the_opening_and_its_sections_are_named_chapter_0(book_of):
    book = book_of({
        "index": "# Start {#sec-start .unnumbered}\n\n## A {#sec-a}\n",
        "01-one": "# One\n\n## B {#sec-b .unnumbered}\n",
    }, appendices={"data": "# Data\n\n## C {#sec-c .unnumbered}\n"})
    assert [(x.id, x.number, x.named) for x in book.labels] == [
        ("sec-start", "", ("Chapter", "0")), ("sec-a", "", ("Chapter", "0")),
        ("sec-b", "", ("Chapter", "1")), ("sec-c", "", ("Appendix", "A")),
    ]


def test_labels_know_their_page_and_an_exercise_its_title(book_of):
    (label,) = book_of(
        "# One\n\n::: {#exr-a .hard}\n\n## Why? {.unnumbered}\n\nx\n:::\n"
    ).labels
    assert (label.page, label.line) == ("book/01-one.html", 3)
    assert label.title == "Why?"


def test_images_and_captions_may_run_over_lines(book_of):
    assert numbers(book_of("""# One

![Shapes are [64, 128],
as said](a.png){#fig-a
width=50%}

|a|b|
|-|-|

: A caption that is
  long {#tbl-a}
""")) == {"fig-a": "1.1", "tbl-a": "1.1"}


def test_what_is_shown_as_code_is_no_label(book_of):
    assert numbers(book_of("""# One

`$$x$$ {#eq-a}` and `![x](a.png){#fig-a
}`

```
$$x$$ {#eq-b}
::: {#exr-b}
# No {#sec-b}
```
""" + cell("# $$x$$ {#eq-c}"))) == {}


def test_cells_with_other_labels_are_not_counted(book_of):
    assert numbers(book_of("# One\n\n" + cell("1", label="loss"))) == {}


def test_a_duplicate_is_there_twice_for_the_proof_to_find(book_of):
    found = book_of("# One\n\n$$x$$ {#eq-a}\n\n$$y$$ {#eq-a}\n").labels
    assert [label.line for label in found] == [3, 5]
