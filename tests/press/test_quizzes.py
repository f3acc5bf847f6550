"""What a reader answered stays with its quiz, wherever that goes."""

import json
import re
import zipfile

import pytest

from press.read.quizzes import quiz_keys
from press.run import run
from press.weave import weave
from press.weave.epub import epub
from press.weave.html import pages
from press.weave.notebook import takeaways
from press.weave.typst import pdf
from tiny import cell

FIRST = """::: {.quiz}
**What is *one*?**

- [ ] A word. [No [it is] not.]{.why}
- [x] A number,
  and small. [So it is.]{.why}
- [ ] `1.0` [Nearly.]{.why}
:::
"""
SECOND = """::: {.quiz}
**What does @fig-b show of `{python} n` things?**

- [x] All. [Yes.]{.why}
- [ ] None. [No.]{.why}
:::
"""
THIRD = """::: {.quiz}
**What does this print?**

```python
print(3)
- [ ] no option
```

- [x] 3 [Yes.]{.why}
- [ ] 4 [No.]{.why}
:::
"""
CODE = cell("n = 2")


def keyed(book_of, *pieces):
    """The quizzes of a chapter of these pieces: options by their quiz."""
    text = "# One\n\n" + "\n".join([CODE, *pieces])
    found = quiz_keys(book_of(text).documents[1])
    assert len({quiz.key for quiz in found}) == len(found)
    return {quiz.key: quiz.options for quiz in found}


@pytest.fixture
def keys(book_of):
    return keyed(book_of, FIRST, SECOND, THIRD)


def test_each_quiz_and_each_option_has_a_key(keys):
    assert [len(options) for options in keys.values()] == [3, 2, 2]
    for names in [list(keys), *keys.values()]:
        assert len(set(names)) == len(names)
        assert all(re.fullmatch("[0-9a-f]{10}", name) for name in names)


def test_keys_do_not_move_where_quizzes_come_go_or_change_places(
    book_of, keys
):
    new = FIRST.replace("one", "two")
    assert keyed(book_of, new, "Words.\n", THIRD, FIRST, SECOND).items() > (
        keys.items())
    assert keyed(book_of, THIRD, FIRST).items() < keys.items()


def test_keys_do_not_move_where_options_come_go_or_change_places(
    book_of, keys
):
    key, (word, number, float_) = next(iter(keys.items()))
    option = "- [ ] A word. [No [it is] not.]{.why}\n"
    moved = FIRST.replace(option, "").replace(
        "Nearly.]{.why}\n", "Nearly.]{.why}\n" + option)
    assert keyed(book_of, moved) == {key: (number, float_, word)}
    assert keyed(book_of, FIRST.replace(option, "")) == {key: (number, float_)}
    more = keyed(book_of, FIRST.replace(
        option, option + "- [ ] A new one. [No.]{.why}\n"))[key]
    assert (more[0], *more[2:]) == (word, number, float_)


@pytest.mark.parametrize("old, new", [
    ("[So it is.]", "[For another reason.]"), ("[x]", "[X]"), ("- [", "* ["),
    ("A number,\n  and small.", "A number, and small."),
    ("**What is *one*?**", "What is\n*one*?"), ("::: {.quiz}", "::: quiz"),
    ("{.quiz}", "{#here .quiz .x}"), ("\n", "\r\n"),
    ("- [ ] A word.", "- [x] A word."),
])
def test_keys_do_not_move_where_the_words_stay(book_of, keys, old, new):
    assert old in FIRST
    found = keyed(book_of, FIRST.replace(old, new))
    assert found == dict(list(keys.items())[:1])


def test_other_words_are_another_quiz(book_of, keys):
    assert not keys.keys() & keyed(
        book_of, FIRST.replace("one", "two"), THIRD.replace("(3)", "(4)"))
    (options,) = keyed(book_of, FIRST.replace("`1.0`", "`2.0`")).values()
    first = next(iter(keys.values()))
    assert options[:2] == first[:2] and options[2] != first[2]


def test_the_same_words_twice_have_two_keys(book_of, keys):
    key = next(iter(keys))
    assert list(keyed(book_of, FIRST, FIRST)) == [key, f"{key}-2"]
    (options,) = keyed(book_of, FIRST.replace("`1.0`", "A word.")).values()
    assert options[2] == f"{options[0]}-2"


# ---------------------------------------------------------------- the page

FIELD = re.compile(
    r'<fieldset class="quiz" id="quiz-([^"]*)">(.*?)</fieldset>', re.DOTALL)
INPUT = re.compile(r'<input type="radio" name="quiz-([^"]*)" value="([^"]*)">')


def shown(book):
    """The keys on the page of the last chapter."""
    results = run.run_all(book)
    whole = weave.weave_book(book, results)
    text = pages.page(whole, whole.chapters[-1], book.root)
    found = {}
    for key, body in FIELD.findall(text):
        names, options = zip(*INPUT.findall(body), strict=True)
        assert set(names) == {key}
        found[key] = options
    return found


FIGURE = cell("from IPython.display import SVG\nSVG('<svg xmlns=\""
              "http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>')",
              label="fig-a", fig_cap="A", fig_alt="A")


@pytest.mark.usefixtures("quick_kernels")
def test_a_page_bears_the_keys_whatever_numbers_it_prints(book_of, keys):
    parts = [CODE, FIGURE.replace("-a", "-b"), FIRST, SECOND, THIRD]
    assert shown(book_of("# One\n\n" + "\n".join(parts))) == keys
    other = [FIGURE, *parts]
    other[1] = CODE.replace("2", "7")
    text = "# One\n\n" + "\n".join(other)
    assert shown(book_of({"00-new": "# New\n", "01-one": text})) == keys


@pytest.mark.usefixtures("quick_kernels")
def test_a_quiz_in_a_quotation_has_keys_too(book_of):
    quoted = "".join(f"> {line}\n" for line in FIRST.splitlines())
    book = book_of(f"# One\n\n{quoted}")
    (keys,) = quiz_keys(book.documents[1])
    assert shown(book) == {keys.key: keys.options}
    assert len({keys.key, *keys.options}) == 4


@pytest.mark.usefixtures("quick_kernels")
def test_no_other_format_shows_the_keys(book_of, keys):
    book = book_of("# One\n\n" + "\n".join([CODE, FIRST, THIRD]))
    results, site = run.run_all(book), book.root / "site"
    woven = weave.weave_book(book, results)
    site.mkdir()
    source = pdf.typst_source(woven, site)
    epub.set_epub(woven, site / "b.epub", site / "c")
    takeaways.set_takeaways(woven, site, site / "n")
    with zipfile.ZipFile(site / "b.epub") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()
                 if name.endswith("xhtml")]
    notebook = (site / "notebooks" / "01-one.ipynb").read_text("utf-8")
    texts += [source, json.dumps(json.loads(notebook)["cells"])]
    for key in (*keys, "options="):
        assert all(key not in text for text in texts)
