"""What makes the pages easy to read, in a real browser."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from built import BOOK, MODULES, PAGES, SITE
from stage import still, until

AXE = Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
        "best-practice"]


def faults(tab, only=None):
    """What axe finds on a page, in short; only by one of its rules."""
    # Not as a <script>, which the pages' own policy would refuse.
    tab.evaluate("() => {" + AXE.read_text(encoding="utf-8") + "\n}")
    found = tab.evaluate(
        "rules => axe.run({exclude: [[\".picture svg > *\"]]}, "
        "{runOnly: rules, preload: false})"
        ".then(r => r.violations)",
        {"type": "rule", "values": [only]} if only else TAGS)
    return [
        (rule["id"], node["target"], node["html"][:120])
        for rule in found for node in rule["nodes"][:3]
    ]


@pytest.mark.parametrize("page", PAGES + MODULES)
def test_axe_finds_nothing(opened, page):
    assert faults(opened(page)) == []


@pytest.mark.parametrize("page", PAGES + MODULES)
def test_axe_finds_every_contrast_on_a_dark_page_strong_enough(opened, page):
    assert faults(opened(page, theme="dark"), "color-contrast") == []


def test_axe_would_find_a_fault(opened):
    tab = opened("index.html")
    tab.evaluate("document.querySelector('main').insertAdjacentHTML("
                 "'beforeend', '<img src=\"data:,\">')")
    assert "image-alt" in {rule for rule, *_ in faults(tab)}


def test_the_open_search_has_no_faults(opened):
    tab = opened("book/03-loss.html")
    tab.keyboard.press("/")
    assert tab.locator("dialog.search").is_visible()
    assert faults(tab) == []


def test_search_says_that_a_page_from_a_file_cannot(opened):
    tab = opened("index.html")
    tab.locator("button.find").click()
    told = tab.locator(".search .told")
    assert "make serve" in told.inner_text()
    assert tab.locator(".search input").is_disabled()
    tab.keyboard.press("Escape")
    assert not tab.locator("dialog.search").is_visible()
    assert tab.complaints == []


def test_search_finds_a_page_of_another_chapter(opened, address):
    tab = opened("index.html")
    tab.goto(f"{address}/index.html")
    tab.keyboard.press("/")
    tab.locator(".search input").fill("momentum")
    first = tab.locator(".search .found a").first
    first.wait_for()
    assert tab.locator(".search mark").count() > 0
    links = tab.locator(".search .found a").evaluate_all(
        "links => links.map(a => a.href)")
    assert any("05-optimizers" in link for link in links)
    tab.locator(".search input").fill("日本")
    tab.get_by_text("Nothing found for").wait_for()
    assert tab.locator(".search .found a").count() == 0
    tab.keyboard.press("Escape")
    assert not tab.locator("dialog.search").is_visible()
    tab.keyboard.press("/")
    tab.locator(".search input").fill("momentum")
    first.wait_for()
    with tab.expect_navigation():
        first.click()
    assert "/book/" in tab.url or "/code/" in tab.url


def test_the_text_size_is_remembered(opened):
    tab = opened("index.html")
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    before = tab.evaluate(size)
    tab.locator("button.size").click()
    larger = tab.evaluate(size)
    assert larger > before * 1.1
    tab.reload()
    assert tab.evaluate(size) == larger


def test_a_chapter_read_to_its_end_is_marked_in_the_contents(opened):
    tab = opened("book/03-loss.html")
    marked = "[...document.querySelectorAll('.chapters a:has(.read)')]" \
        ".map(a => a.getAttribute('href'))"
    assert tab.evaluate(marked) == []
    still(tab)
    tab.keyboard.press("End")
    until(tab, f"{marked}.length")
    assert tab.evaluate(marked) == ["03-loss.html"]
    tab.goto((SITE / "index.html").as_uri())
    until(tab, f"{marked}.length")
    assert tab.evaluate(marked) == ["book/03-loss.html"]


def test_a_page_that_is_gone_back_to_shows_what_was_read_since(opened):
    tab = opened("index.html")
    tab.goto((SITE / "book/03-loss.html").as_uri())
    still(tab)
    tab.keyboard.press("End")
    until(tab, "document.querySelector('.chapters .read')")
    tab.go_back()
    until(tab, "document.querySelector('.chapters .read')")


def test_the_score_of_the_quizzes_counts_first_answers(opened):
    tab = opened("book/03-loss.html")
    quizzes = tab.locator(".quiz")
    score = tab.locator(".score")
    assert not score.is_visible()
    quizzes.nth(0).locator(".right input").check()
    quizzes.nth(1).locator(".wrong input").first.check()
    quizzes.nth(1).locator(".right input").check()
    count = quizzes.count()
    wanted = f"1 of {count} right at the first try, {count - 2} to go."
    assert score.inner_text() == wanted
    tab.reload()
    assert score.inner_text() == wanted
    tab.locator(".again").click()
    assert not score.is_visible()
    tab.reload()
    assert not score.is_visible()


QUIZ = re.compile(r'<fieldset class="quiz".*?</fieldset>', re.DOTALL)
LABEL = re.compile(r'<label class="option.*?</label>', re.DOTALL)
STATE = """() => [document.querySelector(".score").checkVisibility()
    && document.querySelector(".score").textContent,
  ...[...document.querySelectorAll(".quiz :checked")].map((input) =>
    input.closest(".quiz").id + " " + input.value)]"""


@pytest.fixture
def edited(opened):
    """A page with other quizzes, as a later edition would have them."""
    page = "book/03-loss.html"
    text = (SITE / page).read_text(encoding="utf-8")
    quizzes = QUIZ.findall(text)
    tab = opened(page)

    def edit(*others):
        pieces = iter(others)
        body = QUIZ.sub(lambda _: next(pieces, ""), text)
        body = body.replace("</main>", "".join(pieces) + "</main>")
        tab.unroute("**/03-loss.html")
        tab.route("**/03-loss.html", lambda route: route.fulfill(
            body=body, content_type="text/html"))
        tab.reload()
        return tab.evaluate(STATE)

    return tab, quizzes, edit


def answer(tab, quiz, *kinds):
    """Choose options of a quiz; the keys of the quiz and of the last."""
    for kind in kinds:
        chosen = tab.locator(".quiz").nth(quiz).locator(kind).first
        chosen.check()
    return chosen.evaluate("e => e.closest('.quiz').id + ' ' + e.value")


def new_quiz(quiz):
    """Another quiz of the same form."""
    return re.sub(r'(id|name)="quiz-', r'\1="quiz-0', quiz)


def test_answers_stay_where_quizzes_come_go_and_change_places(edited):
    tab, quizzes, edit = edited
    count = len(quizzes)
    first = answer(tab, 0, ".right input")
    second = answer(tab, 1, ".wrong input", ".right input")

    def told(right, of, left):
        return f"1 of {of} right at the first try, {left} to go." if (
            right) else f"0 of {of} right at the first try, {left} to go."

    assert edit(*quizzes) == [told(1, count, count - 2), first, second]
    assert edit(new_quiz(quizzes[0]), *quizzes) == [
        told(1, count + 1, count - 1), first, second]
    assert edit(*quizzes[::-1]) == [told(1, count, count - 2), second, first]
    assert edit(*quizzes[1:]) == [told(0, count - 1, count - 2), second]
    assert edit(*quizzes[2:]) == [False]
    assert edit(*quizzes) == [told(1, count, count - 2), first, second]


def test_answers_stay_where_options_come_go_and_change_places(edited):
    tab, quizzes, edit = edited
    chosen = answer(tab, 0, ".right input")
    told = edit(*quizzes)
    assert told[1:] == [chosen]
    options = LABEL.findall(quizzes[0])
    turned = iter(options[::-1])
    other = LABEL.sub(lambda _: next(turned), quizzes[0])
    assert other != quizzes[0] and edit(other, *quizzes[1:]) == told
    new = options[0].replace('value="', 'value="0')
    more = quizzes[0].replace(options[0], new + options[0])
    assert edit(more, *quizzes[1:]) == told
    (right,) = [option for option in options if "option right" in option]
    gone = quizzes[0].replace(right, "")
    assert edit(gone, *quizzes[1:]) == [False]
    assert answer(tab, 0, ".wrong input")
    assert tab.evaluate(STATE)[0].startswith("0 of")


def test_a_last_answer_that_is_no_more_leaves_the_first(edited):
    tab, quizzes, edit = edited
    first = answer(tab, 0, ".right input")
    last = answer(tab, 0, ".wrong input")
    (gone,) = [option for option in LABEL.findall(quizzes[0])
               if f'value="{last.split()[1]}"' in option]
    score, checked = edit(quizzes[0].replace(gone, ""), *quizzes[1:])
    assert score.startswith("1 of") and checked == first


def test_what_earlier_editions_kept_is_forgotten(opened):
    tab = opened("book/03-loss.html")
    tab.evaluate("""() => {
      localStorage.setItem("quiz:book/03-loss.html",
        JSON.stringify({"quiz-1": true}));
      localStorage.setItem("chosen:book/03-loss.html",
        JSON.stringify({"quiz-1": 1}));
    }""")
    tab.reload()
    assert tab.evaluate(STATE) == [False]
    assert tab.evaluate("Object.keys(localStorage)") == []


@pytest.mark.parametrize("kept", [
    "null", "3", '"x"', "[]", "[1]", "{}", "{", '{"quiz": null}',
    '{"ID": 3}', '{"ID": null}', '{"ID": {"first": 0}}', '{"ID": ["a"]}',
    '{"ID": {"first": "", "last": ""}}',
])
def test_whatever_is_kept_breaks_no_page(opened, kept):
    tab = opened("book/03-loss.html")
    tab.evaluate("""(kept) => {
      const {dataset: {book}} = document.documentElement;
      const {id} = document.querySelector(".quiz");
      for (const name of ["read", "quiz:book/03-loss.html"]) {
        localStorage.setItem(`${book}:${name}`, kept.replace("ID", id));
      }
      localStorage.setItem("text-size", kept);
      localStorage.setItem("theme", kept);
    }""", kept)
    tab.reload()
    assert tab.complaints == []
    assert tab.evaluate(STATE) == [False]
    chosen = answer(tab, 0, ".right input")
    tab.reload()
    assert tab.evaluate(STATE)[1:] == [chosen]
    assert tab.locator("button.find").is_visible()  # what comes last


def test_two_tabs_of_a_chapter_keep_the_answers_of_both(opened):
    one = opened("book/03-loss.html")
    two = one.context.new_page()
    two.goto(one.url)
    chosen = [answer(one, 0, ".right input")]
    until(two, "Object.keys(localStorage).some(k => k.includes('quiz'))")
    chosen.append(answer(two, 1, ".right input"))
    two.reload()
    assert two.evaluate(STATE)[1:] == chosen


def test_another_book_at_the_same_address_keeps_marks_of_its_own(opened):
    """All files that a browser opens may share what it keeps."""
    tab = opened("book/03-loss.html")
    answer(tab, 0, ".right input")
    tab.evaluate("""() => localStorage.setItem(
      `${document.documentElement.dataset.book}:read`,
      '["book/02-forward.html"]')""")
    tab.reload()
    assert tab.locator(".chapters .read").count() == 1
    text = (SITE / "book/03-loss.html").read_text(encoding="utf-8")
    other = re.sub(r'data-book="\w+"', 'data-book="other"', text)
    assert other != text
    tab.route("**/03-loss.html", lambda route: route.fulfill(
        body=other, content_type="text/html"))
    tab.reload()
    assert tab.evaluate(STATE) == [False]
    assert tab.locator(".chapters .read").count() == 0


def test_arrows_turn_the_pages(opened):
    tab = opened("book/03-loss.html")
    with tab.expect_navigation():
        tab.keyboard.press("ArrowRight")
    assert tab.url.endswith("04-backward.html")
    with tab.expect_navigation():
        tab.keyboard.press("ArrowLeft")
    assert tab.url.endswith("03-loss.html")


def rest_on(tab, link):
    """Hover over a link, once the page has stopped moving."""
    link.scroll_into_view_if_needed()
    still(tab)
    link.hover()


def test_a_reference_shows_what_it_names(opened):
    tab = opened("book/03-loss.html")
    link = tab.locator("a.reference[href='#fig-push']").first
    if not link.count():
        link = tab.locator("a.reference[href^='#fig-']").first
    name = link.inner_text().replace("\u00a0", " ")
    preview = tab.locator(".preview")
    assert not preview.is_visible()
    rest_on(tab, link)
    preview.wait_for(state="visible")
    assert name in preview.inner_text().replace("\u00a0", " ")
    assert preview.locator("svg").count() == 1
    tab.keyboard.press("Escape")
    assert not preview.is_visible()


def test_a_citation_shows_its_source(opened):
    tab = opened("book/data.html")
    link = tab.locator("a[role=doc-biblioref]").first
    rest_on(tab, link)
    tab.locator(".preview").wait_for(state="visible")
    assert re.search(r"\d{4}", tab.locator(".preview").inner_text())


def test_resting_on_a_term_shows_its_meaning(opened):
    tab = opened("book/01-tensors.html")
    link = tab.locator("main a.term[href$='#term-stride']").first
    rest_on(tab, link)
    preview = tab.locator(".preview")
    preview.wait_for(state="visible")
    assert preview.inner_text() == BOOK.entries["stride"].text
    tab.keyboard.press("Escape")
    assert not preview.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_term_looks_like_text_with_a_dotted_line(opened, theme):
    tab = opened("book/01-tensors.html", theme=theme)
    link = tab.locator("main a.term[href$='#term-shape']").first
    style = link.evaluate(
        "e => [getComputedStyle(e).color, "
        "getComputedStyle(e.parentElement).color, "
        "getComputedStyle(e).textDecorationStyle]")
    assert style[0] == style[1] and style[2] == "dotted"


def test_sections_have_links_to_themselves(opened):
    tab = opened("book/03-loss.html")
    headings = tab.locator("main h2[id]")
    assert headings.count() == tab.locator("main h2 > a.anchor").count()
    anchor = tab.locator("main h2 > a.anchor").first
    assert anchor.get_attribute("href") == (
        "#" + headings.first.get_attribute("id"))


def test_a_link_to_a_section_is_named_by_its_words(opened):
    tab = opened("book/01-tensors.html")
    named = tab.locator("#sec-requires-grad a.anchor").get_attribute(
        "aria-label")
    assert named.endswith("What requires_grad does”")
    page = (SITE / "book/03-loss.html").read_text(encoding="utf-8").replace(
        "</main>", '<h2 id="x">The <math><semantics><mi>α</mi><annotation '
        'encoding="application/x-tex">\\alpha</annotation></semantics></math>'
        "</h2></main>",
    )
    tab.route("**/03-loss.html", lambda route: route.fulfill(
        body=page, content_type="text/html"))
    tab.goto((SITE / "book/03-loss.html").as_uri())
    assert tab.locator("#x a.anchor").get_attribute("aria-label") == (
        "Link to “The α”")


def test_no_attribute_of_any_page_shows_markup():
    """Nor a title: what is marked up there would be read aloud."""
    said = re.compile(
        r'\b(?:title|data-title|aria-label|alt)="([^"]*)"|<title>(.*?)</title>')
    for page in PAGES + MODULES:
        text = (SITE / page).read_text(encoding="utf-8")
        text = re.sub(r"<(pre|svg)\b.*?</\1>", "", text, flags=re.DOTALL)
        found = [a or b for a, b in said.findall(text)]
        assert found
        assert [s for s in found if re.search(
            r"`|\*\*|\$|\\|@\w+-|\]\(|\]\{", s)] == []


def test_copied_code_has_no_prompts(opened):
    tab = opened("book/03-loss.html")
    copied = tab.evaluate("""async () => {
      const block = document.querySelector("div.sourceCode");
      block.querySelector("code").textContent =
        ">>> for x in y:\\n...     x\\n...\\n7\\n>>> z";
      let text;
      Object.defineProperty(navigator, "clipboard", {
        value: {writeText: async (words) => { text = words; }}});
      block.querySelector(".copy").click();
      while (text === undefined) await new Promise(requestAnimationFrame);
      return text;
    }""")
    assert copied == "for x in y:\n    x\n\nz"


def test_a_file_name_leads_to_the_page_of_its_module(opened):
    tab = opened("book/03-loss.html")
    link = tab.locator(".filename a").first
    name = link.inner_text()
    with tab.expect_navigation():
        link.click()
    assert tab.locator("h1").inner_text() == name
    source = (SITE.parent / "code" / name).read_text(encoding="utf-8")
    shown = tab.locator("pre code").text_content()
    assert shown.strip() == source.strip()


@pytest.mark.parametrize("page", MODULES)
def test_a_page_of_a_module_is_no_wider_than_the_screen(opened, page):
    tab = opened(page, width=320)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    assert tab.complaints == []
