"""What was made is kept as long as all that it depends on is the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from press import cache
from press.read import pandoc
from press.read.book import read_book
from press.run import inputs, run
from press.weave import weave
from press.weave.epub import epub
from press.weave.html import pages
from press.weave.notebook import takeaways
from press.weave.typst import pdf
from tiny import REPO, cell, write_book

TEXTS = st.dictionaries(st.text(), st.text() | st.binary(), max_size=4)


@given(TEXTS, TEXTS)
def test_other_inputs_have_another_digest(one, other):
    same = {k: v.encode() if isinstance(v, str) else v
            for k, v in one.items()} == {
        k: v.encode() if isinstance(v, str) else v for k, v in other.items()}
    assert (cache.digest_of(one) == cache.digest_of(other)) == same
    assert cache.digest_of(dict(reversed(one.items()))) == \
        cache.digest_of(one)


def counted(bodies):
    """A maker of these bodies in turn, and how often it was asked."""
    calls = []

    def make():
        calls.append(1)
        return bodies[len(calls) - 1]
    return make, calls


def test_what_is_the_same_is_made_once(tmp_path):
    make, calls = counted([b"one\n\x00", b"two"])
    for _ in range(2):
        assert cache.remembered(tmp_path, "a/b", {"x": "1"}, make) == \
            b"one\n\x00"
    assert cache.remembered(tmp_path, "a/b", {"x": "2"}, make) == b"two"
    assert len(calls) == 2 and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [
    lambda body: b"", lambda body: body[:-1], lambda body: body + b"x",
    lambda body: b"{}\n" + body.partition(b"\n")[2], lambda body: b"\xff",
    lambda body: b"[]\n", lambda body: body.replace(b"key", b"kez"),
])
def test_a_damaged_entry_is_made_again(tmp_path, damage):
    make, calls = counted([b"one", b"one"])
    cache.remembered(tmp_path, "a", {}, make)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    assert cache.remembered(tmp_path, "a", {}, make) == b"one"
    assert len(calls) == 2


def test_a_name_that_begins_like_another_loses_nothing(tmp_path):
    for name in ("a", "a-b", "a"):
        cache.keep(tmp_path, name, {"of": name}, cache.Made(b"x"))
    cache.keep(tmp_path, "a", {"of": "other"}, cache.Made(b"y"))
    assert cache.recall(tmp_path, "a-b", {"of": "a-b"}) == b"x"
    assert cache.recall(tmp_path, "a", {"of": "a"}) is None


def test_what_making_it_found_is_looked_at_again(tmp_path):
    world = {"data": "1"}
    made = cache.Made(b"x", dict(world))
    cache.keep(tmp_path, "a", {}, made)
    assert cache.recall(tmp_path, "a", {}, world.get) == b"x"
    world["data"] = "2"
    assert cache.recall(tmp_path, "a", {}, world.get) is None
    world["data"] = "1"
    assert cache.recall(tmp_path, "a", {}, world.get) == b"x"


# ------------------------------------------------------- what a key holds


@pytest.fixture
def made(tmp_path, monkeypatch, quick_kernels):
    """Makes all forms of a tiny book: what was asked of pandoc and Typst."""
    root = write_book(
        tmp_path, {"01-one": "# One\n\nWords.\n\n" + cell("print(1)"),
                   "data": "# Data\n\nA name that an input has too.\n"})
    calls = []
    for module in (pages, epub, takeaways, pdf):
        monkeypatch.setattr(
            module, "pandoc", lambda name, *a, _of=module, _real=pandoc.pandoc,
            **k: calls.append(_of.__name__.split(".")[2]) or _real(
                name, *a, **k))
    monkeypatch.setattr(pdf, "typeset", lambda *_: calls.append("pdf") or b"")

    def make():
        calls.clear()
        book = read_book(root)
        results = run.run_all(book)
        woven = weave.weave_book(book, results)
        site = root / "site"
        folder = root / ".cache"
        pages.set_pages(woven, site, folder / "html")
        epub.set_epub(woven, site / "b.epub", folder / "epub")
        takeaways.set_takeaways(woven, site, folder / "books")
        pdf.set_pdf(woven, site / "b.pdf", folder / "pdf",
                    imprint={})
        return [r.fresh for r in results][1], set(calls)
    return root, make


SET = {"html", "epub", "notebook", "typst", "pdf"}


def another_title(root, patch):
    config = root / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("Tiny", "Small"), encoding="utf-8")


def another_pandoc(root, patch):
    patch.setattr(weave, "program_version", lambda: "99")


def another_template(root, patch):
    real = cache.content
    patch.setattr(cache, "content", lambda file: (
        "other" if file.name == "page.html" else real(file)))


def another_filter(root, patch):
    real = cache.content
    patch.setattr(cache, "content", lambda file: (
        "other" if file.name == "book.lua" else real(file)))


def another_label(root, patch):
    real = weave.WovenBook.told
    patch.setattr(
        weave.WovenBook, "told", lambda *a, **k: real(*a, **k) + " ")


def another_jupyter(root, patch):
    real = inputs.installed
    patch.setattr(inputs, "installed", lambda name: (
        "99" if name == "nbclient" else real(name)))


@pytest.mark.parametrize("change, again, stale", [
    (lambda root, patch: None, False, set()),
    (another_title, False, SET),
    (another_pandoc, False, SET - {"pdf"}),
    (another_template, False, {"html"}),
    (another_filter, False, SET - {"pdf"}),
    (another_label, False, SET - {"pdf"}),
    (another_jupyter, True, set()),
])
def test_all_that_is_stale_is_made_again_and_nothing_else(
    made, monkeypatch, change, again, stale
):
    root, make = made
    assert make() == (True, SET)
    change(root, monkeypatch)
    assert make() == (again, stale)


def test_a_stage_depends_on_the_modules_that_it_imports():
    told = {}

    def recorded(names):
        told.update(names)
        return ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "digest_of", recorded)
        cache.own_files("press.run.kernel",
                        but=("press/read", "press/tangle"))
    assert {"press/run/kernel.py", "press/run/locate.py",
            "press/run/steps.py", "press/run/__init__.py"} <= set(told)
    assert not any(name.startswith(("press/read", "press/weave"))
                   for name in told)
    assert json.dumps(told) and all(
        (REPO / name).is_file() for name in told)
