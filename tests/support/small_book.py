"""A small book with one of everything, and its pages as trees."""

import re
from html.parser import HTMLParser

from tiny import cell

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    '<defs><path id="p" d="M0 0"/></defs><use href="#p"/></svg>'
)


def figure(label, caption):
    return cell(
        f"from IPython.display import SVG\nSVG('{SVG}')", label=label,
        fig_cap=caption, fig_alt=f"Seen is {caption}", echo="false",
    )


INDEX = """# Start {.unnumbered}

See @fig-second in @sec-two, and [the second](book/02-two.qmd#sec-two).
"""

ONE = """# One {#sec-one}

## Early {.unnumbered}

## Deep {#sec-deep}

### Deeper {#sec-deeper}

""" + figure("fig-first", "First picture") + """

::: {.sim data-sim="swing" data-shows="It “swings” & stops."}
""" + figure("fig-second", "Second picture") + """:::

""" + cell(
    "def one(x):  # <1>\n    return x + 1  # <2>\n",
    filename="scratch/one.py",
) + """
1. It is defined.
2. It adds.

Escaped: `{python} '<b>*_"$x$"_*</b> & &amp; -- ... @fig-no'`.

Numbers: 6e-04, (3e-01), `{python} f"{-0.02:.0e}"`, 0e+00, 0.0e+00, 9e+00;
2.50e+01, 1.2e+04, 1e+05, 1.0e-2, -1e-3 and `7e-01`.

""" + cell(
    "from IPython.display import Markdown\nMarkdown('|a|b|\\n|-|-|\\n|1|2|')",
    label="tbl-first", tbl_cap="First table", reproduce="exact",
) + """
|c|d|
|-|-|
|3|4|

: Second table {#tbl-second}

$$a = b$$ {#eq-first}

As before
$$c = d$$ {#eq-second}
and after.

::: {#exr-first}
## Do it

Please count.
:::

::: {.solution}
Counted so.
:::

::: {#exr-second}
Untitled task.
:::

::: {.solution}
Untitled answer.
:::

::: {.callout-warning title="Mind the gap"}
A warning.
:::

::: {.callout-note}
## Its own title
A note.
:::

::: {.callout-note collapse="true" title="To the last bit"}
Folded *words*.
:::

[An aside.]{.aside}

::: {.column-margin}
In the margin.
:::

::: {.content-visible when-format="html"}
Only on screen.
:::

::: {.content-visible when-format="typst"}
Only on paper.
:::

::: {.content-hidden when-format="typst"}
Not on paper.
:::
"""

TWO = """# Two {#sec-two}

All: @sec-one, @sec-deep, @sec-deeper, @fig-first, @fig-second, @tbl-first,
@tbl-second, @eq-first, @eq-second, @exr-first, @exr-second, @sec-two,
@sec-more.
Only the number: -@fig-second.

""" + "\n".join([
    cell("print('to ``` out')\nimport sys\nprint('to err', file=sys.stderr)",
         reproduce="close", tolerance="1e-5"),
    cell("print('out 2'); print('err 2', file=sys.stderr)",
         reproduce="machine", warning="false"),
    cell("raise ValueError('a <b> error')", error="true", reproduce="exact"),
    cell("hidden_code = 1; print('shown result')", echo="false",
         reproduce="exact"),
    cell("shown_code = 2; print('hidden result')", output="false"),
    cell("silent_code = 3; print('silent result')", include="false"),
    cell("not_run = 4; print('never printed')", eval="false"),
]) + """
- an item

  ```{python}
  #| reproduce: exact
  text = "{{python}}"
  text
  ```

````
```{{python}}
shown = 1
```
````

::: {.quiz}
**Which one?**

- [ ] The wrong one. [It is wrong.]{.why}
- [x] The right one. [It is right.]{.why}
:::

::: {.quiz}
**And here?**

- [x] Surely this. [By choice.]{.why}
- [ ] Not this. [By chance.]{.why}
:::

## More {#sec-more}

He says so [@he2015].
"""

DATA = "# Data {#sec-data}\n\n## Where {#sec-where}\n\n" + figure(
    "fig-data", "Data picture"
)
ANSWERS = """# Answers

## Quizzes {.unnumbered}

::: {.answers}
:::

## Exercises {.unnumbered}

::: {.solutions}
:::
"""
BIBLIOGRAPHY = """@article{he2015,
  author = {He, Kaiming and Zhang, Xiangyu},
  title = {Delving deep}, year = {2015}, journal = {ICCV}
}
"""


# ------------------------------------------------------------ reading HTML

# How a reference to each thing of it reads.
NUMBERS = {
    "sec-one": "Chapter 1", "sec-deep": "Section 1.1",
    "sec-deeper": "Section 1.1.1", "fig-first": "Figure 1.1",
    "fig-second": "Figure 1.2", "tbl-first": "Table 1.1",
    "tbl-second": "Table 1.2", "eq-first": "Equation 1.1",
    "eq-second": "Equation 1.2", "exr-first": "Exercise 1.1",
    "exr-second": "Exercise 1.2", "sec-two": "Chapter 2",
    "sec-more": "Section 2.1", "sec-data": "Appendix A",
    "sec-where": "Section A.1", "fig-data": "Figure A.1",
}
VOID = {"meta", "link", "input", "br", "img", "hr", "path", "use", "col"}


class Tree(HTMLParser):
    """The elements of a page: (tag, attributes, children)."""

    def __init__(self, text):
        super().__init__()
        self.root = ("root", {}, [])
        self.open = [self.root]
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        node = (tag, dict(attrs), [])
        self.open[-1][2].append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1][2].append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        while tag not in VOID and len(self.open) > 1:
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data):
        self.open[-1][2].append(data)


def walk(node):
    if not isinstance(node, str):
        yield node
        for child in node[2]:
            yield from walk(child)


def texts(node):
    if isinstance(node, str):
        return node
    return "".join(map(texts, node[2]))


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def said(node):
    return plain(texts(node))


def by_id(tree, name):
    (found,) = [n for n in walk(tree.root) if n[1].get("id") == name]
    return found


def main(tree):
    (found,) = [n for n in walk(tree.root) if n[0] == "main"]
    return found
